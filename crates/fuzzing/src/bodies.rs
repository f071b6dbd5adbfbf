//! JSON bodies of requests. What is refused is refused by stable words; what is accepted is read again from its own print,
//! as another node reads it.

use domain::api_key::record::NewApiKey;
use domain::approval::messages::{NewApprover, OptionalComment, RequiredComment};
use domain::approval::record::NewApproval;
use domain::bulk::change::{CustomersBulk, DealsBulk, MeetingsBulk, TasksBulk};
use domain::comment::record::{CommentChanges, NewComment};
use domain::customer::merge::Merge;
use domain::customer::record::{CustomerChanges, NewCustomer};
use domain::deal::record::{DealChanges, NewDeal};
use domain::import::form::ImportChanges;
use domain::meeting::record::{MeetingChanges, NewMeeting};
use domain::saved_view::record::{NewView, ViewChanges};
use domain::subscription::record::{NewAck, NewSubscription};
use domain::task::record::{NewTask, TaskChanges};
use domain::user::record::{NewUser, PreferenceChanges, ProfileChanges, UserChanges};
use domain::webhook::form::{NewWebhook, WebhookChanges};
use domain::webhook::messages::Replay;
use kernel::error::ErrorCode;
use kernel::validation::Rules;
use kizuna::actors::operations::messages::BreakerOrder;
use kizuna::http::api::auth::{Credentials, PasswordBody, RefreshBody};
use kizuna::http::extract::{Nothing, parse};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{choose, is_stable, refused};

/// The most faults of one answer.
const FAULTS_MAX: usize = 100;

/// A type of body.
struct Kind {
    name: &'static str,
    check: fn(&[u8]),
}

/// The types, by their names; those that travel between nodes, then those that end in the gateway.
macro_rules! kinds {
    (sent: $($sent:ident),*; local: $($local:ident),* $(,)?) => {
        &[
            $(Kind { name: stringify!($sent), check: sent::<$sent> },)*
            $(Kind { name: stringify!($local), check: |bytes| { local::<$local>(bytes); } }),*
        ]
    };
}

const KINDS: &[Kind] = kinds![
    sent: CommentChanges, CustomerChanges, CustomersBulk, DealChanges, DealsBulk, ImportChanges, MeetingChanges,
        MeetingsBulk, Merge, NewAck, NewApiKey, NewApproval, NewApprover, NewComment, NewCustomer, NewDeal, NewMeeting,
        NewSubscription, NewTask, NewUser, NewView, NewWebhook, OptionalComment, PreferenceChanges, ProfileChanges,
        Replay, RequiredComment, TaskChanges, TasksBulk, UserChanges, ViewChanges, WebhookChanges;
    local: BreakerOrder, Credentials, Nothing, PasswordBody, RefreshBody,
];

/// The type of body in the first line, and a body.
pub fn json_body(input: &[u8]) {
    let (kind, body) = choose(KINDS, |kind| kind.name, input);
    (kind.check)(body);
}

fn local<T: DeserializeOwned + Rules>(bytes: &[u8]) -> Option<T> {
    match parse::<T>(bytes) {
        Ok(body) => Some(body),
        Err(error) => {
            refused(&error);
            let is_shape = error.code == ErrorCode::MalformedJson || !error.fields.is_empty();
            assert!(is_shape && error.fields.len() <= FAULTS_MAX, "{error:?}");
            None
        }
    }
}

fn sent<T: DeserializeOwned + Serialize + Rules>(bytes: &[u8]) {
    let Some(body) = local::<T>(bytes) else { return };
    let print = serde_json::to_string(&body).expect("a body is printed");
    let again: T = serde_json::from_str(&print)
        .unwrap_or_else(|error| panic!("another node can't read {print}: {error}"));
    assert_eq!(serde_json::to_string(&again).expect("a body is printed"), print);
    body.faults().iter().for_each(|fault| is_stable(&fault.code));
}
