//! The rules of saved views. Pure.

use serde_json::value::RawValue;

use crate::events as catalogue;
use crate::lists::ListName;
use crate::saved_view::record::{Filter, NewView, SavedView, UserViews, ViewChanges};
use kernel::clock::Timestamp;
use kernel::context::Versions;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use kernel::ids::Id;
use kernel::page::sort_named;
use kernel::text_key::key;
use kernel::text_schemas::Name;
use kernel::validation::{Checked, Rules, Validator, faults_of};

/// The most views of a user, of all lists together.
pub const VIEWS_MAX: usize = 50;
/// The most characters of a filter's value: those of the longest parameter.
const VALUE_MAX: usize = 200;
/// The most columns that a view may name: more than any list has.
const COLUMNS_MAX: usize = 20;
/// The most rows of a page (SPEC §2).
const LIMIT_MAX: i64 = 200;

/// The commands of a user's views.
#[derive(Debug)]
pub enum ViewsCommand {
    /// `id` is the new view's.
    Save {
        id: Id,
        view: Checked<NewView>,
    },
    Change {
        id: Id,
        changes: Checked<ViewChanges>,
        if_match: Option<Versions>,
    },
    Remove {
        id: Id,
        if_match: Option<Versions>,
    },
}

/// A user's views after a change. It is not logged: it is nobody else's.
#[derive(Debug)]
pub struct ViewsChanged(pub UserViews);

/// Checks a view to save.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(mut view: NewView) -> Result<Checked<NewView>, Error> {
    let mut validator = Validator::default();
    validator.required::<Name>("name", &mut view.name);
    let mut faults =
        settings_faults(view.list, Some(&view.filter), Some(&view.columns), view.sort.as_deref());
    check_limit(&mut validator, view.limit);
    match (validator.ok(view), faults.is_empty()) {
        (Ok(view), true) => Ok(view),
        (Ok(_), false) => Err(Error::fields(faults)),
        (Err(error), _) => {
            faults.splice(0..0, error.fields);
            Err(Error::fields(faults))
        }
    }
}

/// Checks changes of a view, as far as that is possible without knowing the list.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_changes(mut changes: ViewChanges) -> Result<Checked<ViewChanges>, Error> {
    let mut validator = Validator::default();
    validator.required::<Name>("name", &mut changes.name);
    check_limit(&mut validator, changes.limit.flatten());
    validator.ok(changes)
}

fn check_limit(validator: &mut Validator, limit: Option<i64>) {
    if let Some(limit) = limit {
        validator.range("limit", limit, 1, LIMIT_MAX);
    }
}

/// What is wrong with the settings of a view, which must be those of its list.
fn settings_faults(
    list: ListName,
    filter: Option<&Filter>,
    columns: Option<&Vec<String>>,
    sort: Option<&str>,
) -> Vec<FieldError> {
    let mut faults = Vec::new();
    for (name, value) in filter.into_iter().flatten() {
        match list.filters().iter().find(|known| known.name == name) {
            None => faults.push(FieldError::new(format!("filter.{}", shortened(name)), "unknown_field")),
            Some(known) => {
                let fault = known.fault(value, VALUE_MAX);
                faults.extend(fault.map(|code| FieldError::new(format!("filter.{name}"), code)));
            }
        }
    }
    if let Some(columns) = columns {
        let is_known = |name: &String| list.columns().iter().any(|column| column.name == name);
        let is_twice = |place: usize, name: &String| columns[..place].contains(name);
        if columns.len() > COLUMNS_MAX {
            faults.push(FieldError::limit("columns", "too_many", COLUMNS_MAX as i64));
        } else if columns.iter().enumerate().any(|(place, name)| !is_known(name) || is_twice(place, name)) {
            let allowed: Vec<&str> = list.columns().iter().map(|column| column.name).collect();
            faults.push(FieldError::new("columns", "invalid_choice").allowing(allowed.join(", ")));
        }
    }
    if let Some(sort) = sort
        && sort_named(list.sorts(), sort).is_none()
    {
        let allowed: Vec<&str> = list.sorts().iter().map(|sort| sort.name).collect();
        faults.push(FieldError::new("sort", "invalid_choice").allowing(allowed.join(", ")));
    }
    faults
}

/// A name as an answer may repeat it.
fn shortened(name: &str) -> String {
    name.chars().take(40).collect()
}

/// The change that a command leads to; none if it changes nothing. `state` is the user's, whose id is `user`.
///
/// # Errors
/// `not_found`, `stale_version`, `too_many_views`, `invalid_fields`: the name is taken, or the list has no such setting.
pub fn decide(
    state: Option<&UserViews>,
    command: &ViewsCommand,
    user: Id,
    now: Timestamp,
) -> Result<Vec<ViewsChanged>, Error> {
    let none = || UserViews { id: user, version: 0, views: Vec::new() };
    let before = state.cloned().unwrap_or_else(none);
    let mut after = UserViews { version: before.version + 1, ..before };
    match command {
        ViewsCommand::Save { id, view } => after.save(*id, view, now)?,
        ViewsCommand::Change { id, changes, if_match } => {
            after.change(*id, changes, if_match.as_ref(), now)?;
            if state.is_some_and(|state| state.views == after.views) {
                return Ok(Vec::new());
            }
        }
        ViewsCommand::Remove { id, if_match } => {
            let place = after.place(*id, if_match.as_ref())?;
            after.views.remove(place);
        }
    }
    Ok(vec![ViewsChanged(after)])
}

