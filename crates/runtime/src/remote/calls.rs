//! A call and its reply as entries of a stream. Pure. What a node has sealed may be of another version: a malformed entry
//! is `None`.

use std::collections::HashMap;

use crate::cluster::clock::ClusterTime;
use crate::spans::{Kind, OpenSpan, SpanContext, Work};
use kernel::error::Error;
use kernel::ids::Id;

/// A call to a service before its node is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The service's name.
    pub service: String,
    /// The message's name.
    pub name: String,
    /// The message as JSON.
    pub payload: String,
    /// The id of the request, or the correlation of a command; `None` for the node's own work.
    pub correlation_id: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

impl Question {
    /// The span of the call on either node.
    pub(crate) fn span(&self, kind: Kind, parent: Option<SpanContext>) -> Option<OpenSpan> {
        let method = format!("{}/{}", self.service, self.name);
        let mut span = OpenSpan::child(kind, parent)?.named(Work::Call, method.clone());
        span.set("rpc.system.name", "kizuna");
        span.set("rpc.method", method);
        Some(span)
    }
}

/// A call to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The id, the same each time the call is sent, so that it is carried out once.
    pub id: Id,
    /// The time after which the caller no longer waits.
    pub deadline: ClusterTime,
    /// The incarnation of the calling node.
    pub reply_to: Id,
    pub question: Question,
}

/// The reply to a call: the answer as JSON, or the error of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The id of the call.
    pub id: Id,
    pub outcome: Result<String, Error>,
}

