//! The query parameters of a live feed: its cursor and its topics.

use actix_web::HttpRequest;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::actors::live::cursor::TEXT_MAX;
use crate::actors::live::topics::Topics;
use crate::http::extract::parse_query;
use domain::topic::Topic;
use kernel::error::Error;

/// Parameters by which clients often send a token. They are rejected, because logs and histories keep addresses.
const TOKENS: [&str; 5] = ["token", "access_token", "auth", "authorization", "jwt"];

/// The parameters of a live feed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LiveParams {
    /// The cursor of the last frame that was received: the feed continues after it. An unknown cursor is answered
    /// with a `reset` frame.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Topics to follow besides the user's notifications, separated by commas.
    #[serde(default)]
    #[param(
        pattern = "^((customers|meetings|tasks|approvals|deals|sagas)(,(customers|meetings|tasks|approvals|deals|sagas))*)?$",
        example = "customers,tasks"
    )]
    topics: Option<String>,
}

impl LiveParams {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// `invalid_parameter`, also for a token in the address.
    pub fn of(request: &HttpRequest) -> Result<Self, Error> {
        let query = request.query_string();
        let names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.to_ascii_lowercase());
        for name in names {
            if TOKENS.contains(&name.as_str()) {
                return Err(Error::parameter(&name, "token_in_url"));
            }
        }
        let params: Self = parse_query(query)?;
        params.topics()?;
        Ok(params)
    }

    /// The requested topics.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn topics(&self) -> Result<Topics, Error> {
        let list = self.topics.as_deref().filter(|list| !list.is_empty());
        let names = list.into_iter().flat_map(|list| list.split(','));
        let topic = |name: &str| Topic::ALL.into_iter().find(|topic| topic.as_str() == name);
        let topics: Option<Topics> = names.map(topic).collect();
        topics.ok_or_else(|| Error::parameter("topics", "invalid_choice"))
    }
}

/// Cuts a cursor's text just above the longest possible cursor, so that a longer text stays invalid.
pub fn bounded(cursor: &str) -> &str {
    cursor.get(..=TEXT_MAX).unwrap_or(cursor)
}