impl UserViews {
    fn place(&self, id: Id, if_match: Option<&Versions>) -> Result<usize, Error> {
        let place = self.views.iter().position(|view| view.id == id);
        let place = place.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        match if_match {
            Some(Versions(wanted)) if !wanted.contains(&self.views[place].version) => {
                Err(Error::new(ErrorCode::StaleVersion))
            }
            _ => Ok(place),
        }
    }

    fn save(&mut self, id: Id, new: &NewView, now: Timestamp) -> Result<(), Error> {
        if self.views.len() >= VIEWS_MAX {
            return Err(Error::new(ErrorCode::TooManyViews));
        }
        self.check_name(new.list, &new.name, id)?;
        let NewView { list, name, filter, sort, columns, limit, is_default } = new.clone();
        let (version, created_at, updated_at) = (self.version, now, now);
        self.views.push(SavedView {
            id,
            version,
            created_at,
            updated_at,
            list,
            name,
            filter,
            sort,
            columns,
            limit,
            is_default,
        });
        self.leave_one_default(list, id, now);
        Ok(())
    }

    fn change(
        &mut self,
        id: Id,
        changes: &ViewChanges,
        if_match: Option<&Versions>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let place = self.place(id, if_match)?;
        let list = self.views[place].list;
        let ViewChanges { name, filter, sort, columns, limit, is_default } = changes.clone();
        let faults = settings_faults(
            list,
            filter.as_ref(),
            columns.as_ref(),
            sort.as_ref().and_then(Option::as_deref),
        );
        if !faults.is_empty() {
            return Err(Error::fields(faults));
        }
        if let Some(name) = &name {
            self.check_name(list, name, id)?;
        }
        let view = &mut self.views[place];
        let before = view.clone();
        view.name = name.unwrap_or_else(|| before.name.clone());
        view.filter = filter.unwrap_or_else(|| before.filter.clone());
        view.sort = sort.unwrap_or_else(|| before.sort.clone());
        view.columns = columns.unwrap_or_else(|| before.columns.clone());
        view.limit = limit.unwrap_or(before.limit);
        view.is_default = is_default.unwrap_or(before.is_default);
        if *view != before {
            (view.version, view.updated_at) = (self.version, now);
            self.leave_one_default(list, id, now);
        }
        Ok(())
    }

    /// No two views of a list have the same name, whatever its case and width.
    fn check_name(&self, list: ListName, name: &str, except: Id) -> Result<(), Error> {
        let name = key(name);
        let is_taken = |view: &SavedView| view.list == list && view.id != except && key(&view.name) == name;
        if self.views.iter().any(is_taken) { Err(Error::field("name", "name_taken")) } else { Ok(()) }
    }

    /// If the view is the default of its list, no other is.
    fn leave_one_default(&mut self, list: ListName, id: Id, now: Timestamp) {
        if !self.views.iter().any(|view| view.id == id && view.is_default) {
            return;
        }
        for view in self.views.iter_mut().filter(|view| view.list == list && view.id != id && view.is_default)
        {
            view.is_default = false;
            (view.version, view.updated_at) = (self.version, now);
        }
    }
}

impl Rules for NewView {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_new(self))
    }
}

impl Rules for ViewChanges {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_changes(self))
    }
}

impl StateAfter for ViewsChanged {
    type State = UserViews;

    fn after(&self) -> &UserViews {
        &self.0
    }
}

// The trait wants a type; none of these is logged.
impl DomainEvent for ViewsChanged {
    fn event_type(&self) -> EventType {
        catalogue::USER_UPDATED
    }

