//! The rows of a query.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::sql::ast::{Expr, Select, Source};
use crate::sql::expressions::{Env, Frame, Group, has_aggregate, holds, value};
use crate::sql::value::{Key, Type, Value};
use crate::sql::{Access, Row, Stop};

/// Rows with the names of their columns.
pub(super) struct Found {
    pub columns: Arc<[String]>,
    pub rows: Vec<Row>,
}

/// The first column of the first row, as text.
///
/// # Errors
/// See [`Stop`].
pub fn first_text(access: &mut dyn Access, query: &Select, places: &[Value]) -> Result<Option<String>, Stop> {
    let found = select(access, None, places, query)?;
    Ok(found.rows.first().and_then(|row| row.first()).and_then(Value::shown))
}

/// A candidate of a query: a row of each source, and for one table the key of its row.
#[derive(Clone)]
struct Candidate {
    rows: Vec<Row>,
    key: Option<(usize, Key)>,
}

/// The rows of a query.
pub(super) fn select(
    access: &mut dyn Access,
    outer: Option<&Env>,
    places: &[Value],
    query: &Select,
) -> Result<Found, Stop> {
    if let (true, [(Expr::Call(name, arguments), column)]) = (query.from.is_empty(), query.items.as_slice())
        && name == "json_array_elements_text"
    {
        return elements(access, outer, places, arguments, column);
    }
    let mut aliases: Vec<(String, Arc<[String]>)> = Vec::new();
    let mut candidates = vec![Candidate { rows: Vec::new(), key: None }];
    for source in &query.from {
        let (alias, columns, found) = read(access, outer, places, source, query.filter.as_ref())?;
        aliases.push((alias, columns));
        let joined = |before: &Candidate| {
            let before = before.clone();
            found.iter().map(move |(key, row)| Candidate {
                rows: before.rows.iter().chain([row]).cloned().collect(),
                key: key.clone(),
            })
        };
        candidates = candidates.iter().flat_map(joined).collect();
    }
    let mut chosen = Vec::new();
    for candidate in candidates {
        if holds(access, &env(&aliases, &candidate.rows, outer, places), query.filter.as_ref())? {
            chosen.push(candidate);
        }
    }
    sort(access, &aliases, outer, places, &query.order, &mut chosen)?;
    if query.locks {
        chosen = lock(access, &aliases, outer, places, query, chosen)?;
    }
    if let Some(limit) = &query.limit
        && let Value::Int(limit) = value(access, &Env::of(places), limit)?
    {
        chosen.truncate(usize::try_from(limit).unwrap_or(0));
    }
    let columns = query.items.iter().map(|(_, name)| name.clone()).collect();
    let rows: Vec<Vec<Row>> = chosen.into_iter().map(|candidate| candidate.rows).collect();
    let is_grouped = !query.group.is_empty() || query.items.iter().any(|(item, _)| has_aggregate(item));
    let groups = if is_grouped {
        group(access, &aliases, outer, places, query, rows)?
    } else {
        rows.into_iter().map(|row| vec![row]).collect()
    };
    let mut found = Vec::with_capacity(groups.len());
    for rows in groups {
        let group = Group { aliases: &aliases, rows: &rows };
        let first = rows.first().map_or(&[][..], Vec::as_slice);
        let env = Env { group: is_grouped.then_some(&group), ..env(&aliases, first, outer, places) };
        let mut row = Vec::with_capacity(query.items.len());
        for (item, _) in &query.items {
            row.push(value(access, &env, item)?);
        }
        found.push(row.into());
    }
    Ok(Found { columns, rows: found })
}

fn env<'a>(
    aliases: &'a [(String, Arc<[String]>)],
    rows: &'a [Row],
    outer: Option<&'a Env<'a>>,
    places: &'a [Value],
) -> Env<'a> {
    let frames = aliases.iter().zip(rows).map(|((alias, columns), row)| Frame { alias, columns, row });
    Env { frames: frames.collect(), outer, places, group: None }
}

