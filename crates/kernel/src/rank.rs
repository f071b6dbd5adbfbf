//! How well a record's title fits a search (SPEC §3, `/search`). Pure, so that both databases and all services rank alike.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::search::{FIELD, FORM, VERSION, Words};
use crate::text_key::{key, without_optional_blanks};

/// How well a title fits, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// The title is what was typed.
    Whole,
    /// The title begins with what was typed.
    Beginning,
    /// Each word that was typed begins a word of the title.
    Words,
    /// The title has each word that was typed.
    Title,
    /// A word stands in another field.
    Elsewhere,
}

/// What somebody searches for.
#[derive(Clone, Debug)]
pub struct Query {
    words: Words,
    typed: String,
    /// `typed` without optional blanks: a title's own form without them is compared with it.
    joined: String,
}

impl Query {
    /// # Errors
    /// Those of [`Words::parse`].
    pub fn parse(q: &str) -> Result<Self, Error> {
        let (words, typed) = (Words::parse(Some(q))?, key(q));
        let joined = without_optional_blanks(&typed).unwrap_or_else(|| typed.clone());
        Ok(Self { words, typed, joined })
    }

    pub fn words(&self) -> &Words {
        &self.words
    }

    /// The key of all that was typed.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// How well a record fits that has all words. `line` is the first line of its
    /// [text](crate::search::search_text): the key of its title.
    pub fn rank(&self, line: &str) -> Rank {
        let line = line.trim_start_matches(VERSION).split(FIELD).next().unwrap_or_default();
        let forms = || line.split(FORM);
        let begins_a_word =
            |word: &str| forms().any(|form| form.starts_with(word) || form.contains(&format!(" {word}")));
        if forms().any(|form| form == self.joined) {
            Rank::Whole
        } else if forms().any(|form| form.starts_with(&self.joined)) {
            Rank::Beginning
        } else if self.words.iter().all(begins_a_word) {
            Rank::Words
        } else if self.words.iter().all(|word| line.contains(word)) {
            Rank::Title
        } else {
            Rank::Elsewhere
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::search_text;

    fn rank(q: &str, fields: &[&str]) -> Rank {
        let keys: Vec<String> = fields.iter().map(|field| key(field)).collect();
        let text = search_text(keys.iter().map(String::as_str));
        Query::parse(q).expect("a search").rank(&text)
    }

    #[test]
    fn a_title_fits_the_better_the_more_of_it_was_typed() {
        let fields = ["佐藤 太郎", "サトウ タロウ", "㈱青空"];
        for typed in ["佐藤 太郎", "佐藤太郎", "佐藤　太郎"] {
            assert_eq!(rank(typed, &fields), Rank::Whole, "{typed}");
        }
        for typed in ["佐藤", "佐藤太", "佐藤 太"] {
            assert_eq!(rank(typed, &fields), Rank::Beginning, "{typed}");
        }
        assert_eq!(rank("太郎", &fields), Rank::Words);
        assert_eq!(rank("太郎 佐藤", &fields), Rank::Words);
        assert_eq!(rank("藤太", &fields), Rank::Title);
        for typed in ["青空", "佐藤 青空", "サトウ"] {
            assert_eq!(rank(typed, &fields), Rank::Elsewhere, "{typed}");
        }
    }

    #[test]
    fn words_in_latin_script_keep_their_blanks() {
        let fields = ["Annual Review 2026", "Osaka"];
        assert_eq!(rank("ANNUAL review 2026", &fields), Rank::Whole);
        assert_eq!(rank("annual rev", &fields), Rank::Beginning);
        assert_eq!(rank("rev ann", &fields), Rank::Words);
        assert_eq!(rank("annualreview", &fields), Rank::Elsewhere);
        assert_eq!(rank("view", &fields), Rank::Title);
    }

    #[test]
    fn ranks_are_ordered_the_best_first() {
        assert!(Rank::Whole < Rank::Beginning && Rank::Beginning < Rank::Words);
        assert!(Rank::Words < Rank::Title && Rank::Title < Rank::Elsewhere);
    }
}
