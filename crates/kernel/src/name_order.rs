//! The order of names: a Japanese collation (CLDR), as text that databases compare byte by byte. Latin letters come
//! first, then kana, then kanji in the order of JIS. Pure.

use std::sync::LazyLock;

use base64::Engine;
use base64::alphabet::CRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use icu_collator::options::CollatorOptions;
use icu_collator::{Collator, CollatorBorrowed};
use icu_locale_core::locale;

/// The bytes of a sort key that are kept: enough for some 60 kanji or 90 kana. Names that differ later are equal in the
/// order, and go by their ids. An index of PostgreSQL takes 2,700 bytes for all of its columns.
const BYTES_MAX: usize = 192;
/// The most characters of [`name_order`].
pub const CHARACTERS_MAX: usize = BYTES_MAX.div_ceil(3) * 4;

static JAPANESE: LazyLock<CollatorBorrowed<'static>> = LazyLock::new(|| {
    Collator::try_new(locale!("ja").into(), CollatorOptions::default()).expect("the collation is compiled in")
});

/// Base64 whose digits stand in the order of their values: texts compare as the bytes do.
const ORDERED: GeneralPurpose = GeneralPurpose::new(&CRYPT, NO_PAD);

/// The sort key of a name, made of the name's [key](crate::text_key::key): so case, width and the kind of kana make no
/// difference.
pub fn name_order(key: &str) -> String {
    let mut bytes = Vec::with_capacity(BYTES_MAX);
    let Ok(()) = JAPANESE.write_sort_key_to(key, &mut bytes);
    bytes.truncate(BYTES_MAX);
    ORDERED.encode(bytes)
}

/// Whether a text may be a sort key.
pub fn is_order(text: &str) -> bool {
    text.len() <= CHARACTERS_MAX && text.bytes().all(|c| matches!(c, b'.'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text_key::key;

    fn order(name: &str) -> String {
        name_order(&key(name))
    }

    #[test]
    fn names_stand_where_people_look_for_them() {
        let names = [
            "Äpfel",
            "apple",
            "Banana",
            "cherry",
            "éclair",
            "Eddy",
            "Zebra",
            "アイウ",
            "イエオ",
            "カトウ",
            "ガトウ",
            "はな",
            "ばな",
            "ぱな",
            "わだ",
            "亜細亜",
            "佐藤",
            "山田",
            "鈴木",
        ];
        let mut sorted = names;
        sorted.reverse();
        sorted.sort_by_key(|name| order(name));
        assert_eq!(sorted, names);
    }

    #[test]
    fn case_width_and_the_kind_of_kana_are_equal() {
        for (one, other) in
            [("アイウ", "あいう"), ("ｱｲｳ", "あいう"), ("ＡＢＣ", "abc"), ("㈱絆", "株式会社絆")]
        {
            assert_eq!(order(one), order(other), "{one} {other}");
        }
        assert_ne!(order("はな"), order("ばな"));
    }

    #[test]
    fn a_sort_key_is_bounded() {
        let longest = order(&"齉".repeat(200));
        assert_eq!(longest.len(), CHARACTERS_MAX);
        assert!(is_order(&longest) && is_order("") && !is_order("山田") && !is_order("a b"));
        assert!(!is_order(&"a".repeat(CHARACTERS_MAX + 1)));
    }

    #[test]
    fn sort_keys_are_as_they_were() {
        // They stand in databases: another version of ICU may make others, which needs another version of the keys
        // (`search::VERSION`).
        for (text, expected) in [
            ("Kizuna", "DnhRIoIf.Ec/0U"),
            ("さとう", "Llki0U25.EQ"),
            ("佐藤 花子", "kab4m.GzZQ9Z.EY/0E"),
            ("株式会社キズナー", "k/D16vykkoJT30.k/U3.fUM/1.6"),
        ] {
            assert_eq!(order(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn texts_compare_as_their_bytes_do(
            one in proptest::collection::vec(any::<u8>(), 0..6), other in proptest::collection::vec(any::<u8>(), 0..6)
        ) {
            prop_assert_eq!(ORDERED.encode(&one).cmp(&ORDERED.encode(&other)), one.cmp(&other));
        }
    }
}