/// The elements of a JSON array, one per row.
fn elements(
    access: &mut dyn Access,
    outer: Option<&Env>,
    places: &[Value],
    arguments: &[Expr],
    column: &str,
) -> Result<Found, Stop> {
    let env = Env { frames: Vec::new(), outer, places, group: None };
    let json = value(access, &env, &arguments[0])?;
    let rows = array(&json, Type::Text)?.into_iter().map(|value| [value].into()).collect();
    Ok(Found { columns: [column.to_owned()].into(), rows })
}

fn array(json: &Value, of: Type) -> Result<Vec<Value>, String> {
    let text = json.shown().unwrap_or_else(|| "[]".to_owned());
    let values: Vec<Box<RawValue>> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    values.iter().map(|value| Value::of_json(value, of)).collect()
}

type Rows = Vec<(Option<(usize, Key)>, Row)>;

/// The rows of a source.
fn read(
    access: &mut dyn Access,
    outer: Option<&Env>,
    places: &[Value],
    source: &Source,
    filter: Option<&Expr>,
) -> Result<(String, Arc<[String]>, Rows), Stop> {
    Ok(match source {
        Source::Table { name, alias } => {
            let (table, columns) = access.table(name).ok_or_else(|| format!("no table {name}"))?;
            let rows = table_rows(access, outer, places, (table, &columns[0]), filter)?;
            (alias.clone(), columns, rows.into_iter().map(|(key, row)| (Some((table, key)), row)).collect())
        }
        Source::Query { query, alias } => {
            let Found { columns, rows } = select(access, outer, places, query)?;
            (alias.clone(), columns, rows.into_iter().map(|row| (None, row)).collect())
        }
        Source::Function { name, arguments, alias, columns, numbered } => {
            let env = Env { frames: Vec::new(), outer, places, group: None };
            let json = value(access, &env, &arguments[0])?;
            let rows = match name.as_str() {
                "json_array_elements_text" => single(array(&json, Type::Text)?, *numbered),
                "json_array_elements" => single(array(&json, Type::Json)?, *numbered),
                "json_to_recordset" => records(&json, columns)?,
                _ => return Err(Stop::Failed(format!("unknown function {name}"))),
            };
            let columns = columns.iter().map(|(name, _)| name.clone()).collect();
            (alias.clone(), columns, rows.into_iter().map(|row| (None, row)).collect())
        }
    })
}

fn single(values: Vec<Value>, is_numbered: bool) -> Vec<Row> {
    let numbered = values.into_iter().zip(1..);
    numbered
        .map(|(value, number)| if is_numbered { [value, Value::Int(number)].into() } else { [value].into() })
        .collect()
}

/// Objects as rows with these columns.
fn records(json: &Value, columns: &[(String, Option<Type>)]) -> Result<Vec<Row>, String> {
    let text = json.shown().unwrap_or_else(|| "[]".to_owned());
    let records: Vec<BTreeMap<String, Box<RawValue>>> =
        serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let column = |record: &BTreeMap<String, Box<RawValue>>, (name, of): &(String, Option<Type>)| {
        record.get(name).map_or(Ok(Value::Null), |value| Value::of_json(value, of.unwrap_or(Type::Text)))
    };
    records.iter().map(|record| columns.iter().map(|of| column(record, of)).collect()).collect()
}

/// The rows of a table among which are those of a condition: by key, if the condition names keys.
pub(super) fn table_rows(
    access: &mut dyn Access,
    outer: Option<&Env>,
    places: &[Value],
    (table, key): (usize, &str),
    filter: Option<&Expr>,
) -> Result<Vec<(Key, Row)>, Stop> {
    let Some(wanted) = filter.and_then(|filter| keys(key, filter)) else { return Ok(access.rows(table)) };
    let env = Env { frames: Vec::new(), outer, places, group: None };
    let values = match value(access, &env, wanted)? {
        Value::List(values) => values,
        one => vec![one],
    };
    let mut keys: Vec<Key> = values.iter().filter_map(Value::key).collect();
    keys.sort();
    keys.dedup();
    Ok(keys.into_iter().filter_map(|key| access.row(table, &key).map(|row| (key, row))).collect())
}

