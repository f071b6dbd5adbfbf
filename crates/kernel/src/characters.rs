//! Which characters a text may have, and which of them a reader sees. Pure.

use std::ops::RangeInclusive;

/// Characters that leave no mark on a screen: Unicode's `Default_Ignorable_Code_Point`, the marks of interlinear
/// annotation, and the blank pattern of Braille. White space and controls are not among them.
const INVISIBLE: [RangeInclusive<char>; 19] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fff8}',
    '\u{fff9}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Whether the character leaves no mark on a screen, though it is no white space and no control.
pub fn leaves_no_mark(c: char) -> bool {
    c >= *INVISIBLE[0].start() && INVISIBLE.iter().any(|range| range.contains(&c))
}

/// Whether a reader sees the character.
pub fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !leaves_no_mark(c)
}

/// Whether the character ends a line or controls a terminal: C0, DEL, C1, and Unicode's separators of lines and
/// paragraphs.
pub fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether the character makes the text after it run the other way: embeddings, overrides and isolates. The marks
/// U+200E, U+200F and U+061C do not.
pub fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text for a terminal or a log line: controls and bidirectional overrides are written as Rust escapes them
/// (`\u{1b}`), so that data cannot move the cursor, forge a line or reorder one.
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if is_control(c) || is_bidi_control(c) {
            printable.extend(c.escape_unicode());
        } else {
            printable.push(c);
        }
    }
    printable
}

/// JSON text with its controls escaped as JSON does it: serde_json leaves those from U+007F on as they are. Line feeds
/// stay, because they stand only between values.
pub fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && (is_control(c) || is_bidi_control(c)) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_json_keeps_its_value_and_has_no_control() {
        let name = "x\u{1b}]0;t\u{7}\n\u{7f}\u{9b}2J\u{2028}\u{202e}絆";
        let text = escaped_json(&serde_json::to_string(name).expect("text"));
        assert!(!text.chars().any(|c| is_control(c) || is_bidi_control(c)), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).expect("JSON"), name);
    }

    #[test]
    fn what_leaves_no_mark_is_invisible() {
        for c in [
            ' ',
            '\u{a0}',
            '\u{3000}',
            '\n',
            '\0',
            '\u{1b}',
            '\u{9b}',
            '\u{200b}',
            '\u{feff}',
            '\u{2060}',
            '\u{ad}',
            '\u{202e}',
            '\u{3164}',
            '\u{2800}',
            '\u{fe0f}',
            '\u{2028}',
            '\u{e0041}',
        ] {
            assert!(!is_visible(c), "{c:?}");
        }
        for c in ['a', '絆', 'ｱ', '-', '。', '\u{e000}', '🦌'] {
            assert!(is_visible(c), "{c:?}");
        }
    }

    #[test]
    fn nothing_of_a_text_reaches_a_terminal_as_a_control() {
        assert_eq!(printable("絆 a-1"), "絆 a-1");
        assert_eq!(
            printable("x\u{1b}]0;t\u{7}\r\n\u{9b}2J\u{2028}\u{202e}y\tz"),
            r"x\u{1b}]0;t\u{7}\u{d}\u{a}\u{9b}2J\u{2028}\u{202e}y\u{9}z"
        );
    }
}
