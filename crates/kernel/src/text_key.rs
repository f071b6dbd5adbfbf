//! The key of a text: texts are compared, searched and sorted by it (SPEC §2). What a reader takes for one word has one
//! key, whatever keyboard it was typed on. Texts themselves are kept as they were typed. Pure.
//!
//! The key is the text in NFKC, with full case folding (Unicode's, not the Turkic one), kana as hiragana, without
//! characters that leave no mark, with white space as one blank and none around, and with the abbreviations of kinds of
//! companies written out. Accents, voicing marks and long vowels are kept. The key of a key is the key itself.

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};

use crate::characters::leaves_no_mark;

const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfkc();
const CASES: CaseMapperBorrowed<'static> = CaseMapper::new();

/// Passes after which a key is taken as it is. Two are enough for all texts that are known; a test looks for others.
const PASSES_MAX: usize = 4;

/// From a katakana to its hiragana.
const TO_HIRAGANA: u32 = 0x60;

/// Kinds of companies by their abbreviation as it is after NFKC: `㈱` and `（株）` are `(株)` then. They are those of the
/// banks' table of abbreviations of corporations (法人略語, as used in transfers) that are written with one character in
/// parentheses and stand for one kind alone.
const COMPANIES: [(char, &str); 11] = [
    ('株', "株式会社"),
    ('有', "有限会社"),
    ('名', "合名会社"),
    ('資', "合資会社"),
    ('同', "合同会社"),
    ('社', "社団法人"),
    ('財', "財団法人"),
    ('医', "医療法人"),
    ('学', "学校法人"),
    ('宗', "宗教法人"),
    ('福', "社会福祉法人"),
];

/// The key of a text.
pub fn key(text: &str) -> String {
    if text.is_ascii() {
        return blanks(text.chars().map(|c| c.to_ascii_lowercase()));
    }
    let mut key = folded(text);
    for _ in 0..PASSES_MAX {
        // A folded letter may compose with the mark after it, and what it composes to may fold.
        let again = folded(&key);
        if again == key {
            break;
        }
        key = again;
    }
    blanks(written_out(&key).chars())
}

/// Whether two texts have one key.
pub fn alike(one: &str, other: &str) -> bool {
    key(one) == key(other)
}

fn folded(text: &str) -> String {
    // NFKC would put a blank before a voicing mark that stands for itself: `カ゛` is `ガ`.
    let joined: String;
    let text = if text.contains(['\u{309b}', '\u{309c}']) {
        joined = text.replace('\u{309b}', "\u{3099}").replace('\u{309c}', "\u{309a}");
        &joined
    } else {
        text
    };
    let normalized = NFKC.normalize(text);
    let cases = CASES.fold_string(&normalized);
    let mut kana = String::with_capacity(cases.len());
    cases.chars().filter(|c| !leaves_no_mark(*c)).for_each(|c| push_hiragana(&mut kana, c));
    NFKC.normalize(&kana).into_owned()
}

fn push_hiragana(text: &mut String, c: char) {
    match c {
        'ァ'..='ヶ' | 'ヽ' | 'ヾ' => {
            text.extend(char::from_u32(u32::from(c) - TO_HIRAGANA));
        }
        // Hiragana has these with a mark alone.
        'ヷ' => text.push_str("わ\u{3099}"),
        'ヸ' => text.push_str("ゐ\u{3099}"),
        'ヹ' => text.push_str("ゑ\u{3099}"),
        'ヺ' => text.push_str("を\u{3099}"),
        _ => text.push(c),
    }
}

/// White space and controls as one blank, and none around.
fn blanks(characters: impl Iterator<Item = char>) -> String {
    let mut text = String::with_capacity(characters.size_hint().0);
    let mut is_after_blank = false;
    for c in characters {
        if c.is_whitespace() || c.is_control() {
            is_after_blank = !text.is_empty();
        } else {
            if std::mem::take(&mut is_after_blank) {
                text.push(' ');
            }
            text.push(c);
        }
    }
    text
}

/// With the kinds of companies written out.
fn written_out(text: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('(') {
        let (before, from) = rest.split_at(at);
        done.push_str(before);
        let mut inside = from.chars().skip(1);
        let found = match (inside.next(), inside.next()) {
            (Some(c), Some(')')) => COMPANIES.iter().find(|(kind, _)| *kind == c),
            _ => None,
        };
        rest = match found {
            Some((kind, company)) => {
                done.push_str(company);
                &from["()".len() + kind.len_utf8()..]
            }
            None => {
                done.push('(');
                &from["(".len()..]
            }
        };
    }
    done + rest
}

/// Whether the script of the character has no blanks between words: kanji and kana.
fn is_written_on(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{1b000}'..='\u{1b16f}' | '\u{20000}'..='\u{3ffff}')
}

