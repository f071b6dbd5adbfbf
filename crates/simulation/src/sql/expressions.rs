//! What an expression is worth.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::sql::ast::Expr;
use crate::sql::queries::select;
use crate::sql::value::{Type, Value, list};
use crate::sql::{Access, Stop};

/// A row that an expression may name.
pub(super) struct Frame<'a> {
    pub alias: &'a str,
    pub columns: &'a [String],
    pub row: &'a [Value],
}

/// The rows that an expression may name, the nearest first, and the values of places.
pub(super) struct Env<'a> {
    pub frames: Vec<Frame<'a>>,
    pub outer: Option<&'a Env<'a>>,
    pub places: &'a [Value],
    /// Within a query with aggregates: the rows of the group.
    pub group: Option<&'a Group<'a>>,
}

/// Rows that are taken together: for each the frames of one row.
pub(super) struct Group<'a> {
    pub aliases: &'a [(String, Arc<[String]>)],
    pub rows: &'a [Vec<Arc<[Value]>>],
}

impl<'a> Env<'a> {
    /// Without any row.
    pub fn of(places: &'a [Value]) -> Self {
        Self { frames: Vec::new(), outer: None, places, group: None }
    }

    fn column(&self, table: Option<&str>, name: &str) -> Option<&Value> {
        for frame in &self.frames {
            if table.is_none_or(|table| table == frame.alias)
                && let Some(place) = frame.columns.iter().position(|column| column == name)
            {
                return frame.row.get(place);
            }
        }
        self.outer.and_then(|outer| outer.column(table, name))
    }

    fn frame(&self, alias: &str) -> Option<&Frame<'a>> {
        self.frames.iter().find(|frame| frame.alias == alias)
    }
}

/// Functions of the rows of a group.
pub(super) fn is_aggregate(name: &str) -> bool {
    matches!(name, "json_agg" | "count" | "min" | "max" | "sum")
}

/// Whether an expression needs a group of rows.
pub(super) fn has_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Call(name, arguments) => is_aggregate(name) || arguments.iter().any(has_aggregate),
        Expr::Binary(_, left, right) => has_aggregate(left) || has_aggregate(right),
        Expr::Cast(inner, _) | Expr::Not(inner) | Expr::IsNull(inner) => has_aggregate(inner),
        _ => false,
    }
}

/// The value of an expression.
pub(super) fn value(access: &mut dyn Access, env: &Env, expr: &Expr) -> Result<Value, Stop> {
    Ok(match expr {
        Expr::Value(value) => value.clone(),
        Expr::Place(place) => {
            env.places.get(*place).cloned().ok_or_else(|| format!("no value for ${}", place + 1))?
        }
        Expr::Column(table, name) => env
            .column(table.as_deref(), name)
            .cloned()
            .ok_or_else(|| format!("no column {name} of {table:?}"))?,
        Expr::Binary(operator, left, right) => {
            let left = value(access, env, left)?;
            match (*operator, &left) {
                ("and", Value::Bool(false)) => return Ok(left),
                ("or", Value::Bool(true)) => return Ok(left),
                _ => {}
            }
            operate(operator, &left, &value(access, env, right)?)?
        }
        Expr::Not(inner) => match value(access, env, inner)? {
            Value::Bool(is) => Value::Bool(!is),
            _ => Value::Null,
        },
        Expr::IsNull(inner) => Value::Bool(value(access, env, inner)? == Value::Null),
        Expr::In(one, among) => {
            let one = value(access, env, one)?;
            let mut is_among = false;
            for other in among {
                match value(access, env, other)? {
                    Value::List(values) => is_among |= values.iter().any(|other| is_equal(&one, other)),
                    other => is_among |= is_equal(&one, &other),
                }
            }
            Value::Bool(is_among)
        }
        Expr::Cast(inner, to) => value(access, env, inner)?.cast(*to)?,
        Expr::Scalar(query) => {
            let rows = select(access, Some(env), env.places, query)?.rows;
            rows.first().and_then(|row| row.first()).cloned().unwrap_or(Value::Null)
        }
        Expr::Array(query) => {
            let rows = select(access, Some(env), env.places, query)?.rows;
            Value::List(rows.iter().filter_map(|row| row.first().cloned()).collect())
        }
        Expr::Call(name, arguments) if is_aggregate(name) => aggregate(access, env, name, arguments)?,
        Expr::Call(name, arguments) if name == "row_to_json" => match arguments.as_slice() {
            [Expr::Column(None, alias)] => row_to_json(env, alias)?,
            _ => return Err(Stop::Failed("row_to_json of something else than a row".to_owned())),
        },
        Expr::Call(name, arguments) => {
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                values.push(value(access, env, argument)?);
            }
            call(access, name, &values)?
        }
    })
}

fn is_equal(one: &Value, other: &Value) -> bool {
    one.compare(other) == Some(Ordering::Equal)
}

/// Whether a condition holds; NULL does not.
pub(super) fn holds(access: &mut dyn Access, env: &Env, filter: Option<&Expr>) -> Result<bool, Stop> {
    match filter {
        None => Ok(true),
        Some(filter) => Ok(value(access, env, filter)? == Value::Bool(true)),
    }
}

