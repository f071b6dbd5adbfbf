//! Asks every service for what a search finds (SPEC §3, `/search`), and merges the answers: for the API and the console.

use std::time::Duration;

use domain::search::messages::{FindRecords, HITS_DEFAULT, HITS_MAX};
use domain::search::record::{Hit, RecordType};
use domain::search::rules::merged;
use kernel::caller::Caller;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::search::Words;
use runtime::service::{Call, Hosted, Service};

use crate::http::state::Gateway;

/// How long a service may take. What takes longer is missing: somebody waits for what the others found.
const WITHIN: Duration = Duration::from_secs(2);

/// What was found, and what could not be searched.
pub struct Everything {
    pub hits: Vec<Hit>,
    /// The types whose service gave no answer.
    pub missing: Vec<RecordType>,
}

/// Searches the records of all services that the caller may see, the best first.
///
/// # Errors
/// `invalid_parameter`; `unavailable` if no service answers.
pub async fn everywhere(
    gateway: &Gateway,
    caller: Caller,
    q: &str,
    limit: Option<i64>,
) -> Result<Everything, Error> {
    Words::parse(Some(q))?;
    let limit = check_limit(limit)?;
    let asked = FindRecords { caller, q: q.to_owned(), limit };
    let (customers, sales, opportunity) = tokio::join!(
        in_time(&gateway.customers.service, asked.clone()),
        in_time(&gateway.sales.service, asked.clone()),
        in_time(&gateway.opportunity.service, asked),
    );
    let answers = [
        (customers, &[RecordType::Customer][..]),
        (sales, &[RecordType::Meeting, RecordType::Task]),
        (opportunity, &[RecordType::Approval, RecordType::Deal]),
    ];
    let (mut hits, mut missing, mut refused) = (Vec::new(), Vec::new(), None);
    for (answer, types) in answers {
        match answer {
            Ok(found) => hits.extend(found),
            Err(error) => {
                let types_missing = types.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
                tracing::warn!(%error, types = types_missing, "a service gave no answer to a search");
                missing.extend(types);
                refused = Some(error);
            }
        }
    }
    match refused {
        Some(error) if missing.len() == RecordType::ALL.len() => Err(error),
        _ => Ok(Everything { hits: merged(hits, limit), missing }),
    }
}

fn check_limit(limit: Option<i64>) -> Result<i64, Error> {
    let limit = limit.unwrap_or(HITS_DEFAULT);
    let fault = match limit {
        ..1 => FieldError::limit("limit", "too_small", 1),
        1..=HITS_MAX => return Ok(limit),
        _ => FieldError::limit("limit", "too_large", HITS_MAX),
    };
    Err(Error { fields: vec![fault], ..Error::new(ErrorCode::InvalidParameter) })
}

async fn in_time<S: Hosted>(service: &Service<S>, asked: FindRecords) -> Result<Vec<Hit>, Error>
where
    FindRecords: Call<S, Answer = Vec<Hit>>,
{
    match tokio::time::timeout(WITHIN, service.ask(asked)).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::unavailable().with_cause("the service took too long")),
    }
}