/// A key without the blanks beside kanji and kana, where people write them or not (`佐藤 太郎`, `佐藤太郎`); `None` if it
/// has no such blank.
pub fn without_optional_blanks(key: &str) -> Option<String> {
    let mut joined = String::with_capacity(key.len());
    for word in key.split(' ') {
        let meets = joined.chars().next_back().into_iter().chain(word.chars().next()).any(is_written_on);
        if !joined.is_empty() && !meets {
            joined.push(' ');
        }
        joined.push_str(word);
    }
    (joined.len() < key.len()).then_some(joined)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_two_keyboards_write_differently_has_one_key() {
        for (one, other) in [
            ("ｱﾍﾞ", "アベ"),
            ("アベ", "あべ"),
            ("ﾊﾝｶｸ", "はんかく"),
            ("ﾎﾟｰﾙ", "ぽーる"),
            ("ﾊﾞｲｵﾘﾝ", "バイオリン"),
            ("カ゛ンタ゛ム", "ガンダム"),
            ("カ\u{3099}ンタ\u{3099}ム", "がんだむ"),
            ("ｶﾞﾝﾀﾞﾑ", "ガンダム"),
            ("ヴァイオリン", "ゔぁいおりん"),
            ("ｳﾞｧ", "ヴァ"),
            ("カヵケヶ", "かゕけゖ"),
            ("ヷヸヹヺ", "わ\u{3099}ゐ\u{3099}ゑ\u{3099}を\u{3099}"),
            ("サヽキ", "さゝき"),
            ("バヾ", "ばゞ"),
            ("ｻﾄｳ", "さとう"),
            ("㌔", "キロ"),
            ("ヿ", "コト"),
            ("㈱山田", "（株）山田"),
            ("㈱山田", "株式会社山田"),
            ("山田㈲", "山田有限会社"),
            ("㍿山田", "㈱山田"),
            ("ＡＢＣ　商事", "abc 商事"),
            ("０９０－１２３４", "090-1234"),
            ("ｙａｍａｄａ＠ｅｘａｍｐｌｅ．ｊｐ", "YAMADA@example.jp"),
            ("Straße", "STRASSE"),
            ("GROẞ", "groß"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("БЬЁРН", "бьёрн"),
            ("Cafe\u{301}", "CAFÉ"),
            ("ﬁnance", "FINANCE"),
            ("İstanbul", "i\u{307}stanbul"),
            ("한국전력", "\u{1112}\u{1161}\u{11ab}국전력"),
            ("葛\u{e0100}城", "葛城"),
            ("絆\u{200b}\u{fe0f}", "絆"),
            ("co\u{ad}op", "coop"),
            ("\u{a0}佐藤\u{3000} \t太郎\u{2003}", "佐藤 太郎"),
            ("a\u{1b}b", "a b"),
            ("神", "神"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
            assert!(alike(one, other));
        }
    }

    #[test]
    fn what_a_reader_tells_apart_has_two_keys() {
        for (one, other) in [
            ("Müller", "Muller"),
            ("はん", "ばん"),
            ("はん", "ぱん"),
            ("つき", "っき"),
            ("カー", "カア"),
            ("佐藤太郎", "佐藤 太郎"),
            ("istanbul", "İstanbul"),
            ("ı", "i"),
            ("斎藤", "斉藤"),
            ("(株", "株式会社"),
            ("(木)", "株式会社"),
            ("ケ", "ヶ"),
        ] {
            assert_ne!(key(one), key(other), "{one} {other}");
        }
    }

    #[test]
    fn keys_are_as_they_were() {
        // They stand in databases: another key needs another version of the keys (`search::VERSION`).
        for (text, expected) in [
            ("株式会社　サトウ", "株式会社 さとう"),
            ("  A  b\nC ", "a b c"),
            ("ﾔﾏﾀﾞ(株)　Tokyo", "やまだ株式会社 tokyo"),
            ("((株))(有(株)", "(株式会社)(有株式会社"),
            ("¨", "\u{308}"),
            ("", ""),
            ("\u{200b}", ""),
        ] {
            assert_eq!(key(text), expected, "{text:?}");
        }
    }

    #[test]
    fn blanks_beside_kanji_and_kana_may_be_left_out() {
        for (text, expected) in [
            ("佐藤 太郎", Some("佐藤太郎")),
            ("さとう たろう", Some("さとうたろう")),
            ("abc 商事 東京", Some("abc商事東京")),
            ("big corp 東京", Some("big corp東京")),
            ("john smith", None),
            ("佐藤太郎", None),
            ("", None),
        ] {
            assert_eq!(without_optional_blanks(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn the_key_of_a_key_is_the_key(text in "\\PC{0,12}") {
            let once = key(&text);
            prop_assert_eq!(key(&once), once);
        }

        #[test]
        fn the_key_of_any_characters_is_its_own_key(
            text in proptest::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter)
        ) {
            let once = key(&text);
            prop_assert_eq!(key(&once), once.clone());
            prop_assert!(!once.chars().any(char::is_control) && once.trim() == once && !once.contains("  "));
        }
    }

    #[test]
    fn every_character_has_a_key_that_is_its_own_key() {
        // With what composes after it, too.
        for c in ('\0'..='\u{1ffff}').chain('\u{2f800}'..='\u{2fa1f}').chain('\u{e0000}'..='\u{e01ff}') {
            for text in
                [String::from(c), format!("{c}\u{301}"), format!("{c}\u{3099}"), format!("a{c}\u{345}")]
            {
                let once = key(&text);
                assert_eq!(key(&once), once, "{text:?}");
            }
        }
    }
}