fn operate(operator: &str, left: &Value, right: &Value) -> Result<Value, String> {
    let compared =
        |is: fn(Ordering) -> bool| left.compare(right).map_or(Value::Null, |order| Value::Bool(is(order)));
    Ok(match operator {
        "=" => compared(Ordering::is_eq),
        "<>" => compared(Ordering::is_ne),
        "<" => compared(Ordering::is_lt),
        ">" => compared(Ordering::is_gt),
        "<=" => compared(Ordering::is_le),
        ">=" => compared(Ordering::is_ge),
        "and" => match (left, right) {
            (Value::Bool(a), Value::Bool(b)) => Value::Bool(*a && *b),
            (_, Value::Bool(false)) => Value::Bool(false),
            _ => Value::Null,
        },
        "or" => match (left, right) {
            (Value::Bool(a), Value::Bool(b)) => Value::Bool(*a || *b),
            (_, Value::Bool(true)) => Value::Bool(true),
            _ => Value::Null,
        },
        "||" => match (left.shown(), right.shown()) {
            (Some(left), Some(right)) => Value::text(&(left + &right)),
            _ => Value::Null,
        },
        _ => arithmetic(operator, left, right)?,
    })
}

fn arithmetic(operator: &str, left: &Value, right: &Value) -> Result<Value, String> {
    Ok(match (operator, left, right) {
        (_, Value::Null, _) | (_, _, Value::Null) => Value::Null,
        ("+", Value::Int(a), Value::Int(b)) => Value::Int(a + b),
        ("-", Value::Int(a), Value::Int(b)) => Value::Int(a - b),
        ("*", Value::Int(a), Value::Int(b)) => Value::Int(a * b),
        ("+", Value::Time(a), Value::Span(b)) => Value::Time(a + b),
        ("-", Value::Time(a), Value::Span(b)) => Value::Time(a - b),
        ("-", Value::Time(a), Value::Time(b)) => Value::Span(a - b),
        _ => {
            let (Some(a), Some(b)) = (left.number(), right.number()) else {
                return Err(format!("{left:?} {operator} {right:?}"));
            };
            Value::Float(match operator {
                "+" => a + b,
                "-" => a - b,
                "*" => a * b,
                "/" => a / b,
                _ => return Err(format!("unknown operator {operator}")),
            })
        }
    })
}

fn call(access: &dyn Access, name: &str, values: &[Value]) -> Result<Value, String> {
    Ok(match (name, values) {
        ("now", []) => Value::Time(access.now()),
        // A literal is of the type of what it replaces.
        ("coalesce", [Value::Null, Value::Text(empty)]) if &**empty == "[]" => Value::Json(empty.clone()),
        ("coalesce", _) => values.iter().find(|value| **value != Value::Null).cloned().unwrap_or(Value::Null),
        ("nullif", [one, other]) => {
            if is_equal(one, other) {
                Value::Null
            } else {
                one.clone()
            }
        }
        ("json_build_array", _) => Value::Json(list(values.iter().map(Value::json)).into()),
        ("json_build_object", _) => {
            let pairs = values.chunks(2).map(|pair| format!("{} : {}", pair[0].json(), pair[1].json()));
            Value::Json(format!("{{{}}}", pairs.collect::<Vec<_>>().join(", ")).into())
        }
        ("make_interval", [seconds]) => match seconds.number() {
            Some(seconds) => Value::Span((seconds * 1e6) as i64),
            None => return Err(format!("no number of seconds: {seconds:?}")),
        },
        ("interval", [Value::Text(text)]) if &**text == "1 day" => Value::Span(86_400_000_000),
        ("epoch", [Value::Time(micros) | Value::Span(micros)]) => Value::Float(*micros as f64 / 1e6),
        ("ceil", [number]) => number.number().map_or(Value::Null, |number| Value::Float(number.ceil())),
        ("field", [Value::Json(json) | Value::Text(json), Value::Text(field)]) => field_of(json, field)?,
        _ => return Err(format!("unknown function {name} of {values:?}")),
    })
}

/// A field of a JSON object as text.
fn field_of(json: &str, field: &str) -> Result<Value, String> {
    let fields: std::collections::HashMap<String, Box<RawValue>> =
        serde_json::from_str(json).map_err(|error| error.to_string())?;
    fields.get(field).map_or(Ok(Value::Null), |value| Value::of_json(value, Type::Text))
}

fn row_to_json(env: &Env, alias: &str) -> Result<Value, String> {
    let frame = env.frame(alias).ok_or_else(|| format!("no row {alias}"))?;
    let pairs = frame.columns.iter().zip(frame.row);
    let pairs = pairs.map(|(name, value)| format!("\"{name}\":{}", value.json()));
    Ok(Value::Json(format!("{{{}}}", pairs.collect::<Vec<_>>().join(",")).into()))
}

fn aggregate(access: &mut dyn Access, env: &Env, name: &str, arguments: &[Expr]) -> Result<Value, Stop> {
    let (Some(group), [argument]) = (env.group, arguments) else {
        return Err(Stop::Failed(format!("{name} outside of a group")));
    };
    let mut values = Vec::with_capacity(group.rows.len());
    for row in group.rows {
        let frames = group.aliases.iter().zip(row);
        let frames = frames.map(|((alias, columns), row)| Frame { alias, columns, row }).collect();
        let env = Env { frames, outer: env.outer, places: env.places, group: None };
        values.push(value(access, &env, argument)?);
    }
    if name != "json_agg" {
        values.retain(|value| *value != Value::Null);
    }
    let extreme = |wanted: Ordering| {
        let mut values = values.iter().cloned();
        let first = values.next();
        first.map_or(Value::Null, |first| {
            values.fold(first, |best, other| if other.compare(&best) == Some(wanted) { other } else { best })
        })
    };
    Ok(match name {
        "count" => Value::Int(values.len() as i64),
        "min" => extreme(Ordering::Less),
        "max" => extreme(Ordering::Greater),
        _ if values.is_empty() => Value::Null,
        "sum" => {
            Value::Int(values.iter().filter_map(|value| value.number().map(|number| number as i64)).sum())
        }
        _ => Value::Json(list(values.iter().map(Value::json)).into()),
    })
}
