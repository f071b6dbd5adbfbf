//! Reads a text from its beginning: numbers, words, signs.

use unicode_normalization::UnicodeNormalization;

/// The text with letters, digits and signs of one width, in lower case, without white space around it.
pub fn folded(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect::<String>().trim().to_owned()
}

/// What is left of a text.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a>(pub &'a str);

impl<'a> Scan<'a> {
    /// Takes a number of so many digits.
    pub fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        if !(least..=most).contains(&length) {
            return None;
        }
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        digits.parse().ok()
    }

    /// Takes this text.
    pub fn text(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// Takes one of these texts; the longer of two that begin alike must come first.
    pub fn one_of<T: Copy>(&mut self, texts: &[(&str, T)]) -> Option<T> {
        let (text, value) = texts.iter().find(|(text, _)| self.0.starts_with(text))?;
        self.0 = &self.0[text.len()..];
        Some(*value)
    }

    /// Takes one of these signs.
    pub fn sign(&mut self, signs: &[char]) -> Option<char> {
        let sign = self.0.chars().next().filter(|sign| signs.contains(sign))?;
        self.0 = &self.0[sign.len_utf8()..];
        Some(sign)
    }

    /// Passes over blanks.
    pub fn blanks(&mut self) {
        self.0 = self.0.trim_start();
    }

    /// Takes the letters of a word.
    pub fn word(&mut self) -> &'a str {
        let end = self.0.find(|sign: char| !sign.is_ascii_alphabetic()).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        word
    }

    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}
