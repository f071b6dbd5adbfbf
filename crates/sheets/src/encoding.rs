//! The encoding of a text, and how it is detected.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

/// An encoding that texts may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    ShiftJis,
}

impl Encoding {
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::ShiftJis];

    /// Its name, as the IANA lists it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::ShiftJis => "Shift_JIS",
        }
    }

    /// The encoding of this name, in any case.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn standard(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::ShiftJis => SHIFT_JIS,
        }
    }

    /// The encoding of these bytes, as far as they show it; `None` if it is none of them.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        if let Some((marked, _)) = encoding_rs::Encoding::for_bom(bytes) {
            return Self::ALL.into_iter().find(|it| it.standard() == marked);
        }
        if let Some(wide) = without_mark(bytes) {
            return Some(wide);
        }
        if std::str::from_utf8(bytes).is_ok() {
            return Some(Self::Utf8);
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(bytes, true);
        let guess = detector.guess(Some(b"jp"), Utf8Detection::Deny);
        // Of a short text the guess may be a Western one: then the bytes themselves say whether they are Shift_JIS.
        let is_possible = guess == SHIFT_JIS || guess.is_single_byte();
        is_possible.then_some(Self::ShiftJis)
    }
}

/// UTF-16 without a mark: every other byte of its ASCII characters is zero.
fn without_mark(bytes: &[u8]) -> Option<Encoding> {
    let (mut low, mut high) = (0_usize, 0_usize);
    for pair in bytes.chunks_exact(2) {
        low += usize::from(pair[1] == 0 && pair[0] != 0);
        high += usize::from(pair[0] == 0 && pair[1] != 0);
    }
    // A stray zero makes no UTF-16: its line feeds alone are more.
    let few = (bytes.len() / 2 / 50).max(1);
    let is_wide =
        |many: usize, others: usize| many > few && others <= many / 20 && bytes.len().is_multiple_of(2);
    match (low, high) {
        (low, high) if is_wide(low, high) => Some(Encoding::Utf16Le),
        (low, high) if is_wide(high, low) => Some(Encoding::Utf16Be),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "氏名,メール\n青空商事,sato@example.com\n山田,yamada@example.com\n";

    fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
        let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn each_encoding_is_detected_with_and_without_a_mark() {
        for mark in [false, true] {
            assert_eq!(Encoding::detect(&utf16(TEXT, false, mark)), Some(Encoding::Utf16Le), "{mark}");
            assert_eq!(Encoding::detect(&utf16(TEXT, true, mark)), Some(Encoding::Utf16Be), "{mark}");
        }
        assert_eq!(Encoding::detect(TEXT.as_bytes()), Some(Encoding::Utf8));
        assert_eq!(Encoding::detect(format!("\u{feff}{TEXT}").as_bytes()), Some(Encoding::Utf8));
        assert_eq!(Encoding::detect(&SHIFT_JIS.encode(TEXT).0), Some(Encoding::ShiftJis));
        assert_eq!(Encoding::detect(&SHIFT_JIS.encode("氏名\n山田\n").0), Some(Encoding::ShiftJis));
        assert_eq!(Encoding::detect(b"name,email\nAnn,ann@example.com\n"), Some(Encoding::Utf8));
    }

    #[test]
    fn a_nul_in_a_text_does_not_make_it_utf_16() {
        assert_eq!(Encoding::detect(b"name,email\nAnn\0,ann@example.com\n"), Some(Encoding::Utf8));
    }

    #[test]
    fn another_encoding_of_japanese_is_none_of_them() {
        let text = "氏名,会社\n青空商事の佐藤さん,ひらがなとカタカナ\n";
        assert_eq!(Encoding::detect(&encoding_rs::EUC_JP.encode(text).0), None);
    }

    #[test]
    fn names_are_read_in_any_case() {
        for encoding in Encoding::ALL {
            assert_eq!(Encoding::of(&encoding.name().to_lowercase()), Some(encoding));
        }
        assert_eq!(Encoding::of("latin1"), None);
    }
}
