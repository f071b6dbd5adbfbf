//! `/imports`: the imports of files, and the form that uploads one.

use std::cell::Cell;

use actix_web::web::Payload;
use actix_web::{get, post};
use askama::Template;
use serde::Deserialize;

use crate::actors::uploads::Purpose;
use crate::http::console::kit::form::why;
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::{Frame, Outcome, html, ok, redirect};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::once::once;
use crate::http::console::kit::session::{FormOf, form_of};
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::list_params;
use crate::http::error::HttpResult;
use crate::http::paging;
use crate::http::problem::FieldProblem;
use crate::http::uploads;
use crate::http::uploads::{Received, receive};
use domain::import::form::{ENCODINGS, ImportForm};
use domain::import::messages::{IMPORTS_NEWEST_FIRST, ListImports};
use domain::import::record::{Import, ImportKind};
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};

/// What an address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct ImportsParams {
    /// The kind that the form offers first.
    #[serde(default)]
    kind: Option<ImportKind>,
    #[serde(default)]
    limit: Option<i64>,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "what was done just now is said by the frame")]
    done: Option<String>,
}

struct ImportLine {
    import: Import,
    by: String,
}

#[derive(Template)]
#[template(path = "imports.html")]
struct ImportsPage {
    f: Frame,
    rows: Vec<ImportLine>,
    pager: Pager,
    kinds: &'static [ImportKind],
    encodings: [&'static str; 4],
    /// What the form says.
    kind: ImportKind,
    encoding: String,
    /// Why the file was not taken.
    problem: Option<String>,
    /// The most bytes of a file.
    most: i64,
}

async fn page(me: &SessionUser, params: ImportsParams) -> Result<ImportsPage, Error> {
    let f = me.frame("imports").await;
    let fits = |keyset: &_| IMPORTS_NEWEST_FIRST.fits(keyset);
    let page = paging::request(params.limit, params.cursor.as_deref(), None, fits)?;
    let is_first = page.is_first();
    let page = me.gateway.customers.service.ask(ListImports { caller: me.caller(), page }).await?;
    let pager = Pager::of(&me.request, is_first, &page);
    let references = References::default().users(page.items.iter().map(|import| import.created_by));
    let names = lookups::load(&me.gateway, me.caller(), references).await?;
    let line = |import: Import| ImportLine { by: names.user(&f, import.created_by), import };
    Ok(ImportsPage {
        rows: page.items.into_iter().map(line).collect(),
        pager,
        kinds: ImportKind::ALL,
        encodings: ENCODINGS,
        kind: params.kind.unwrap_or(ImportKind::Customers),
        encoding: String::new(),
        problem: None,
        most: Purpose::Import.size_max(),
        f,
    })
}

#[get("/imports")]
pub async fn index(me: SessionUser) -> HttpResult {
    let (params, _): (ImportsParams, _) = list_params(&me.request)?;
    Ok(ok(&page(&me, params).await?))
}

/// Uploads a file, once for each form, and shows what would become of its rows.
#[post("/imports")]
pub async fn submit(me: SessionUser, payload: Payload) -> HttpResult {
    let mut typed = Fields::default();
    match uploaded(&me, payload, &mut typed).await {
        Ok(import) => Ok(redirect(&format!("/imports/{import}"))),
        Err(error) if is_of_file(&error) => {
            let kind = typed.get("kind").and_then(ImportKind::parse);
            let mut page = page(&me, ImportsParams { kind, ..ImportsParams::default() }).await?;
            typed.get("encoding").unwrap_or_default().clone_into(&mut page.encoding);
            page.problem = Some(said(&page.f, &error));
            Ok(html(Outcome(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}

async fn uploaded(me: &SessionUser, payload: Payload, typed: &mut Fields) -> Result<Id, Error> {
    let caller = me.caller();
    // The form's token stands before its file.
    let is_ours = |fields: &[(String, String)]| {
        let fields: Fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match form_of(&me.gateway, fields.token(), &caller) {
            FormOf::ThisSession => Ok(()),
            FormOf::OtherSession | FormOf::Nobody => Err(Error::new(ErrorCode::Forbidden)),
        }
    };
    let receiver = (Purpose::Import, new_id());
    let Received { fields, upload } =
        receive(&me.request, payload.into_inner(), &caller, receiver, is_ours).await?;
    let fields: Fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    *typed = fields.clone();
    let said: Vec<_> = fields.said().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let is_kept = Cell::new(false);
    let made = match ImportForm::of(&said) {
        Ok(form) => {
            let fields = fields.with("file", format!("{} {}", upload.sha256, upload.name));
            once(me, &fields, async |context| {
                let zone = &me.user().time_zone;
                let import = me.gateway.imports.create(&upload, &form, zone, context).await?;
                is_kept.set(true);
                Ok(import.id)
            })
            .await
        }
        Err(error) => Err(error),
    };
    if !is_kept.get() {
        uploads::give_up(&me.gateway, upload.id).await;
    }
    made
}

/// Whether an error is about the file, so that another one may do.
fn is_of_file(error: &Error) -> bool {
    matches!(error.code, ErrorCode::InvalidFields | ErrorCode::ImportTooLarge)
}

/// What was wrong with the file.
fn said(f: &Frame, error: &Error) -> String {
    match error.fields.first() {
        Some(fault) => FieldProblem::message(fault, f.locale),
        None => why(f, error),
    }
}
