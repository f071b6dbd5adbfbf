//! What the pages of records have in common: a list with the form of a new record, a page to read one, and a form to change
//! it.
//!
//! A page says in [`ListPage`], [`EditPage`] and [`RecordPage`] what is its own: the fields of its forms, the rows of its list, the
//! messages that it sends. Its handlers are one line each.

use std::sync::Arc;

use askama::Template;
use serde::de::DeserializeOwned;

use crate::http::console::kit::choice::Source;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::{Form, is_mendable, why};
use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::{Frame, Outcome, html, ok, redirect};
use crate::http::console::kit::merge;
use crate::http::console::kit::once::once;
use crate::http::console::kit::resume::{Again, Sent};
use crate::http::console::kit::return_to::done_at;
use crate::http::console::kit::saved_views;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::error::HttpResult;
use crate::http::extract::PathId;
use domain::lists::ListName;
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::event::Versioned;
use kernel::ids::Id;
use kernel::validation::Rules;

/// Records on the page of a customer whom they are about.
pub const EMBEDDED_ROWS: i64 = 20;

/// How often a change is merged with what others have changed in that moment.
const RACES_MAX: u32 = 3;

/// The form of a new record: its id on the page, where it is sent, and the text on its button.
pub struct NewForm {
    pub id: &'static str,
    pub action: &'static str,
    pub submit: &'static str,
}

/// A list of records with the form of a new one.
pub trait ListPage {
    /// Its entry of the navigation.
    const SECTION: &'static str;
    const NEW: NewForm;
    /// The word of what was done when a record was made.
    const DONE: &'static str;
    type Record;
    /// What the form becomes.
    type New: DeserializeOwned + Rules;
    type View: Template;

    /// The list's filters that are searches.
    const FILTERS: &'static [(&'static str, Source)] = &[];

    /// The list whose views can be saved, if it is one.
    const LIST_NAME: Option<ListName> = None;

    /// The service's rule, for pages that not everybody may open.
    ///
    /// # Errors
    /// `forbidden`.
    fn may_open(_: &Caller) -> Result<(), Error> {
        Ok(())
    }

    /// The form's fields: of a new record, perhaps about a customer, or of one that is there already.
    async fn fields(
        me: &SessionUser,
        f: &Frame,
        record: Option<&Self::Record>,
        customer: Option<Id>,
    ) -> Result<Vec<Field>, Error>;

    /// The page; `form` is a new record's as it was refused.
    async fn view(me: &SessionUser, f: Frame, form: Option<Form>) -> Result<Self::View, Error>;

    /// Sends the new record to its service; answers with its id.
    async fn create(me: &SessionUser, new: Self::New, posted: &Fields, context: Context)
    -> Result<Id, Error>;

    /// The address to go to when the record was made, unless the form names another.
    fn made(id: Id) -> String;

    /// The page after a form was refused, with what can be mended beside it.
    async fn refused(
        me: &SessionUser,
        f: Frame,
        (form, posted): (Form, &Fields),
        error: &Error,
    ) -> Result<Self::View, Error> {
        let form = form.refused(posted, error, &f);
        Self::view(me, f, Some(form)).await
    }
}

/// A page that changes a record.
pub trait EditPage: ListPage<Record: Versioned> {
    /// The form's id on the page.
    const FORM: &'static str;
    /// What the form becomes.
    type Changes: DeserializeOwned + Rules;
    type EditView: Template;

    async fn find(me: &SessionUser, id: Id) -> Result<Arc<Self::Record>, Error>;

    /// Where the form is sent.
    fn action(record: &Self::Record) -> String;

    /// The page with the form.
    async fn view_of(
        me: &SessionUser,
        f: Frame,
        record: &Self::Record,
        form: Form,
    ) -> Result<Self::EditView, Error>;

    /// Sends the changes to the record's service; answers with the address to go to.
    async fn change(
        me: &SessionUser,
        record: &Self::Record,
        changes: Self::Changes,
        context: Context,
    ) -> Result<String, Error>;
}

/// A record with a page to read, on which it is edited in place; it is deleted without a preview.
pub trait RecordPage: EditPage {
    /// The list to go back to.
    const LIST: &str;

    /// The page to read; `problem` is why the record was not deleted.
    async fn page(
        me: &SessionUser,
        f: Frame,
        record: &Self::Record,
        problem: Option<String>,
    ) -> Result<Self::EditView, Error>;

    async fn delete(me: &SessionUser, id: Id, context: Context) -> Result<(), Error>;
}

/// The form of a new record.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn new_form<P: ListPage>(me: &SessionUser, f: &Frame, customer: Option<Id>) -> Result<Form, Error> {
    let NewForm { id, action, submit } = P::NEW;
    Ok(Form::new(id, action, submit, P::fields(me, f, None, customer).await?))
}

/// The form that changes a record.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn edit_form<P: EditPage>(me: &SessionUser, f: &Frame, record: &P::Record) -> Result<Form, Error> {
    let mut fields = P::fields(me, f, Some(record), None).await?;
    // There is room for all of it on a page of its own.
    fields.iter_mut().for_each(|field| field.more = false);
    Ok(Form::new(P::FORM, P::action(record), "submit-save", fields).of_version(record.version()))
}

