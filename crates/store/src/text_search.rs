//! Searching for a literal part of a text, of any length, by an index of the database (docs/decisions/0033).
//!
//! The index has every part of three characters. Two line feeds end each text there, so that a part begins at every
//! character: one or two characters are found as the beginning of parts.

use std::cmp::Reverse;

use crate::sql::Sql;
use crate::table::Dialect;

/// Parts that are looked for at most; the rows are compared with the whole text afterwards.
const GRAMS_MAX: usize = 32;
const GRAM: usize = 3;

/// The index of the texts of a table's records. A folder brings it up to date, in batches: records that it has not reached yet
/// are few, and are candidates of each search.
#[derive(Debug)]
pub struct TextIndex {
    pub table: &'static str,
    /// In SQLite: the full-text index, and the table of its parts.
    pub grams: &'static str,
    pub gram_rows: &'static str,
    pub known: Known,
    /// In PostgreSQL: the table of the parts.
    pub texts: &'static str,
    /// In PostgreSQL: selects the ids of records that may have changed since the folder read them.
    pub changed: &'static str,
}

/// How the index knows a record; and in SQLite, which records it has not reached yet.
#[derive(Debug)]
pub enum Known {
    /// In SQLite by the column `number` of the record. Of two ways to use it, PostgreSQL chooses one.
    ByNumber {
        /// The table with the number of the last record in the index.
        end: &'static str,
        /// The table with the numbers of records that have changed, or were removed, since they were added.
        changes: &'static str,
    },
    /// In SQLite by the number of the row with its id. Few records are looked for so: each is found by its id.
    ById {
        /// The table with numbers, ids and texts.
        texts: &'static str,
        /// The table with the ids of records that are new, have changed, or were removed.
        changes: &'static str,
    },
}

impl TextIndex {
    /// Selects `columns` of the records that may contain all of `words`, found by the index; those that are known by their ids
    /// come newest first. Compare each with the words. `None` if the index can't be asked: there is no word.
    pub fn candidates<'a>(
        &self,
        dialect: Dialect,
        columns: &str,
        words: impl Iterator<Item = &'a str>,
    ) -> Option<Sql> {
        let words: Vec<&str> = words.collect();
        let grams = Grams::of(words.iter().copied())?;
        Some(match dialect {
            Dialect::Sqlite => self.known(columns, &grams, &words),
            Dialect::Postgres => self.known_to_postgres(columns, &grams),
        })
    }

    /// Selects a row for each record in the index that may contain all of `words`, at most `most`. `None` if the index can't be
    /// asked.
    pub fn some<'a>(&self, dialect: Dialect, words: impl Iterator<Item = &'a str>, most: i64) -> Option<Sql> {
        let grams = Grams::of(words)?;
        let found = match dialect {
            Dialect::Sqlite => self.named(Sql::default(), &grams),
            Dialect::Postgres => self.matching(Sql::default(), &grams),
        };
        Some(found.limit(most))
    }

    /// For PostgreSQL: selects `columns` of the newest records that may contain all of `words`, at most `most`, newest first. It
    /// looks at the `read` newest in the index, one by one: what the index itself finds is in no order, and has to be sorted
    /// whole. Compare each with the words. `None` if there is no word.
    pub fn among_newest<'a>(
        &self,
        columns: &str,
        words: impl Iterator<Item = &'a str>,
        read: i64,
        most: i64,
    ) -> Option<Sql> {
        let grams = Grams::of(words)?;
        let Self { table, texts, changed, .. } = self;
        let newest = Sql::new(format!("SELECT id, grams FROM {texts} ORDER BY id DESC")).limit(read);
        let found = newest
            .joined(|newest| format!("(SELECT id FROM ({newest}) AS newest"))
            .push(" WHERE grams @@ CAST(? AS tsquery) ORDER BY id DESC", [grams.tsquery().into()])
            .limit(most);
        Some(found.joined(|ids| {
            format!(
                "SELECT {columns} FROM ({ids}) UNION {changed} ORDER BY 1 DESC) AS candidates (candidate) \
                 CROSS JOIN LATERAL (SELECT * FROM {table} WHERE id = candidate OFFSET 0) AS {table}"
            )
        }))
    }

    fn known(&self, columns: &str, grams: &Grams, words: &[&str]) -> Sql {
        let table = self.table;
        match self.known {
            Known::ByNumber { end, changes } => {
                // NOT INDEXED leaves the numbers: no other index may come first.
                let rows =
                    Sql::new(format!("SELECT {columns} FROM {table} NOT INDEXED")).filter("number IN (", []);
                let behind = format!(
                    " UNION ALL SELECT number FROM {table} WHERE number > (SELECT number FROM {end}) \
                     UNION ALL SELECT number FROM {changes})"
                );
                self.named(rows, grams).push(&behind, [])
            }
            // CROSS JOIN keeps the order: the candidates come first, and as they are sorted (LIMIT -1 leaves them so). What the
            // index has found is compared before its record is read.
            Known::ById { texts, changes } => {
                let ids = self.named(Sql::default(), grams).joined(|numbers| {
                    format!("SELECT id AS candidate FROM {texts} WHERE number IN ({numbers})")
                });
                let ids = words
                    .iter()
                    .fold(ids, |ids, word| ids.push(" AND instr(search, ?) > 0", [(*word).into()]));
                ids.joined(|ids| {
                    format!(
                        "SELECT {columns} FROM ({ids} UNION SELECT id FROM {changes} \
                         ORDER BY candidate DESC LIMIT -1) CROSS JOIN {table} ON {table}.id = candidate"
                    )
                })
            }
        }
    }

    fn known_to_postgres(&self, columns: &str, grams: &Grams) -> Sql {
        let Self { table, changed, .. } = self;
        match self.known {
            Known::ByNumber { .. } => {
                let rows = Sql::new(format!("SELECT {columns} FROM {table}")).filter("id IN (", []);
                self.matching(rows, grams).push(&format!(" UNION ALL {changed})"), [])
            }
            // The candidates come first: OFFSET 0 leaves the planner no other way.
            Known::ById { .. } => self.matching(Sql::default(), grams).joined(|ids| {
                format!(
                    "SELECT {columns} FROM ({ids} UNION {changed} ORDER BY 1 DESC) AS candidates (candidate) \
                     CROSS JOIN LATERAL (SELECT * FROM {table} WHERE id = candidate OFFSET 0) AS {table}"
                )
            }),
        }
    }

    fn matching(&self, sql: Sql, grams: &Grams) -> Sql {
        let matching = format!("SELECT id FROM {} WHERE grams @@ CAST(? AS tsquery)", self.texts);
        sql.push(&matching, [grams.tsquery().into()])
    }

    fn named(&self, sql: Sql, grams: &Grams) -> Sql {
        let Self { grams: index, gram_rows, .. } = self;
        match grams {
            // One range is looked for: that of the longest.
            Grams::Begun(words) => {
                let begin = &words[0];
                let parts = format!("SELECT DISTINCT doc FROM {gram_rows} WHERE term >= ?");
                let sql = sql.push(&parts, [begin.as_str().into()]);
                match next(begin) {
                    Some(next) => sql.push(" AND term < ?", [next.into()]),
                    None => sql,
                }
            }
            Grams::Whole(grams) => {
                let quoted = grams.iter().map(|gram| format!("\"{}\"", gram.replace('"', "\"\"")));
                let all = quoted.collect::<Vec<_>>().join(" AND ");
                sql.push(&format!("SELECT rowid FROM {index} WHERE {index} MATCH ?"), [all.into()])
            }
        }
    }
}