/// The names and values of a call or a reply.
pub type Fields = Vec<(&'static str, String)>;

/// The text of an entry with these fields.
pub fn pack(fields: &Fields) -> Vec<u8> {
    serde_json::to_vec(fields).expect("pairs of texts")
}

/// The fields of an entry that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(HashMap<String, String>);

impl Message {
    /// Reads what [`pack`] wrote.
    pub fn unpack(text: &[u8]) -> Option<Self> {
        let fields: Vec<(String, String)> = serde_json::from_slice(text).ok()?;
        Some(Self(fields.into_iter().collect()))
    }

    /// The value of a field.
    pub fn text(&self, field: &str) -> Option<String> {
        self.0.get(field).cloned()
    }
}

impl Request {
    /// Writes it as an entry.
    pub fn fields(&self) -> Fields {
        let Question { service, name, payload, correlation_id, traceparent } = &self.question;
        let mut fields = vec![
            ("id", self.id.to_string()),
            ("deadline", self.deadline.0.to_string()),
            ("reply_to", self.reply_to.to_string()),
            ("service", service.clone()),
            ("name", name.clone()),
            ("payload", payload.clone()),
        ];
        fields.extend(correlation_id.clone().map(|id| ("correlation", id)));
        fields.extend(traceparent.clone().map(|trace| ("traceparent", trace)));
        fields
    }

    /// Reads a call; `None` if the entry is malformed.
    pub fn read(field: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Some(Self {
            id: Id::parse(&field("id")?)?,
            deadline: ClusterTime(field("deadline")?.parse().ok()?),
            reply_to: Id::parse(&field("reply_to")?)?,
            question: Question {
                service: field("service")?,
                name: field("name")?,
                payload: field("payload")?,
                correlation_id: field("correlation"),
                traceparent: field("traceparent"),
            },
        })
    }
}

impl Reply {
    /// Writes it as an entry.
    pub fn fields(&self) -> Fields {
        let outcome = match &self.outcome {
            Ok(answer) => ("ok", answer.clone()),
            Err(error) => ("refusal", serde_json::to_string(error).expect("errors are plain structs")),
        };
        let cause = self.outcome.as_ref().err().and_then(Error::cause);
        let mut fields = vec![("id", self.id.to_string()), outcome];
        // For the log of the calling node.
        fields.extend(cause.map(|cause| ("cause", cause.to_owned())));
        fields
    }

    /// Reads a reply; `None` if the entry is malformed.
    pub fn read(field: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let outcome = match field("ok") {
            Some(answer) => Ok(answer),
            // A newer version may send a code that this one does not know.
            None => {
                let error: Error =
                    serde_json::from_str(&field("refusal")?).unwrap_or_else(|_| Error::unavailable());
                Err(match field("cause") {
                    Some(cause) => error.with_cause(cause),
                    None => error,
                })
            }
        };
        Some(Self { id: Id::parse(&field("id")?)?, outcome })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use kernel::error::{ErrorCode, FieldError};
    use kernel::ids::new_id;

    fn request(name: &str, payload: &str, correlation: Option<&str>) -> Request {
        Request {
            id: new_id(),
            deadline: ClusterTime(1_764_068_400_000_000),
            reply_to: new_id(),
            question: Question {
                service: "customer".to_owned(),
                name: name.into(),
                payload: payload.into(),
                correlation_id: correlation.map(Into::into),
                traceparent: correlation.map(Into::into),
            },
        }
    }

    fn lookup(fields: Fields) -> impl Fn(&str) -> Option<String> {
        let message = Message::unpack(&pack(&fields)).expect("what was packed");
        move |name| message.text(name)
    }

    #[test]
    fn a_text_of_another_form_is_no_message() {
        for text in ["", "{}", "[1]", r#"[["a"]]"#, r#"[["a", 1]]"#, "\0"] {
            assert_eq!(Message::unpack(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn every_refusal_comes_back_the_same() {
        for code in ErrorCode::ALL {
            let full = Error {
                fields: vec![
                    FieldError::limit("items[2].name", "too_long", 200),
                    FieldError::new("", "invalid_utf8"),
                ],
                candidates: vec![new_id(), Id::nil()],
                retry_after: Some(Duration::from_millis(1_234)),
                ..Error::new(*code)
            };
            for error in [Error::new(*code), full] {
                let reply = Reply { id: new_id(), outcome: Err(error) };
                assert_eq!(Reply::read(lookup(reply.fields())), Some(reply));
            }
        }
    }

    #[test]
    fn the_cause_of_a_refusal_comes_along_for_the_log() {
        let error = Error::internal("a stored row can't be read");
        let reply = Reply { id: new_id(), outcome: Err(error) };
        let read = Reply::read(lookup(reply.fields())).expect("a reply").outcome.unwrap_err();
        assert_eq!(read.cause(), Some("a stored row can't be read"));
    }

    #[test]
    fn a_refusal_of_a_newer_program_is_one_that_passes() {
        let id = new_id();
        for text in [r#"{"code":"out_of_tea"}"#, "", "\0", "[[[["] {
            let reply = Reply::read(lookup(vec![("id", id.to_string()), ("refusal", text.into())]));
            assert_eq!(reply, Some(Reply { id, outcome: Err(Error::unavailable()) }), "{text:?}");
        }
    }

    #[test]
    fn what_lacks_a_field_or_has_a_strange_one_is_no_call() {
        let whole = request("FindCustomer", "{}", None).fields();
        for place in 0..whole.len() {
            let mut strange = whole.clone();
            let (name, _) = strange.remove(place);
            assert_eq!(Request::read(lookup(strange.clone())), None, "without {name}");
            // Whether there is such a service, and such a message, is for the node to say that reads the call.
            if !matches!(name, "service" | "name" | "payload") {
                strange.push((name, "\0 \u{ff}99999999999999999999999".into()));
                assert_eq!(Request::read(lookup(strange)), None, "with a strange {name}");
            }
        }
    }

    proptest! {
        #[test]
        fn calls_and_answers_come_back_the_same(name: String, payload: String, trace: Option<String>) {
            let request = request(&name, &payload, trace.as_deref());
            prop_assert_eq!(Request::read(lookup(request.fields())), Some(request));
            let reply = Reply { id: new_id(), outcome: Ok(payload) };
            prop_assert_eq!(Reply::read(lookup(reply.fields())), Some(reply));
        }
    }
}
