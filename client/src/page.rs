//! Lists: what is asked for, a page of the answer, and the way to the next.

use reqwest::header::LINK;
use serde::de::DeserializeOwned;

use crate::call::Reply;
use crate::problem::Error;

/// A list's parameters: filters and sorts as the resource has them, and the size of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    parameters: Vec<(&'static str, String)>,
}

impl Query {
    /// Everything, in the default order.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a filter or a sort: `.with("status", "ACTIVE").with("sort", "-name")`.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.parameters.push((name, value.to_string()));
        self
    }

    /// Rows of a page: 1 to 200, 50 if not said.
    pub fn limit(self, rows: u32) -> Self {
        self.with("limit", rows)
    }

    /// Asks for the number of all rows, for [`Page::total`].
    pub fn count(self) -> Self {
        self.with("count", true)
    }

    /// The path of the list with these parameters.
    pub(crate) fn on(&self, path: &str) -> String {
        if self.parameters.is_empty() {
            return path.to_owned();
        }
        // The origin matters to nobody: only path and query are taken from it.
        let mut url = reqwest::Url::parse("http://kizuna.invalid").expect("a constant address");
        url.set_path(path);
        url.query_pairs_mut().extend_pairs(&self.parameters);
        format!("{}?{}", url.path(), url.query().unwrap_or_default())
    }
}

/// Some rows of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The number of all rows, if it was asked for.
    pub total: Option<u64>,
    /// Where the next page is, if there is one; for [`crate::Collection::follow`].
    pub next: Option<String>,
}

impl<T: DeserializeOwned> Page<T> {
    pub(crate) fn read(reply: &Reply) -> Result<Self, Error> {
        Ok(Self {
            items: reply.json()?,
            total: reply.header("x-total-count").and_then(|total| total.parse().ok()),
            next: reply.header(LINK).and_then(next).map(str::to_owned),
        })
    }
}

/// The address of `rel="next"` in a `Link` header (RFC 8288).
fn next(link: &str) -> Option<&str> {
    // A comma may stand in an address, but none of ours: they are encoded.
    let link = link.split(',').find(|link| link.contains("rel=\"next\""))?;
    Some(link.split_once('<')?.1.split_once('>')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_encoded_into_the_path() {
        let query = Query::new().with("q", "絆 & 100%").limit(20).count();
        let path = "/api/customers?q=%E7%B5%86+%26+100%25&limit=20&count=true";
        assert_eq!(query.on("/api/customers"), path);
        assert_eq!(Query::new().on("/api/customers"), "/api/customers");
    }

    #[test]
    fn the_next_page_is_found_among_other_links() {
        let link = "</a>; rel=\"prev\", </api/tasks?cursor=x>; rel=\"next\"";
        assert_eq!(next(link), Some("/api/tasks?cursor=x"));
        assert_eq!(next("</a>; rel=\"prev\""), None);
    }
}
