//! A statement under construction: text with numbered places and the values for them.

use sqlx::Arguments;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;

use kernel::clock::Timestamp;
use kernel::ids::Id;

/// A value of a statement.
#[derive(Clone, Debug)]
pub enum Arg {
    Id(Id),
    Text(String),
    Int(i64),
    Time(Timestamp),
    Bytes(Vec<u8>),
}

impl From<Id> for Arg {
    fn from(id: Id) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Vec<u8>> for Arg {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Timestamp> for Arg {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

/// SQL text, made of constants only, and its values.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    text: String,
    args: Vec<Arg>,
    conditions: usize,
}

impl Sql {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Appends text in which each `?` takes the next of `args`.
    ///
    /// # Panics
    /// In debug builds, when the numbers of `?` and of values differ.
    pub fn push<const N: usize>(mut self, text: &str, args: [Arg; N]) -> Self {
        debug_assert_eq!(text.matches('?').count(), N, "{text}");
        for (place, part) in text.split('?').enumerate() {
            if place > 0 {
                self.text.push('$');
                self.text.push_str(&(self.args.len() + place).to_string());
            }
            self.text.push_str(part);
        }
        self.args.extend(args);
        self
    }

    /// Appends a condition, with WHERE before the first and AND before the others.
    pub fn filter<const N: usize>(mut self, text: &str, args: [Arg; N]) -> Self {
        self.text.push_str(if self.conditions == 0 { " WHERE " } else { " AND " });
        self.conditions += 1;
        self.push(text, args)
    }

    /// Appends a condition, if there is a value for it.
    pub fn filter_some<T: Into<Arg>>(self, text: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.filter(text, [value.into()]),
            None => self,
        }
    }

    /// Appends a limit. It is not a bare parameter, because SQLite would plan the statement again for each value.
    pub fn limit(self, rows: i64) -> Self {
        self.push(" LIMIT ? + 0", [rows.into()])
    }

    /// Adds the value for the next place, which the text contains already.
    pub fn with(mut self, value: impl Into<Arg>) -> Self {
        self.args.push(value.into());
        self
    }

    /// Wraps the text in another; the values stay.
    pub fn wrapped(self, wrap: impl FnOnce(&str) -> String) -> Self {
        Self { text: wrap(&self.text), ..self }
    }

    /// Makes the text a subquery of this name, of which `columns` are selected; the values stay.
    pub fn within(self, columns: &str, name: &str) -> Self {
        let text = format!("SELECT {columns} FROM ({}) AS {name}", self.text);
        Self { text, conditions: 0, ..self }
    }

    /// Makes the text part of another, to which conditions may be added; the values stay.
    pub fn joined(self, join: impl FnOnce(&str) -> String) -> Self {
        Self { conditions: 0, ..self.wrapped(join) }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The values of its places.
    #[cfg(feature = "simulation")]
    pub fn values(&self) -> &[Arg] {
        &self.args
    }

    /// The values for SQLite, where ids and times are text.
    pub(crate) fn sqlite(&self) -> Result<SqliteArguments, sqlx::Error> {
        let mut bound = SqliteArguments::default();
        for arg in &self.args {
            let added = match arg {
                Arg::Id(id) => Arguments::add(&mut bound, id.to_string()),
                Arg::Text(text) => Arguments::add(&mut bound, text.clone()),
                Arg::Int(number) => Arguments::add(&mut bound, *number),
                Arg::Time(time) => Arguments::add(&mut bound, time.to_string()),
                Arg::Bytes(bytes) => Arguments::add(&mut bound, bytes.clone()),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        Ok(bound)
    }

    /// The values in PostgreSQL's own types.
    pub(crate) fn postgres(&self) -> Result<PgArguments, sqlx::Error> {
        let mut bound = PgArguments::default();
        for arg in &self.args {
            let added = match arg {
                Arg::Id(id) => Arguments::add(&mut bound, id.uuid()),
                Arg::Text(text) => Arguments::add(&mut bound, text.as_str()),
                Arg::Int(number) => Arguments::add(&mut bound, *number),
                Arg::Time(time) => Arguments::add(&mut bound, time.utc()),
                Arg::Bytes(bytes) => Arguments::add(&mut bound, bytes.as_slice()),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        Ok(bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_across_pushes() {
        let sql = Sql::new("FROM t")
            .filter("a = ?", [1.into()])
            .filter_some("b = ?", None::<i64>)
            .filter("(c, d) > (?, ?)", ["x".into(), 2.into()])
            .push(" LIMIT ?", [3.into()]);
        assert_eq!(sql.text(), "FROM t WHERE a = $1 AND (c, d) > ($2, $3) LIMIT $4");
        assert_eq!(sql.args.len(), 4);
    }
}
