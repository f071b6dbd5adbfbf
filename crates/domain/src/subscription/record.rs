//! What a subscription is, and what a client sets of it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::json;
use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder, SchemaType};
use utoipa::openapi::{Array, ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use kernel::clock::Timestamp;
use kernel::error::FieldError;
use kernel::ids::Id;
use kernel::validation::Rules;

use crate::events::CATALOGUE;
use crate::subscription::rules;

/// Where a subscription begins in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// With the first event of the log.
    Start,
    /// With the first event after its creation.
    Now,
    /// With the first event of this time or later.
    At(Timestamp),
}

impl fmt::Display for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::Now => f.write_str("now"),
            Self::At(time) => time.fmt(f),
        }
    }
}

impl Serialize for Beginning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Beginning {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        match &*text {
            "start" => Ok(Self::Start),
            "now" => Ok(Self::Now),
            time => {
                Timestamp::parse(time).map(Self::At).ok_or_else(|| de::Error::custom("not an RFC 3339 time"))
            }
        }
    }
}

impl PartialSchema for Beginning {
    fn schema() -> RefOr<Schema> {
        let words = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .enum_values(Some(["start", "now"]));
        Schema::OneOf(OneOfBuilder::new().item(words).item(Timestamp::schema()).build()).into()
    }
}

impl ToSchema for Beginning {}

/// A subscription as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its name.
    #[serde(rename = "id")]
    pub name: String,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Names its positions. Another subscription of the same name has another key, so that no reader of the old one moves it.
    pub key: Id,
    /// The names of the types that its readers get; none stands for every type.
    pub types: Vec<String>,
    #[serde(rename = "begins")]
    pub from: Beginning,
}

/// A subscription and how many events wait for its readers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Subscription)]
pub struct SubscriptionView {
    #[schema(example = "warehouse")]
    pub name: String,
    pub version: i64,
    /// The types that its readers get; an empty list stands for every type.
    #[schema(example = json!(["customer.created", "customer.updated"]))]
    pub types: Vec<String>,
    /// Where it began.
    pub from: Beginning,
    /// Events that are not acknowledged yet. Of more than 1,000 in a partition the rest counts whatever its type.
    pub pending: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl SubscriptionView {
    pub fn new(subscription: Subscription, pending: i64) -> Self {
        let Subscription { name, version, created_at, updated_at, types, from, .. } = subscription;
        Self { name, version, types, from, pending, created_at, updated_at }
    }
}

/// What a client sets of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSubscription {
    /// The types that its readers get; without any, every type.
    #[serde(default)]
    #[schema(schema_with = type_names, required = false)]
    pub types: Vec<String>,
    /// Where it begins: `start`, `now` (as for a new one without it), or a time. Another beginning than before moves a
    /// subscription that exists.
    #[serde(default)]
    #[schema(required = false)]
    pub from: Option<Beginning>,
}

fn type_names() -> Array {
    let names = CATALOGUE.0.iter().map(|event_type| event_type.name());
    let name = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(names));
    ArrayBuilder::new().items(name).max_items(Some(200)).examples([json!(["customer.created"])]).build()
}

impl Rules for NewSubscription {
    fn faults(self) -> Vec<FieldError> {
        rules::faults(&self)
    }
}

/// Acknowledges a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAck {
    /// The lease of the batch.
    pub lease: Id,
}

impl Rules for NewAck {}

/// A lease that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ack {
    pub lease: Id,
    #[schema(value_type = String, example = "acknowledged")]
    pub status: Cow<'static, str>,
    pub acknowledged_at: Timestamp,
}

impl Ack {
    pub fn new(lease: Id, acknowledged_at: Timestamp) -> Self {
        Self { lease, status: "acknowledged".into(), acknowledged_at }
    }
}
