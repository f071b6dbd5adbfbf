//! Texts for people, in Japanese and English (`locales/`).

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::{LanguageIdentifier, langid};

use kernel::locale::Locale;

/// A file of texts in both languages.
struct Source {
    ja: &'static str,
    en: &'static str,
}

macro_rules! source {
    ($path:literal) => {
        Source {
            ja: include_str!(concat!("../locales/", $path, "ja.ftl")),
            en: include_str!(concat!("../locales/", $path, "en.ftl")),
        }
    };
}

/// The API's texts, and the web console's by theme.
static SOURCES: [Source; 13] = [
    source!(""),
    source!("console/frame."),
    source!("console/lists."),
    source!("console/doubles."),
    source!("console/deal_reports."),
    source!("console/imports."),
    source!("console/fields."),
    source!("console/records."),
    source!("console/operations."),
    source!("console/events."),
    source!("console/pages."),
    source!("console/keys."),
    source!("console/webhooks."),
];

struct Texts {
    ja: FluentBundle<FluentResource>,
    en: FluentBundle<FluentResource>,
}

static TEXTS: LazyLock<Texts> =
    LazyLock::new(|| Texts { ja: bundle(langid!("ja"), ja), en: bundle(langid!("en"), en) });

fn ja(source: &Source) -> &'static str {
    source.ja
}

fn en(source: &Source) -> &'static str {
    source.en
}

fn bundle(language: LanguageIdentifier, of: fn(&Source) -> &'static str) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // The isolation marks are for bidirectional screens; these texts go into JSON.
    bundle.set_use_isolating(false);
    for source in &SOURCES {
        let resource = FluentResource::try_new(of(source).to_owned()).expect("the files parse (tested)");
        bundle.add_resource(resource).expect("no message is given twice (tested)");
    }
    bundle
}

/// The value of a text's parameter.
#[derive(Clone, Debug)]
pub enum Param {
    Text(String),
    Number(i64),
}

/// The text `key` (or its attribute `key.attribute`), or `None` if it does not exist.
pub fn text(locale: Locale, key: &str, attribute: Option<&str>, params: &[(&str, Param)]) -> Option<String> {
    let bundle = match locale {
        Locale::Ja => &TEXTS.ja,
        Locale::En => &TEXTS.en,
    };
    let message = bundle.get_message(key)?;
    let pattern = match attribute {
        Some(name) => message.get_attribute(name)?.value(),
        None => message.value()?,
    };
    let mut args = FluentArgs::new();
    for (name, value) in params {
        let value = match value {
            Param::Text(text) => FluentValue::from(text.clone()),
            Param::Number(number) => FluentValue::from(*number),
        };
        args.set(*name, value);
    }
    Some(bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::error::ErrorCode;

    #[test]
    fn every_code_has_its_texts_in_both_languages() {
        for locale in [Locale::Ja, Locale::En] {
            for code in ErrorCode::ALL {
                let key = code.as_str();
                assert!(text(locale, key, None, &[]).is_some(), "{key} in {locale:?}");
                assert!(text(locale, key, Some("detail"), &[]).is_some(), "{key}.detail in {locale:?}");
            }
        }
    }

    const GLOSSARY: &str = include_str!("../locales/GLOSSARY.md");

    /// Keys that have a word of the last columns, for a reason that the glossary gives.
    fn is_exception(key: &str) -> bool {
        GLOSSARY.lines().any(|line| line.starts_with(&format!("- `{key}`")))
    }

    /// The texts of a language: a key, and its text or one of its attributes.
    fn texts(of: fn(&Source) -> &'static str) -> Vec<(String, String)> {
        let mut key = "";
        let mut texts = Vec::new();
        for line in SOURCES.iter().flat_map(|source| of(source).lines()).filter(|line| !line.starts_with('#'))
        {
            let (head, text) = line.split_once('=').unwrap_or(("", line));
            if !line.starts_with(' ') && !head.is_empty() {
                key = head.trim();
            }
            // What stands in braces is a parameter.
            let text: String = text.split('{').map(|part| part.rsplit('}').next().unwrap_or(part)).collect();
            texts.push((key.to_owned(), text));
        }
        texts
    }

    /// The rows of the glossary's table: what a term means, and four lists of words.
    fn terms() -> Vec<Vec<Vec<String>>> {
        let rows = GLOSSARY.lines().filter(|line| line.starts_with('|')).skip(2);
        let words = |cell: &str| cell.split(',').map(|word| word.trim().to_owned()).collect();
        rows.map(|row| row.trim_matches('|').split('|').map(words).collect()).collect()
    }

    /// Whether an English text has these words as whole ones.
    fn says(text: &str, words: &str) -> bool {
        let plain = |text: &str| {
            let letters =
                text.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' });
            let text: String = letters.collect();
            format!(" {} ", text.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        plain(text).contains(&plain(words))
    }

    #[test]
    fn texts_have_the_words_of_the_glossary_and_none_that_it_excludes() {
        let (japanese, english) = (texts(ja), texts(en));
        let mut faults = Vec::new();
        let terms = terms();
        assert!(terms.len() > 10, "the test finds them: {}", terms.len());
        for term in terms {
            let [meaning, ja, en, not_ja, not_en] = &term[..] else { panic!("five columns: {term:?}") };
            for (key, text) in japanese.iter().filter(|(key, _)| !is_exception(key)) {
                let found = not_ja.iter().filter(|word| text.contains(word.as_str()));
                faults.extend(found.map(|word| format!("{key}: {word}, say {ja:?}:{text}")));
            }
            for (key, text) in english.iter().filter(|(key, _)| !is_exception(key)) {
                let found = not_en.iter().filter(|words| says(text, words));
                faults.extend(found.map(|words| format!("{key}: {words}, say {en:?}:{text}")));
            }
            let is_used = japanese.iter().any(|(_, text)| ja.iter().any(|word| text.contains(word.as_str())))
                && english.iter().any(|(_, text)| en.iter().any(|words| says(text, words)));
            assert!(is_used, "no text says {meaning:?}");
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn both_languages_have_the_same_messages_in_the_same_files() {
        let keys = |text: &'static str| {
            let heads = text.lines().filter(|line| line.contains(" =") && !line.starts_with([' ', '#']));
            let mut keys: Vec<_> = heads.map(|line| line.split(" =").next().unwrap()).collect();
            keys.sort_unstable();
            keys
        };
        for source in &SOURCES {
            assert!(keys(source.ja).len() > 3, "the test finds them");
            assert_eq!(keys(source.ja), keys(source.en));
        }
    }

    #[test]
    fn every_file_of_texts_is_read() {
        let files = |folder: &str| {
            let folder =
                std::fs::read_dir(format!("{}/locales{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
            folder
                .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().ends_with(".ftl"))
                .count()
        };
        assert_eq!(files("") + files("/console"), 2 * SOURCES.len());
    }
}
