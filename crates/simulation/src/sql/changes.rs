//! What a statement changes.

use crate::sql::ast::{Expr, OnConflict, Rows, Select, Statement};
use crate::sql::expressions::{Env, Frame, holds, value};
use crate::sql::queries::{select, table_rows};
use crate::sql::value::{Key, Value};
use crate::sql::{Access, Row, Stop};

/// Runs a statement; returns how many rows it touched.
///
/// # Errors
/// See [`Stop`].
pub fn run(access: &mut dyn Access, statement: &Statement, places: &[Value]) -> Result<u64, Stop> {
    match statement {
        Statement::Select(query) => select(access, None, places, query).map(|found| found.rows.len() as u64),
        Statement::Together(all) => {
            for one in all {
                run(access, one, places)?;
            }
            Ok(1)
        }
        Statement::Insert { table, columns, rows, on_conflict } => {
            insert(access, places, (table, columns), rows, on_conflict)
        }
        Statement::Update { table, set, filter } => {
            change(access, places, table, filter.as_ref(), &mut |access, env, row| {
                assigned(access, env, row, set).map(Some)
            })
        }
        Statement::Delete { table, filter } => {
            change(access, places, table, filter.as_ref(), &mut |_, _, _| Ok(None))
        }
    }
}

type Change<'a> = &'a mut dyn FnMut(&mut dyn Access, &Env, &Row) -> Result<Option<Row>, Stop>;

/// Changes or deletes the rows of a condition.
fn change(
    access: &mut dyn Access,
    places: &[Value],
    name: &str,
    filter: Option<&Expr>,
    after: Change,
) -> Result<u64, Stop> {
    let (table, columns) = access.table(name).ok_or_else(|| format!("no table {name}"))?;
    let mut touched = 0;
    for (key, row) in table_rows(access, None, places, (table, &columns[0]), filter)? {
        let of = |row| Env { frames: vec![Frame { alias: name, columns: &columns, row }], ..Env::of(places) };
        if !holds(access, &of(&row), filter)? {
            continue;
        }
        let Some(now) = access.lock(table, &key)? else { continue };
        let env = of(&now);
        if holds(access, &env, filter)? {
            let row = after(access, &env, &now)?;
            access.put(table, key, row);
            touched += 1;
        }
    }
    Ok(touched)
}

/// A row after assignments.
fn assigned(access: &mut dyn Access, env: &Env, row: &Row, set: &[(String, Expr)]) -> Result<Row, Stop> {
    let columns = env.frames.first().map_or(&[][..], |frame| frame.columns);
    let mut row = row.to_vec();
    for (column, expr) in set {
        let place = columns.iter().position(|known| known == column);
        row[place.ok_or_else(|| format!("no column {column}"))?] = value(access, env, expr)?;
    }
    Ok(row.into())
}

fn insert(
    access: &mut dyn Access,
    places: &[Value],
    (name, given): (&str, &[String]),
    rows: &Rows,
    on_conflict: &OnConflict,
) -> Result<u64, Stop> {
    let (table, columns) = access.table(name).ok_or_else(|| format!("no table {name}"))?;
    let mut touched = 0;
    for values in new_rows(access, places, rows)? {
        let mut row = vec![Value::Null; columns.len()];
        for (column, value) in given.iter().zip(values.iter()) {
            let place = columns.iter().position(|known| known == column);
            row[place.ok_or_else(|| format!("no column {column} of {name}"))?] = value.clone();
        }
        let row: Row = row.into();
        let key = row[0].key().ok_or_else(|| format!("no key of {name}: {:?}", row[0]))?;
        let Some(there) = access.lock(table, &key)? else {
            access.put(table, key, Some(row));
            touched += 1;
            continue;
        };
        match on_conflict {
            OnConflict::Fail => return Err(Stop::Duplicate(format!("{name}_pkey"))),
            OnConflict::Nothing => {}
            OnConflict::Update { set, filter } => {
                let frames = vec![
                    Frame { alias: name, columns: &columns, row: &there },
                    Frame { alias: "excluded", columns: &columns, row: &row },
                ];
                let env = Env { frames, ..Env::of(places) };
                if holds(access, &env, filter.as_ref())? {
                    let after = assigned(access, &env, &there, set)?;
                    put(access, table, key, after);
                    touched += 1;
                }
            }
        }
    }
    Ok(touched)
}

fn put(access: &mut dyn Access, table: usize, key: Key, row: Row) {
    access.put(table, key, Some(row));
}

fn new_rows(access: &mut dyn Access, places: &[Value], rows: &Rows) -> Result<Vec<Row>, Stop> {
    match rows {
        Rows::Query(query) => query_rows(access, places, query),
        Rows::Values(values) => {
            let mut row = Vec::with_capacity(values.len());
            for expr in values {
                row.push(value(access, &Env::of(places), expr)?);
            }
            Ok(vec![row.into()])
        }
    }
}

fn query_rows(access: &mut dyn Access, places: &[Value], query: &Select) -> Result<Vec<Row>, Stop> {
    select(access, None, places, query).map(|found| found.rows)
}
