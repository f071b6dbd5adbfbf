//! The saved views of a list: their tabs, and what the address of a list makes of a view.

use form_urlencoded::Serializer;

use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::listing::{COLUMNS, chosen_columns, label, named_columns};
use crate::http::console::kit::session_user::{SessionUser, address_with};
use domain::lists::ListName;
use domain::saved_view::messages::ListViews;
use domain::saved_view::record::{Filter, SavedView};
use kernel::error::Error;
use kernel::ids::Id;

/// The parameter that names the view that one has opened.
pub const VIEW: &str = "view";
/// Its value for the list without a view.
const NONE: &str = "all";

/// A column to choose.
pub struct ColumnChoice {
    pub name: &'static str,
    /// The word of its label.
    pub label: &'static str,
    pub is_shown: bool,
}

/// A view, and where it is.
pub struct ViewTab {
    pub view: SavedView,
    pub href: String,
    pub is_open: bool,
}

/// The views of a list, and what may be saved.
pub struct ViewBar {
    pub list: &'static str,
    pub tabs: Vec<ViewTab>,
    /// The list without a view.
    pub all: String,
    /// Whether what the open view has was changed since.
    pub is_changed: bool,
    /// What the list shows, as its address says it.
    pub query: String,
    /// The parameters of that address but the columns, by name.
    pub others: Vec<(String, String)>,
    /// All columns but the first, which is always shown.
    pub columns: Vec<ColumnChoice>,
}

/// What an address says of a list, as a view keeps it.
#[derive(Debug, PartialEq, Eq)]
pub struct Settings {
    pub filter: Filter,
    pub sort: Option<String>,
    pub columns: Vec<String>,
    pub limit: Option<i64>,
}

impl Settings {
    pub fn of(list: ListName, given: &Fields) -> Self {
        let text = |name: &str| given.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let filter =
            list.filters().iter().filter_map(|filter| Some((filter.name.to_owned(), text(filter.name)?)));
        let known = |name: &&str| list.columns().iter().any(|column| column.name == *name);
        let mut columns: Vec<String> = named_columns(given).filter(known).map(str::to_owned).collect();
        columns.dedup();
        Self {
            filter: filter.collect(),
            // The usual order is as good as none.
            sort: text("sort").filter(|sort| list.sorts().first().is_none_or(|first| first.name != sort)),
            columns,
            limit: text("limit").and_then(|limit| limit.parse().ok()),
        }
    }

    fn are_of(&self, view: &SavedView) -> bool {
        let SavedView { filter, sort, columns, limit, .. } = view;
        (&self.filter, &self.sort, &self.columns, &self.limit) == (filter, sort, columns, limit)
    }
}

/// Where a view is opened.
pub fn address_of(view: &SavedView) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair(VIEW, &view.id.to_string()).extend_pairs(&view.filter);
    query.extend_pairs(view.sort.iter().map(|sort| ("sort", sort)));
    query.extend_pairs(view.columns.iter().map(|column| (COLUMNS, column)));
    query.extend_pairs(view.limit.iter().map(|limit| ("limit", limit.to_string())));
    format!("/{}?{}", view.list.as_str(), query.finish())
}

/// The default view's address, if the request asks for the list and nothing else of it.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn default_address(me: &SessionUser, list: ListName) -> Result<Option<String>, Error> {
    let given = Fields::parsed(me.request.query_string().as_bytes());
    if given.pairs().any(|(name, _)| name != "done") {
        return Ok(None);
    }
    let views = views(me, list).await?;
    let Some(view) = views.iter().find(|view| view.is_default) else { return Ok(None) };
    let done =
        given.get("done").map(|done| Serializer::new(String::new()).append_pair("done", done).finish());
    Ok(Some(done.map_or_else(|| address_of(view), |done| format!("{}&{done}", address_of(view)))))
}

async fn views(me: &SessionUser, list: ListName) -> Result<Vec<SavedView>, Error> {
    me.gateway.auth.service.ask(ListViews { caller: me.caller(), list: Some(list) }).await
}

impl ViewBar {
    /// The views beside the list that the request shows.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn of(me: &SessionUser, list: ListName, given: &Fields) -> Result<Self, Error> {
        let (views, open) = (views(me, list).await?, given.get(VIEW).and_then(Id::parse));
        let settings = Settings::of(list, given);
        let opened = views.iter().find(|view| Some(view.id) == open);
        let shown = chosen_columns(list, given);
        let is_changed = opened.is_some_and(|view| !settings.are_of(view));
        let columns = list.columns().iter().skip(1).map(|column| ColumnChoice {
            name: column.name,
            label: label(list, column.name),
            is_shown: shown.contains(column),
        });
        let passing = ["cursor", "done", "kept"].map(|name| (name, None));
        let here = address_with(&me.request, &passing);
        let query = here.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        Ok(Self {
            list: list.as_str(),
            all: format!("/{}?{VIEW}={NONE}", list.as_str()),
            is_changed,
            others: pairs.filter(|(name, _)| name != COLUMNS).collect(),
            tabs: views
                .into_iter()
                .map(|view| ViewTab { href: address_of(&view), is_open: Some(view.id) == open, view })
                .collect(),
            columns: columns.collect(),
            query,
        })
    }

    /// The view that is open.
    pub fn open(&self) -> Option<&ViewTab> {
        self.tabs.iter().find(|tab| tab.is_open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::clock::Timestamp;

    #[test]
    fn an_address_says_what_its_view_has() {
        let query = "view=x&q=%E9%9D%92%E7%A9%BA&status=&sort=-name&columns=kana&columns=secret&limit=25&cursor=y&z=1";
        let settings = Settings::of(ListName::Customers, &Fields::parsed(query.as_bytes()));
        let at = Timestamp::from_micros(0);
        let Settings { filter, sort, columns, limit } = settings;
        assert_eq!(filter, Filter::from([("q".to_owned(), "青空".to_owned())]));
        let (id, list) = (Id::nil(), ListName::Customers);
        let view = SavedView {
            id,
            version: 1,
            created_at: at,
            updated_at: at,
            list,
            name: "青空".into(),
            filter,
            sort,
            columns,
            limit,
            is_default: false,
        };
        let address = address_of(&view);
        assert_eq!(
            address,
            format!("/customers?view={id}&q=%E9%9D%92%E7%A9%BA&sort=-name&columns=kana&limit=25")
        );
        let again = Fields::parsed(address.split_once('?').unwrap().1.as_bytes());
        assert!(Settings::of(list, &again).are_of(&view));
        let other = Fields::parsed(format!("{}&status=LEAD", address.split_once('?').unwrap().1).as_bytes());
        assert!(!Settings::of(list, &other).are_of(&view));
    }
}