    fn data(&self) -> Box<RawValue> {
        raw(&serde_json::Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn new(list: ListName, name: &str) -> NewView {
        NewView {
            list,
            name: name.into(),
            filter: Filter::new(),
            sort: None,
            columns: Vec::new(),
            limit: None,
            is_default: false,
        }
    }

    fn after(state: Option<&UserViews>, command: ViewsCommand) -> Result<UserViews, Error> {
        let changed = decide(state, &command, Id::nil(), at(1))?;
        Ok(changed.into_iter().next().map_or_else(|| state.cloned().expect("a state"), |after| after.0))
    }

    fn saved(state: Option<&UserViews>, view: NewView) -> Result<UserViews, Error> {
        after(state, ViewsCommand::Save { id: new_id(), view: check_new(view)? })
    }

    fn codes(result: Result<impl std::fmt::Debug, Error>) -> Vec<(String, String)> {
        let fields = result.unwrap_err().fields;
        fields.into_iter().map(|fault| (fault.field, fault.code.into_owned())).collect()
    }

    #[test]
    fn a_view_has_settings_of_its_list_alone() {
        let filter = |pairs: &[(&str, &str)]| -> Filter {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let right = NewView {
            filter: filter(&[
                ("status", "ACTIVE"),
                ("q", "青空"),
                ("owner_id", "0198c0de-0000-7000-8000-000000000000"),
                ("created_from", "2026-01-01T00:00:00Z"),
            ]),
            sort: Some("-name".into()),
            columns: vec!["kana".into(), "name".into()],
            limit: Some(100),
            ..new(ListName::Customers, " 青空の担当 ")
        };
        assert_eq!(check_new(right).unwrap().name, "青空の担当");
        let wrong = NewView {
            filter: filter(&[("status", "OPEN"), ("due_before", "x"), ("owner_id", "me"), ("q", "\0")]),
            sort: Some("due_at".into()),
            columns: vec!["password".into()],
            limit: Some(201),
            ..new(ListName::Customers, "")
        };
        let pair = |field: &str, code: &str| (field.to_owned(), code.to_owned());
        assert_eq!(
            codes(check_new(wrong)),
            [
                pair("name", "required"),
                pair("limit", "too_large"),
                pair("filter.due_before", "unknown_field"),
                pair("filter.owner_id", "invalid_value"),
                pair("filter.q", "nul_character"),
                pair("filter.status", "invalid_choice"),
                pair("columns", "invalid_choice"),
                pair("sort", "invalid_choice"),
            ]
        );
        let twice = NewView { columns: vec!["kana".into(), "kana".into()], ..new(ListName::Customers, "a") };
        assert_eq!(codes(check_new(twice)), [pair("columns", "invalid_choice")]);
    }

    #[test]
    fn names_are_unlike_in_a_list_and_views_are_bounded() {
        let mut views = saved(None, new(ListName::Tasks, "今週")).unwrap();
        assert_eq!(
            codes(saved(Some(&views), new(ListName::Tasks, "今週"))),
            [("name".into(), "name_taken".into())]
        );
        for n in 1..VIEWS_MAX {
            views = saved(Some(&views), new(ListName::Customers, &format!("{n}"))).unwrap();
        }
        assert_eq!((views.version, views.views.len()), (50, VIEWS_MAX));
        assert_eq!(saved(Some(&views), new(ListName::Tasks, "x")).unwrap_err().code, ErrorCode::TooManyViews);
    }

    #[test]
    fn a_list_has_one_default_at_most() {
        let of = |list, name: &str| NewView { is_default: true, ..new(list, name) };
        let views = saved(None, of(ListName::Tasks, "a")).unwrap();
        let views = saved(Some(&views), of(ListName::Customers, "b")).unwrap();
        let views = saved(Some(&views), of(ListName::Tasks, "c")).unwrap();
        let defaults = |views: &UserViews| -> Vec<String> {
            views.views.iter().filter(|view| view.is_default).map(|view| view.name.clone()).collect()
        };
        assert_eq!(defaults(&views), ["b", "c"]);
        assert_eq!(views.views[0].version, 3, "it has changed, too");
        let set = |id, is_default| {
            let changes =
                check_changes(ViewChanges { is_default: Some(is_default), ..ViewChanges::default() });
            ViewsCommand::Change { id, changes: changes.unwrap(), if_match: None }
        };
        let back = after(Some(&views), set(views.views[0].id, true)).unwrap();
        assert_eq!(defaults(&back), ["a", "b"]);
        assert_eq!(defaults(&after(Some(&back), set(back.views[0].id, false)).unwrap()), ["b"]);
    }

    #[test]
    fn a_view_is_changed_and_removed_as_it_was_read() {
        let views = saved(None, new(ListName::Tasks, "今週")).unwrap();
        let id = views.views[0].id;
        let change = |changes: ViewChanges, version: i64| {
            let changes = check_changes(changes).unwrap();
            after(Some(&views), ViewsCommand::Change { id, changes, if_match: Some(version.into()) })
        };
        let sort = || ViewChanges { sort: Some(Some("-due_at".into())), ..ViewChanges::default() };
        assert_eq!(change(sort(), 7).unwrap_err().code, ErrorCode::StaleVersion);
        let changed = change(sort(), 1).unwrap();
        assert_eq!((changed.views[0].version, changed.views[0].sort.as_deref()), (2, Some("-due_at")));
        assert_eq!(change(ViewChanges::default(), 1).unwrap(), views, "nothing changes");
        let wrong = ViewChanges { sort: Some(Some("name".into())), ..ViewChanges::default() };
        assert_eq!(codes(change(wrong, 1)), [("sort".into(), "invalid_choice".into())]);
        let removed = after(Some(&views), ViewsCommand::Remove { id, if_match: None }).unwrap();
        assert_eq!(removed.views, []);
        let missing = ViewsCommand::Remove { id: new_id(), if_match: None };
        assert_eq!(after(Some(&views), missing).unwrap_err().code, ErrorCode::NotFound);
    }
}
