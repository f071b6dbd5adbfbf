//! The types of event that a webhook wants.

use std::borrow::Cow;

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::api_key::event_scopes::of_types;
use crate::events::{CATALOGUE, WEBHOOK_PINGED};
use crate::webhook::record::Webhook;
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::event::{EventType, LoggedEvent};

/// The type that stands for all of them, those of later versions included.
pub const ALL_TYPES: &str = "*";

/// Whether a caller who makes or changes a webhook for these types, by their names, may read all that it sends.
///
/// # Errors
/// `missing_scope`.
pub fn may_send(caller: &Caller, event_types: &[String]) -> Result<(), Error> {
    let types: Vec<EventType> = event_types.iter().filter_map(|name| CATALOGUE.find(name)).collect();
    // No types stand for all, as `*` does.
    caller.scopes.check(of_types(&types))
}

impl Webhook {
    /// The types that it wants, as far as this program knows them; `None`: all.
    pub fn types(&self) -> Option<Vec<EventType>> {
        if self.event_types.iter().any(|name| name == ALL_TYPES) {
            return None;
        }
        let known = self.event_types.iter().filter_map(|name| CATALOGUE.find(name));
        Some(known.chain([WEBHOOK_PINGED]).collect())
    }

    /// Whether an event of a type that it wants is for it: a ping is for the webhook that was pinged alone.
    pub fn wants(&self, event: &LoggedEvent) -> bool {
        event.event.event_type != WEBHOOK_PINGED || event.event.partition_key == self.id
    }
}

/// The name of a type of event, or `*`.
pub enum WantedType {}

impl WantedType {
    /// Every name that a webhook may want.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let wanted = CATALOGUE.0.iter().filter(|known| **known != WEBHOOK_PINGED);
        [ALL_TYPES].into_iter().chain(wanted.map(|known| known.name()))
    }
}

impl PartialSchema for WantedType {
    fn schema() -> RefOr<Schema> {
        let name = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::names()));
        name.examples(["customer.created"]).build().into()
    }
}

impl ToSchema for WantedType {
    fn name() -> Cow<'static, str> {
        "WantedType".into()
    }
}
