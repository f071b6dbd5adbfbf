//! The messages about imports.

use super::*;
use domain::changes::FieldChange;
use domain::import::messages as imports;
use domain::import::record::{
    DateOrder, DecimalMark, Import, ImportCounts, ImportKind, ImportRow, ImportStatus, MatchOn, Reading,
    RowFault, RowOutcome, Staged,
};
use domain::import::row::{CustomerKey, ParsedRow};
use domain::import::rules::Found;
use domain::import::spelling::amount::Written;
use kernel::error::FieldError;
use serde_json::{Map, Value, json};

fn fields() -> Map<String, Value> {
    json!({"name": TEXT, "amount": 5, "notes": null}).as_object().expect("an object").clone()
}

fn fault() -> RowFault {
    RowFault::of(7, Some(TEXT), FieldError::limit("name", "too_long", 200).allowing(TEXT))
}

fn change() -> FieldChange {
    FieldChange { field: "name".into(), from: Value::Null, to: json!(TEXT) }
}

fn row() -> ImportRow {
    let (changes, faults) = (vec![change()], vec![fault()]);
    ImportRow { row: 7, outcome: RowOutcome::Wrong, record_id: Some(new_id()), changes, faults }
}

fn found() -> Found {
    Found {
        format: "csv".into(),
        encoding: Some("Shift_JIS".into()),
        headers: vec![TEXT.into()],
        reading: Reading {
            mapping: BTreeMap::from([(TEXT.to_owned(), "name".to_owned())]),
            match_on: MatchOn::Email,
            date_order: DateOrder::Dmy,
            decimal: DecimalMark::Comma,
            time_zone: "Asia/Tokyo".into(),
        },
        counts: ImportCounts { new: 1, changed: 2, same: 3, wrong: 4 },
        faults: vec![fault()],
        staged: Staged { saga: new_id(), batches: 3, by: caller() },
    }
}

fn import() -> Import {
    let Found { format, encoding, headers, reading, counts, faults, staged } = found();
    Import {
        id: new_id(),
        version: 3,
        created_at: moment(),
        updated_at: moment(),
        created_by: new_id(),
        kind: ImportKind::Deals,
        file_name: TEXT.into(),
        format,
        encoding,
        headers,
        reading,
        status: ImportStatus::Committing,
        counts,
        faults,
        saga: Some(new_id()),
        staged,
    }
}

fn work() -> imports::RowWork {
    imports::RowWork { row: 7, id: new_id(), is_new: true, fields: fields(), external_id: Some(TEXT.into()) }
}

/// What every service that keeps records is asked.
pub fn rows<D: Hosted>(tried: &mut Tried<D>)
where
    imports::CheckRows: Call<D, Answer = Vec<imports::CheckedRow>>,
    imports::StageRows: Call<D, Answer = ()>,
    imports::DropRows: Call<D, Answer = ()>,
{
    let written =
        Written { is_negative: true, digits: "12050".into(), decimals: 2, currency: Some("USD".into()) };
    let parsed = |customer| ParsedRow {
        row: 7,
        fields: fields(),
        amount: Some(written.clone()),
        user: Some(TEXT.into()),
        customer: Some(customer),
        external_id: Some(TEXT.into()),
        faults: vec![FieldError::new("name", "required")],
    };
    let rows = vec![parsed(CustomerKey::Email(TEXT.into())), parsed(CustomerKey::ExternalId(TEXT.into()))];
    let check =
        imports::CheckRows { kind: ImportKind::Tasks, match_on: MatchOn::ExternalId, rows, caller: caller() };
    let checked = imports::CheckedRow {
        row: 7,
        outcome: RowOutcome::Changed,
        record_id: Some(new_id()),
        changes: vec![change()],
        faults: vec![FieldError::new("name", "required")],
        work: Some(work()),
    };
    tried.call(check, [vec![checked]]);
    let (kind, saga) = (ImportKind::Tasks, new_id());
    tried.call(imports::StageRows { kind, saga, number: 4, rows: vec![work()], context: context() }, [()]);
    tried.call(imports::DropRows { saga, context: context() }, [()]);
}

pub fn of_customers(tried: &mut Tried<CustomerService>) {
    let answers = || [Arc::new(import())];
    let (id, kind) = (new_id(), ImportKind::Customers);
    let (found_, rows_) = (found(), vec![row()]);
    let create = imports::CreateImport {
        upload: id,
        kind,
        file_name: TEXT.into(),
        found: found_.clone(),
        rows: rows_.clone(),
        context: context(),
    };
    tried.call(create, answers());
    tried.call(imports::ChangeImport { id, found: found_, rows: rows_, context: context() }, answers());
    tried.call(imports::CommitImport { id, context: context() }, [new_id()]);
    tried.call(imports::FindImport { id, caller: caller() }, answers());
    tried.call(imports::ListImports { caller: caller(), page: page() }, pages(import()));
    let list = imports::ListImportRows { id, outcome: RowOutcome::Same, caller: caller() };
    tried.call(list, [vec![row()]]);
    let texts = BTreeSet::from([TEXT.to_owned()]);
    let matching = imports::MatchCustomers { emails: texts.clone(), external_ids: texts, caller: caller() };
    let pairs = || vec![(TEXT.to_owned(), new_id())];
    tried.call(matching, [imports::MatchedCustomers { by_email: pairs(), by_external_id: pairs() }]);
    rows(tried);
}
