//! How people write days, times, amounts and choices in Japan and the West. Pure.

pub mod amount;
pub mod day;
pub mod moment;
pub mod number;
mod scan;

use kernel::text_key;

use crate::import::fields::Word;

/// The name of the choice that a text means.
pub fn choice(words: &[Word], text: &str) -> Option<&'static str> {
    let key = text_key::key(text);
    let is_meant =
        |(name, others): &&Word| std::iter::once(name).chain(*others).any(|word| text_key::key(word) == key);
    words.iter().find(is_meant).map(|(name, _)| *name)
}
