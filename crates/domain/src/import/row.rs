//! From the cells of a row to what a record is made of, or changed by. Pure.

use chrono_tz::Tz;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::import::fields::{Cell, Field};
use crate::import::mapping::Columns;
use crate::import::record::{ImportKind, Reading, RowFault};
use crate::import::spelling::amount::Written;
use crate::import::spelling::{choice, day, moment, number};
use crate::money::CURRENCY_DEFAULT;
use kernel::error::{Error, FieldError};
use kernel::ids::Id;
use kernel::text_schemas::Line;
use kernel::validation::Validator;

/// The customer whom a row names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CustomerKey {
    Email(String),
    ExternalId(String),
}

/// A row whose cells were read. An empty cell says nothing: it leaves what a record has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParsedRow {
    pub row: i64,
    /// What a body of the API would have, but for those below.
    pub fields: Map<String, Value>,
    /// Of a deal, until its currency is known.
    pub amount: Option<Written>,
    /// The address of the owner or assignee.
    pub user: Option<String>,
    pub customer: Option<CustomerKey>,
    pub external_id: Option<String>,
    /// What is wrong with cells, by field.
    pub faults: Vec<FieldError>,
}

/// Reads the cells of a row.
pub fn parse(number: i64, cells: Vec<String>, columns: &Columns, reading: &Reading) -> ParsedRow {
    let mut row = ParsedRow {
        row: number,
        fields: Map::new(),
        amount: None,
        user: None,
        customer: None,
        external_id: None,
        faults: Vec::new(),
    };
    let zone: Tz = reading.time_zone.parse().unwrap_or(Tz::UTC);
    for (field, cell) in columns.iter().zip(cells) {
        let Some(field) = field.filter(|_| !cell.trim().is_empty()) else { continue };
        if let Err(fault) = take(&mut row, field, cell, reading, zone) {
            row.faults.push(fault);
        }
    }
    row
}

fn take(
    row: &mut ParsedRow,
    field: &Field,
    cell: String,
    reading: &Reading,
    zone: Tz,
) -> Result<(), FieldError> {
    let fault = |code| FieldError::new(field.name, code);
    let invalid = |code| move || FieldError::new(field.name, code);
    let value = match field.cell {
        // The record's own rules say what is wrong with a text.
        Cell::Text => Value::String(cell),
        Cell::Day => day::parse(&cell, reading.date_order).map_err(fault)?.to_string().into(),
        Cell::Moment | Cell::Due => {
            let alone = if field.cell == Cell::Due { moment::LAST } else { moment::FIRST };
            let read = moment::parse(&cell, reading.date_order, zone, alone);
            read.map_err(fault)?.to_string().into()
        }
        Cell::Minutes => number::minutes(&cell).ok_or_else(invalid("invalid_minutes"))?.into(),
        Cell::Percent => number::percent(&cell).ok_or_else(invalid("invalid_percent"))?.into(),
        Cell::Choice(words) => {
            let names = || words.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            let found = choice(words, &cell);
            found.ok_or_else(|| fault("invalid_choice").allowing(names()))?.into()
        }
        Cell::Currency => cell.trim().to_uppercase().into(),
        Cell::Amount => {
            row.amount = Some(Written::parse(&cell, reading.decimal).map_err(fault)?);
            return Ok(());
        }
        Cell::User => {
            row.user = Some(address(field.name, cell)?);
            return Ok(());
        }
        Cell::CustomerEmail => {
            let email = address(field.name, cell)?;
            row.customer.get_or_insert(CustomerKey::Email(email));
            return Ok(());
        }
        Cell::CustomerExternalId => {
            row.customer = Some(CustomerKey::ExternalId(line(field.name, cell)?));
            return Ok(());
        }
        Cell::ExternalId => {
            row.external_id = Some(line(field.name, cell)?);
            return Ok(());
        }
    };
    row.fields.insert(field.name.to_owned(), value);
    Ok(())
}

fn checked(validator: Validator, text: String) -> Result<String, FieldError> {
    match validator.ok(text) {
        Ok(text) => Ok((*text).clone()),
        Err(error) => Err(error.fields.into_iter().next().expect("a fault of the field")),
    }
}

fn address(field: &str, mut text: String) -> Result<String, FieldError> {
    let mut validator = Validator::default();
    validator.email(field, &mut text);
    checked(validator, text)
}

fn line(field: &str, text: String) -> Result<String, FieldError> {
    let (mut validator, mut line) = (Validator::default(), Some(text));
    validator.optional::<Line>(field, &mut line);
    checked(validator, line.unwrap_or_default())
}