/// The list.
///
/// # Errors
/// The service's.
pub async fn index<P: ListPage>(me: SessionUser) -> HttpResult {
    P::may_open(&me.caller())?;
    if let Some(address) = search::settled_address(&me, P::FILTERS).await? {
        return Ok(redirect(&address));
    }
    if let Some(list) = P::LIST_NAME
        && let Some(address) = saved_views::default_address(&me, list).await?
    {
        return Ok(redirect(&address));
    }
    let f = me.frame(P::SECTION).await;
    Ok(ok(&P::view(&me, f, None).await?))
}

/// Creates a record, once for each form; what can be mended is shown beside the form.
///
/// # Errors
/// The service's, but for what can be mended.
pub async fn create<P: ListPage>(me: SessionUser, sent: Sent) -> HttpResult {
    P::may_open(&me.caller())?;
    let f = me.frame(P::SECTION).await;
    let mut form = new_form::<P>(&me, &f, None).await?;
    if let Some(again) = sent.again {
        again.show(&mut form, &sent.fields, &f);
        search::name_chosen(&me, &mut form.fields).await?;
        let page = P::view(&me, f, Some(form)).await?;
        return Ok(html(Outcome(again.error().as_ref()), &page));
    }
    let posted = search::settle(&me, &mut form.fields, sent.fields).await?;
    let made = match form.read(&posted, f.zone) {
        Err(error) => Err(error),
        Ok(new) => once(&me, &posted, |context| P::create(&me, new, &posted, context)).await,
    };
    match made {
        Ok(id) => {
            let back = posted.back("back").map_or_else(|| P::made(id), str::to_owned);
            Ok(redirect(&done_at(&back, P::DONE)))
        }
        Err(error) if is_mendable(&error) => {
            form.fill(&posted);
            search::name_chosen(&me, &mut form.fields).await?;
            let page = P::refused(&me, f, (form, &posted), &error).await?;
            Ok(html(Outcome(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}

/// The page to read; `error` is why the record was not deleted.
///
/// # Errors
/// The service's.
pub async fn show<P: RecordPage>(me: SessionUser, id: PathId, error: Option<&Error>) -> HttpResult {
    let record = P::find(&me, id.0).await?;
    let f = me.frame(P::SECTION).await;
    let problem = error.map(|error| why(&f, error));
    Ok(html(Outcome(error), &P::page(&me, f, &record, problem).await?))
}

/// The page with a record's form.
///
/// # Errors
/// The service's.
pub async fn edit<P: EditPage>(me: SessionUser, id: PathId) -> HttpResult {
    P::may_open(&me.caller())?;
    let record = P::find(&me, id.0).await?;
    let f = me.frame(P::SECTION).await;
    let form = edit_form::<P>(&me, &f, &record).await?;
    Ok(ok(&P::view_of(&me, f, &record, form).await?))
}

/// Changes a record. What somebody else has changed meanwhile stays; where both changed a field, the page shows both.
/// What can be mended is shown beside the form.
///
/// # Errors
/// The service's, but for what can be mended.
pub async fn change<P: EditPage>(me: SessionUser, id: PathId, sent: Sent) -> HttpResult {
    P::may_open(&me.caller())?;
    let f = me.frame(P::SECTION).await;
    let mut races = 0;
    loop {
        let found = P::find(&me, id.0).await;
        let record = found.map_err(|error| Again::missing(sent.again, error))?;
        let mut form = edit_form::<P>(&me, &f, &record).await?;
        if let Some(again) = sent.again {
            again.show(&mut form, &sent.fields, &f);
            search::name_chosen(&me, &mut form.fields).await?;
            return Ok(html(Outcome(again.error().as_ref()), &P::view_of(&me, f, &record, form).await?));
        }
        let posted = search::settle(&me, &mut form.fields, sent.fields.clone()).await?;
        let version = record.version();
        let Some(changed) = merge::settled(&form.fields, &posted, version) else {
            form.oppose(&posted, version, &f);
            search::name_chosen(&me, &mut form.fields).await?;
            let stale = Error::new(ErrorCode::StaleVersion);
            return Ok(html(Outcome(Some(&stale)), &P::view_of(&me, f, &record, form).await?));
        };
        let done = match form.read_changes(&posted, f.zone, &changed) {
            Err(error) => Err(error),
            Ok(changes) => P::change(&me, &record, changes, me.context(Some(version))).await,
        };
        match done {
            Ok(address) => return Ok(redirect(&address)),
            Err(error) if error.code == ErrorCode::StaleVersion && races < RACES_MAX => races += 1,
            Err(error) if is_mendable(&error) => {
                let mut form = form.refused(&posted, &error, &f);
                search::name_chosen(&me, &mut form.fields).await?;
                return Ok(html(Outcome(Some(&error)), &P::view_of(&me, f, &record, form).await?));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Deletes a record and goes back to the list; its page is shown again if somebody else has changed the record meanwhile.
///
/// # Errors
/// The service's, but for that.
pub async fn remove<P: RecordPage>(me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    let deleted = once(&me, &posted.0, async |context| {
        P::delete(&me, id.0, context).await?;
        Ok(id.0)
    });
    match deleted.await {
        Ok(_) => Ok(redirect(&format!("{}?done=removed", P::LIST))),
        Err(error) if error.code == ErrorCode::StaleVersion => show::<P>(me, id, Some(&error)).await,
        Err(error) => Err(error.into()),
    }
}
