//! `/customers/{id}/merge`: another customer goes into this one. It is chosen first, then both are compared field by field, then it
//! is done.

use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;
use serde_json::{Value, json};

use crate::http::console::kit::choice::Source;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::{is_mendable, why_each};
use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::{Frame, Outcome, html, redirect};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::{Names, References};
use crate::http::console::kit::once::once;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::pages::sagas::counted;
use crate::http::error::HttpResult;
use crate::http::extract::PathId;
use crate::http::state::Gateway;
use domain::customer::merge::{Merge, MergeChoice, MergeCustomers, MergedField, PreviewMerge, Side};
use domain::customer::record::Customer;
use kernel::error::Error;
use kernel::ids::Id;

/// The fields of which one value is kept, as the form names them.
const FIELDS: [&str; 8] = ["name", "kana", "email", "phone", "company", "status", "notes", "owner_id"];

/// A field of both customers, for people.
struct Compared {
    field: &'static str,
    label: String,
    this: String,
    other: String,
    /// Whether the other one's value is kept.
    takes_other: bool,
    /// Whether both have the same.
    is_same: bool,
}

/// Two customers side by side.
struct Pair {
    other: Customer,
    fields: Vec<Compared>,
    /// What moves: a kind and how many.
    counts: Vec<(String, i64)>,
}

#[derive(Template)]
#[template(path = "merge.html")]
struct MergePage {
    f: Frame,
    customer: Customer,
    /// The choice of the other one.
    choice: Field,
    pair: Option<Pair>,
    problem: Option<String>,
}

fn shown(f: &Frame, names: &Names, field: &str, value: &Value) -> String {
    match value.as_str() {
        None => f.t("merge-empty"),
        Some(status) if field == "status" => f.word("status", status),
        Some(owner) if field == "owner_id" => {
            Id::parse(owner).map(|id| names.user(f, id)).unwrap_or_default()
        }
        Some(text) => text.to_owned(),
    }
}

fn compared(f: &Frame, names: &Names, field: &MergedField) -> Compared {
    Compared {
        field: field.field,
        label: f.word("label", &field.field.replace('_', "-")),
        this: shown(f, names, field.field, &field.this),
        other: shown(f, names, field.field, &field.other),
        takes_other: field.keep == Side::Other,
        is_same: field.this == field.other,
    }
}

async fn pair(gateway: &Gateway, me: &SessionUser, f: &Frame, of: (&Customer, Merge)) -> Result<Pair, Error> {
    let (this, merge) = of;
    let other = (*gateway.customers.find(me.caller(), merge.other_id).await?).clone();
    let preview = PreviewMerge { id: this.id, merge, caller: me.caller() };
    let preview = gateway.sagas.ask(preview).await?;
    let names = References::default().users([this.owner_id, other.owner_id]);
    let names = lookups::load(gateway, me.caller(), names).await?;
    let fields = preview.fields.iter().map(|field| compared(f, &names, field)).collect();
    Ok(Pair { fields, counts: counted(&preview.counts), other })
}

async fn page(
    gateway: &Gateway,
    me: &SessionUser,
    id: Id,
    (choice, merge): (Field, Option<Merge>),
    error: Option<&Error>,
) -> HttpResult {
    let customer = (*gateway.customers.find(me.caller(), id).await?).clone();
    let f = me.frame("customers").await;
    let (mut pair_of, mut problem) = (None, error.map(|error| why_each(&f, error)));
    if let Some(merge) = merge {
        match pair(gateway, me, &f, (&customer, merge)).await {
            Ok(pair) => pair_of = Some(pair),
            Err(error) if is_mendable(&error) => problem = problem.or_else(|| Some(why_each(&f, &error))),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(html(Outcome(error), &MergePage { f, customer, choice, pair: pair_of, problem }))
}

fn choice() -> Field {
    Field::search("other_id", Source::Customers).required()
}

#[get("/customers/{id}/merge")]
pub async fn compare(
    gateway: Data<Gateway>,
    request: HttpRequest,
    me: SessionUser,
    id: PathId,
) -> HttpResult {
    let mut fields = [choice()];
    let given = Fields::parsed(request.query_string().as_bytes());
    let given = search::settle(&me, &mut fields, given).await?;
    let [mut field] = fields;
    let other = given.id("other_id");
    field.value = other.map(|id| id.to_string()).unwrap_or_default();
    let mut fields = [field];
    search::name_chosen(&me, &mut fields).await?;
    let [field] = fields;
    let merge = other.map(|other_id| Merge { other_id, keep: MergeChoice::default() });
    page(&gateway, &me, id.0, (field, merge), None).await
}

/// The choices of a form.
fn chosen(posted: &Fields) -> Result<Merge, Error> {
    let other_id = posted.id("other_id").ok_or_else(|| Error::field("other_id", "required"))?;
    let sides = FIELDS.into_iter().filter_map(|field| {
        let side = posted.get(field).filter(|side| ["this", "other"].contains(side))?;
        Some((field.to_owned(), json!(side)))
    });
    let keep = serde_json::from_value(Value::Object(sides.collect())).map_err(Error::internal)?;
    Ok(Merge { other_id, keep })
}

#[post("/customers/{id}/merge")]
pub async fn join(gateway: Data<Gateway>, me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    let (id, posted) = (id.0, posted.0);
    let wanted = chosen(&posted)?;
    let begun = once(&me, &posted, |context| {
        let merge = MergeCustomers { id, merge: wanted.clone(), context };
        gateway.customers.service.ask(merge)
    });
    match begun.await {
        Ok(_) => Ok(redirect(&format!("/customers/{id}?done=merged"))),
        Err(error) if is_mendable(&error) => {
            let mut fields = [choice()];
            fields[0].value = wanted.other_id.to_string();
            search::name_chosen(&me, &mut fields).await?;
            let [field] = fields;
            page(&gateway, &me, id, (field, Some(wanted)), Some(&error)).await
        }
        Err(error) => Err(error.into()),
    }
}
