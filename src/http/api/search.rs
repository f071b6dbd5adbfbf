//! `/api/search`: records of every kind.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::error::HttpResult;
use crate::http::extract::{Authenticated, Params};
use crate::http::search::everywhere;
use crate::http::state::Gateway;
use domain::search::record::{Hit, RecordType};
use kernel::ids::Id;

/// The types that could not be searched, separated by commas; absent if all could.
pub const MISSING: &str = "X-Missing-Types";

/// What is searched for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SearchParams {
    /// Words in any order, each a part of any text of the record.
    #[param(max_length = 200, pattern = r"^[^\x00]*$")]
    q: String,
    /// The most records to answer.
    #[param(minimum = 1, maximum = 50, default = 20)]
    #[serde(default)]
    limit: Option<i64>,
}

/// A record that was found.
#[derive(Serialize, ToSchema)]
pub struct Found {
    #[serde(rename = "type")]
    record_type: RecordType,
    id: Id,
    title: String,
    /// A customer's company or email; of other records the name of the customer.
    #[schema(required)]
    subtitle: Option<String>,
}

impl From<Hit> for Found {
    fn from(hit: Hit) -> Self {
        Self { record_type: hit.record_type, id: hit.id, title: hit.title, subtitle: hit.subtitle }
    }
}

/// Find customers, deals, meetings, tasks and approvals, the best first
///
/// First those whose whole title was typed, then those whose title begins with it, those that have a word which begins
/// with each word typed, those whose title has the words, and the rest; of equals the newest.
#[utoipa::path(
    tag = "search",
    params(SearchParams),
    responses((
        status = 200,
        body = Vec<Found>,
        headers((
            "X-Missing-Types" = String,
            description = "The types that could not be searched because their service is away, separated by commas"
        ))
    ))
)]
#[get("/search")]
pub async fn search(gateway: Data<Gateway>, auth: Authenticated, params: Params<SearchParams>) -> HttpResult {
    let SearchParams { q, limit } = params.0;
    let found = everywhere(&gateway, auth.caller, &q, limit).await?;
    let mut answer = HttpResponse::Ok();
    if !found.missing.is_empty() {
        let missing: Vec<&str> = found.missing.iter().map(|one| one.as_str()).collect();
        answer.insert_header((MISSING, missing.join(", ")));
    }
    Ok(answer.json(found.hits.into_iter().map(Found::from).collect::<Vec<_>>()))
}
