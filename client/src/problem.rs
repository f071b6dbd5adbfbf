//! What can go wrong: the server's own problems, and everything before and after them.

use std::time::Duration;

use kernel::ids::Id;
use reqwest::StatusCode;
use serde::Deserialize;

/// Characters of an unexpected body that an error shows.
const EXCERPT: usize = 200;

/// An error as the server tells it (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("{status} {code}: {detail}")]
pub struct Problem {
    pub r#type: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// The path of the request.
    pub instance: String,
    /// A stable word for what is wrong; texts change with the language, this does not.
    pub code: String,
    /// What is wrong with which field or parameter.
    #[serde(default)]
    pub errors: Vec<FieldProblem>,
    /// `duplicate_customer`: the customers that have the address already.
    #[serde(default)]
    pub candidates: Vec<Id>,
    /// When trying again makes sense, from `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// One field's fault.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FieldProblem {
    pub field: String,
    /// A stable word.
    pub code: String,
    pub message: String,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server refused.
    #[error(transparent)]
    Problem(Box<Problem>),
    /// There was no answer, or not the whole of it. Whether the request took effect is unknown.
    #[error("no answer: {0}")]
    Transport(#[from] reqwest::Error),
    /// Something answered that is not Kizuna's API, as a proxy may.
    #[error("unexpected answer {status}: {excerpt}")]
    Unexpected { status: StatusCode, excerpt: String },
    /// The answer is not the record that was asked for.
    #[error("unreadable answer: {0}")]
    Unreadable(#[source] serde_json::Error),
    /// The address of the server, or one that it has sent, can't be used.
    #[error("not an address of the server: {0}")]
    Address(String),
}

impl Error {
    /// The stable word of the server's refusal, if it is one.
    pub fn code(&self) -> Option<&str> {
        self.problem().map(|problem| problem.code.as_str())
    }

    /// The server's refusal, if it is one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// The error that an answer without success is.
    pub(crate) fn of(status: StatusCode, body: &[u8], retry_after: Option<Duration>) -> Self {
        match serde_json::from_slice::<Problem>(body) {
            Ok(problem) => Self::Problem(Box::new(Problem { retry_after, ..problem })),
            Err(_) => {
                let excerpt = String::from_utf8_lossy(body).chars().take(EXCERPT).collect();
                Self::Unexpected { status, excerpt }
            }
        }
    }
}