/// What a condition demands of the primary key, if that names no column.
fn keys<'a>(key: &str, filter: &'a Expr) -> Option<&'a Expr> {
    let is_key = |expr: &Expr| matches!(expr, Expr::Column(_, name) if name == key);
    match filter {
        Expr::Binary("and", left, right) => keys(key, left).or_else(|| keys(key, right)),
        Expr::Binary("=", left, right) if is_key(left) && matches!(**right, Expr::Place(_)) => Some(right),
        Expr::In(one, among) if is_key(one) => match among.as_slice() {
            [array @ Expr::Array(_)] => Some(array),
            _ => None,
        },
        _ => None,
    }
}

fn sort(
    access: &mut dyn Access,
    aliases: &[(String, Arc<[String]>)],
    outer: Option<&Env>,
    places: &[Value],
    order: &[(Expr, bool)],
    chosen: &mut Vec<Candidate>,
) -> Result<(), Stop> {
    if order.is_empty() {
        return Ok(());
    }
    let mut keyed = Vec::with_capacity(chosen.len());
    for candidate in chosen.drain(..) {
        let env = env(aliases, &candidate.rows, outer, places);
        let mut sort_key = Vec::with_capacity(order.len());
        for (expr, _) in order {
            sort_key.push(value(access, &env, expr)?);
        }
        drop(env);
        keyed.push((sort_key, candidate));
    }
    keyed.sort_by(|(a, _), (b, _)| {
        let pairs = a.iter().zip(b).zip(order);
        let orders = pairs.map(|((a, b), (_, is_descending))| {
            let order = a.compare(b).unwrap_or(Ordering::Equal);
            if *is_descending { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
    chosen.extend(keyed.into_iter().map(|(_, candidate)| candidate));
    Ok(())
}

/// Locks the chosen rows in their order. One that has changed since the statement began is taken as it is now, if it still
/// is among those that were asked for.
fn lock(
    access: &mut dyn Access,
    aliases: &[(String, Arc<[String]>)],
    outer: Option<&Env>,
    places: &[Value],
    query: &Select,
    chosen: Vec<Candidate>,
) -> Result<Vec<Candidate>, Stop> {
    let mut locked = Vec::with_capacity(chosen.len());
    for candidate in chosen {
        let Some((table, key)) = candidate.key.clone() else {
            return Err(Stop::Failed("FOR UPDATE of something else than a table".to_owned()));
        };
        let Some(now) = access.lock(table, &key)? else { continue };
        let candidate = Candidate { rows: vec![now], ..candidate };
        if holds(access, &env(aliases, &candidate.rows, outer, places), query.filter.as_ref())? {
            locked.push(candidate);
        }
    }
    Ok(locked)
}

/// Rows by what they are grouped by; all are one group if that is nothing.
fn group(
    access: &mut dyn Access,
    aliases: &[(String, Arc<[String]>)],
    outer: Option<&Env>,
    places: &[Value],
    query: &Select,
    rows: Vec<Vec<Row>>,
) -> Result<Vec<Vec<Vec<Row>>>, Stop> {
    if query.group.is_empty() {
        return Ok(vec![rows]);
    }
    let mut groups: BTreeMap<Vec<Option<Key>>, Vec<Vec<Row>>> = BTreeMap::new();
    for row in rows {
        let mut by = Vec::with_capacity(query.group.len());
        for expr in &query.group {
            by.push(value(access, &env(aliases, &row, outer, places), expr)?.key());
        }
        groups.entry(by).or_default().push(row);
    }
    Ok(groups.into_values().collect())
}