/// The parts to look for. What is found is compared with the whole words.
#[derive(Debug, PartialEq, Eq)]
enum Grams {
    /// Of words of three characters and more.
    Whole(Vec<String>),
    /// The beginnings of parts, where every word is shorter: the words, the longest first.
    Begun(Vec<String>),
}

impl Grams {
    /// `None` without a word, or if no stored text has one.
    fn of<'a>(words: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut grams: Vec<String> = Vec::new();
        let mut begun: Vec<String> = Vec::new();
        for word in words {
            // No stored text has a NUL, where SQLite's expressions end.
            if word.contains('\0') {
                return None;
            }
            let characters: Vec<char> = word.chars().collect();
            if characters.len() < GRAM {
                begun.push(word.to_owned());
            }
            for gram in characters.windows(GRAM).map(|gram| gram.iter().collect()) {
                if grams.len() < GRAMS_MAX && !grams.contains(&gram) {
                    grams.push(gram);
                }
            }
        }
        begun.sort_by_key(|word| Reverse(word.chars().count()));
        begun.truncate(GRAMS_MAX);
        match (grams.is_empty(), begun.is_empty()) {
            (false, _) => Some(Self::Whole(grams)),
            (true, false) => Some(Self::Begun(begun)),
            (true, true) => None,
        }
    }

    /// The parts as PostgreSQL's expression.
    fn tsquery(&self) -> String {
        let quoted = |gram: &String| format!("'{}'", gram.replace('\\', "\\\\").replace('\'', "''"));
        match self {
            Self::Whole(grams) => grams.iter().map(quoted).collect::<Vec<_>>().join(" & "),
            Self::Begun(words) => {
                words.iter().map(|word| format!("{}:*", quoted(word))).collect::<Vec<_>>().join(" & ")
            }
        }
    }
}

/// The least text that is greater than every text with this beginning.
fn next(text: &str) -> Option<String> {
    let mut characters: Vec<char> = text.chars().collect();
    while let Some(last) = characters.pop() {
        let after = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(after) = after {
            characters.push(after);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_looked_for_by_their_parts() {
        let of = |words: &[&str]| Grams::of(words.iter().copied()).map(|grams| grams.tsquery());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["佐"]), Some("'佐':*".into()));
        assert_eq!(of(&["o'"]), Some("'o''':*".into()));
        assert_eq!(of(&["佐藤 太"]), Some("'佐藤 ' & '藤 太'".into()));
        assert_eq!(of(&["aaaa\\"]), Some("'aaa' & 'aa\\\\'".into()));
        assert_eq!(of(&["佐藤太", "青空x", "山"]), Some("'佐藤太' & '青空x'".into()), "the longer words");
        assert_eq!(of(&["山", "青空"]), Some("'青空':* & '山':*".into()), "the longest first");
        assert_eq!(of(&["佐\0藤"]), None);
        let long: String = (0..200).filter_map(|n| char::from_u32(0x4e00 + n)).collect();
        let Some(Grams::Whole(grams)) = Grams::of([long.as_str()].into_iter()) else { panic!("parts") };
        assert_eq!(grams.len(), GRAMS_MAX);
    }

    #[test]
    fn a_beginning_ends_before_the_next_text() {
        assert_eq!(next("a"), Some("b".into()));
        assert_eq!(next("\u{d7ff}"), Some("\u{e000}".into()), "there are no characters between");
        assert_eq!(next("a\u{10ffff}"), Some("b".into()));
        assert_eq!(next("\u{10ffff}"), None);
    }
}
