//! Statements as trees.

use crate::sql::value::{Type, Value};

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    Value(Value),
    /// The value of a place, from 0.
    Place(usize),
    /// A column, perhaps with its table's name; alone, it may name a whole row.
    Column(Option<String>, String),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    /// Whether it is NULL.
    IsNull(Box<Expr>),
    In(Box<Expr>, Vec<Expr>),
    Call(String, Vec<Expr>),
    Cast(Box<Expr>, Type),
    /// The one value of a query.
    Scalar(Box<Select>),
    /// The values of a query as an array.
    Array(Box<Select>),
}

/// A query.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// The columns with their names.
    pub items: Vec<(Expr, String)>,
    pub from: Vec<Source>,
    pub filter: Option<Expr>,
    pub group: Vec<Expr>,
    /// With true: from the greatest.
    pub order: Vec<(Expr, bool)>,
    pub limit: Option<Expr>,
    /// Whether it locks its rows.
    pub locks: bool,
}

/// What a query reads from.
#[derive(Clone, Debug)]
pub enum Source {
    Table {
        name: String,
        alias: String,
    },
    Query {
        query: Box<Select>,
        alias: String,
    },
    Function {
        name: String,
        arguments: Vec<Expr>,
        alias: String,
        columns: Vec<(String, Option<Type>)>,
        numbered: bool,
    },
}

/// The rows of an INSERT.
#[derive(Clone, Debug)]
pub enum Rows {
    Values(Vec<Expr>),
    Query(Select),
}

/// What an INSERT does about a row that is there.
#[derive(Clone, Debug)]
pub enum OnConflict {
    Fail,
    Nothing,
    Update { set: Vec<(String, Expr)>, filter: Option<Expr> },
}

/// A statement.
#[derive(Clone, Debug)]
pub enum Statement {
    Select(Select),
    Insert {
        table: String,
        columns: Vec<String>,
        rows: Rows,
        on_conflict: OnConflict,
    },
    Update {
        table: String,
        set: Vec<(String, Expr)>,
        filter: Option<Expr>,
    },
    Delete {
        table: String,
        filter: Option<Expr>,
    },
    /// Statements that write, of which none sees what another wrote.
    Together(Vec<Statement>),
}