impl ParsedRow {
    /// The address of a customer, as it is stored; `None` if it has none that is right.
    pub fn email(&self) -> Option<String> {
        let text = self.fields.get("email")?.as_str()?.to_owned();
        address("email", text).ok()
    }

    /// Sets the amount of a deal, once it is known in which currency the deal is if the row does not say so.
    pub fn settle_amount(&mut self, of_deal: Option<&str>) {
        let Some(written) = self.amount.take() else { return };
        let column = self.fields.get("currency").and_then(Value::as_str);
        if let (Some(column), Some(there)) = (column, &written.currency)
            && column != there
        {
            self.faults.push(FieldError::new("amount", "another_currency"));
            return;
        }
        let currency =
            written.currency.as_deref().or(column).or(of_deal).unwrap_or(CURRENCY_DEFAULT).to_owned();
        match written.minor(&currency) {
            Ok(minor) => {
                self.fields.insert("amount".to_owned(), minor.into());
                if written.currency.is_some() {
                    self.fields.insert("currency".to_owned(), currency.into());
                }
            }
            Err(code) => self.faults.push(FieldError::new("amount", code)),
        }
    }

    /// The name of the field that holds the user.
    pub fn user_field(kind: ImportKind) -> (&'static str, &'static str) {
        match kind {
            ImportKind::Tasks => ("assignee_email", "assignee_id"),
            _ => ("owner_email", "owner_id"),
        }
    }

    /// Sets the user and the customer that were found.
    pub fn settle(&mut self, kind: ImportKind, user: Option<Id>, customer: Option<Id>) {
        let user = user.map(|user| (Self::user_field(kind).1, user));
        for (field, id) in user.into_iter().chain(customer.map(|customer| ("customer_id", customer))) {
            self.fields.insert(field.to_owned(), id.to_string().into());
        }
    }

    /// The fields that a new record needs and the row does not give, as faults.
    pub fn missing(&self, kind: ImportKind) -> Vec<FieldError> {
        let needs_customer =
            matches!(kind, ImportKind::Meetings | ImportKind::Deals) && self.customer.is_none();
        let is_told = |field: &Field| {
            self.fields.contains_key(field.name)
                || self.faults.iter().any(|fault| fault.field == field.name)
                || (field.cell == Cell::Amount && self.amount.is_some())
        };
        let is_missing = |field: &&Field| field.is_required && !is_told(field);
        let fields = kind.fields().iter().filter(is_missing).map(|field| field.name);
        let is_faulty = self.faults.iter().any(|fault| fault.field.starts_with("customer"));
        let customer = (needs_customer && !is_faulty).then_some("customer_email");
        customer.into_iter().chain(fields).map(|field| FieldError::new(field, "required")).collect()
    }
}

/// The body of a request that would make a record of fields, or set them.
///
/// # Errors
/// `internal_error`: a field is missing, or has another shape than its record's.
pub fn body<B: DeserializeOwned>(fields: &Map<String, Value>) -> Result<B, Error> {
    serde_json::from_value(Value::Object(fields.clone())).map_err(Error::internal)
}

/// The field of an import that a field of a body comes from.
pub fn field_of(kind: ImportKind, name: &str) -> String {
    let (user, user_id) = ParsedRow::user_field(kind);
    match name {
        "customer_id" => "customer_email".to_owned(),
        name if name == user_id => user.to_owned(),
        name => name.to_owned(),
    }
}

