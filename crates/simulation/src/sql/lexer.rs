//! Cuts a statement into words.

/// A word of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A name or a keyword, in lower case.
    Word(String),
    Text(String),
    Int(i64),
    Float(f64),
    /// A place for a value, from 1.
    Place(usize),
    Sign(&'static str),
}

const SIGNS: [&str; 19] =
    ["->>", "::", "||", "<>", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "(", ")", ",", ".", "[", "]"];

/// The words of a text.
///
/// # Errors
/// The rest of the text, from a sign that is unknown.
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut rest = text.trim_start();
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' => {
                let end = rest[1..].find('\'').ok_or_else(|| rest.to_owned())?;
                (Token::Text(rest[1..=end].to_owned()), end + 2)
            }
            '$' => {
                let digits = length_of(&rest[1..], |sign| sign.is_ascii_digit());
                (Token::Place(rest[1..=digits].parse().map_err(|_| rest.to_owned())?), digits + 1)
            }
            '0'..='9' => {
                let length = length_of(rest, |sign| sign.is_ascii_digit() || sign == '.');
                let number = &rest[..length];
                let token = match number.parse() {
                    Ok(whole) => Token::Int(whole),
                    Err(_) => Token::Float(number.parse().map_err(|_| rest.to_owned())?),
                };
                (token, length)
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = length_of(rest, |sign| sign.is_ascii_alphanumeric() || sign == '_');
                (Token::Word(rest[..length].to_ascii_lowercase()), length)
            }
            _ => {
                let sign =
                    SIGNS.iter().find(|sign| rest.starts_with(**sign)).ok_or_else(|| rest.to_owned())?;
                (Token::Sign(sign), sign.len())
            }
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn length_of(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|sign| !is_part(sign)).unwrap_or(text.len())
}