/// The faults of a row, with the columns that they are about.
pub fn faults(number: i64, faults: Vec<FieldError>, columns: &Columns, headers: &[String]) -> Vec<RowFault> {
    let column = |name: &str| {
        let place = columns.iter().position(|field| field.is_some_and(|field| field.name == name))?;
        Some(headers[place].as_str())
    };
    // A customer may be named by one of two columns.
    let of = |fault: &FieldError| match fault.field.as_str() {
        "customer_email" => column("customer_email").or_else(|| column("customer_external_id")),
        name => column(name),
    };
    faults.into_iter().map(|fault| RowFault::of(number, of(&fault), fault)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::customer::record::NewCustomer;
    use crate::deal::record::NewDeal;
    use crate::import::mapping::{automatic, columns};
    use crate::import::record::{DateOrder, DecimalMark, MatchOn};
    use crate::task::record::NewTask;
    use kernel::ids::new_id;

    fn row(kind: ImportKind, cells: &[(&str, &str)]) -> ParsedRow {
        let headers: Vec<String> = cells.iter().map(|(header, _)| (*header).to_owned()).collect();
        let reading = Reading {
            mapping: BTreeMap::new(),
            match_on: MatchOn::ExternalId,
            date_order: DateOrder::Ymd,
            decimal: DecimalMark::Point,
            time_zone: "Asia/Tokyo".into(),
        };
        let columns = columns(kind, &headers, &automatic(kind, &headers));
        parse(2, cells.iter().map(|(_, cell)| (*cell).to_owned()).collect(), &columns, &reading)
    }

    fn codes(faults: &[FieldError]) -> Vec<(&str, &str)> {
        faults.iter().map(|fault| (fault.field.as_str(), &*fault.code)).collect()
    }

    #[test]
    fn a_customer_is_made_of_its_cells_and_empty_ones_say_nothing() {
        let row = row(
            ImportKind::Customers,
            &[
                ("氏名", "佐藤 花子"),
                ("状態", "取引中"),
                ("メール", " "),
                ("担当", "Ann@Example.com"),
                ("管理番号", " C-1 "),
            ],
        );
        assert_eq!(codes(&row.faults), []);
        assert_eq!((row.user.as_deref(), row.external_id.as_deref()), (Some("ann@example.com"), Some("C-1")));
        let new: NewCustomer = body(&row.fields).unwrap();
        assert_eq!(
            (new.name.as_str(), new.email, new.status.map(|it| it.as_str())),
            ("佐藤 花子", None, Some("ACTIVE"))
        );
    }

    #[test]
    fn a_task_is_due_at_the_end_of_its_day() {
        let row = row(ImportKind::Tasks, &[("件名", "電話"), ("期限", "2026/11/5"), ("状態", "済")]);
        let new: NewTask = body(&row.fields).unwrap();
        assert_eq!(new.due_at.to_string(), "2026-11-05T14:59:00.000000Z");
    }

    #[test]
    fn an_amount_is_in_the_currency_of_its_row_else_of_its_deal_else_in_yen() {
        let amount = |cells: &[(&str, &str)], of_deal| {
            let mut row = row(ImportKind::Deals, cells);
            row.settle(ImportKind::Deals, None, Some(new_id()));
            row.settle_amount(of_deal);
            let faults = codes(&row.faults).iter().map(|(_, code)| (*code).to_owned()).collect::<Vec<_>>();
            (row.fields.get("amount").and_then(Value::as_i64), faults)
        };
        assert_eq!(amount(&[("金額", "1,200")], None), (Some(1_200), vec![]));
        assert_eq!(amount(&[("金額", "1,200")], Some("USD")), (Some(120_000), vec![]));
        assert_eq!(amount(&[("金額", "1,200.50"), ("通貨", "usd")], None), (Some(120_050), vec![]));
        assert_eq!(amount(&[("金額", "$1,200.50")], Some("EUR")), (Some(120_050), vec![]));
        assert_eq!(amount(&[("金額", "$1"), ("通貨", "EUR")], None), (None, vec!["another_currency".into()]));
        assert_eq!(amount(&[("金額", "0.5")], None), (None, vec!["too_many_decimals".into()]));
    }

    #[test]
    fn a_deal_needs_title_amount_and_customer() {
        let deal = row(ImportKind::Deals, &[("通貨", "USD")]);
        let missing = deal.missing(ImportKind::Deals);
        assert_eq!(
            codes(&missing),
            [("customer_email", "required"), ("title", "required"), ("amount", "required")]
        );
        let mut deal = row(ImportKind::Deals, &[("案件名", "機械"), ("金額", "100"), ("顧客ID", "K-1")]);
        assert_eq!(deal.missing(ImportKind::Deals), []);
        deal.settle(ImportKind::Deals, None, Some(new_id()));
        deal.settle_amount(None);
        assert_eq!(body::<NewDeal>(&deal.fields).unwrap().amount.0, 100);
    }

    #[test]
    fn what_is_wrong_with_a_cell_is_told_once() {
        let task = row(
            ImportKind::Tasks,
            &[("件名", "電話"), ("期限", "11/5/2026"), ("状態", "？"), ("担当", "ann")],
        );
        assert_eq!(
            codes(&task.faults),
            [
                ("due_at", "date_order_needed"),
                ("status", "invalid_choice"),
                ("assignee_email", "invalid_email")
            ]
        );
        assert_eq!(task.missing(ImportKind::Tasks), []);
    }
}
