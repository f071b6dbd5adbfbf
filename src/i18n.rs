//! Texts for people, in Japanese and English (`locales/*.ftl`).

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::{LanguageIdentifier, langid};

use kernel::locale::Locale;

/// The API's texts, and the web console's.
const JA: [&str; 2] = [include_str!("../locales/ja.ftl"), include_str!("../locales/console.ja.ftl")];
const EN: [&str; 2] = [include_str!("../locales/en.ftl"), include_str!("../locales/console.en.ftl")];

struct Texts {
    ja: FluentBundle<FluentResource>,
    en: FluentBundle<FluentResource>,
}

static TEXTS: LazyLock<Texts> =
    LazyLock::new(|| Texts { ja: bundle(langid!("ja"), JA), en: bundle(langid!("en"), EN) });

fn bundle(language: LanguageIdentifier, sources: [&str; 2]) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // The isolation marks are for bidirectional screens; these texts go into JSON.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = FluentResource::try_new(source.to_owned()).expect("locales/*.ftl parse (tested)");
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

    #[test]
    fn both_languages_have_the_same_messages() {
        let keys = |sources: [&str; 2]| {
            let lines = sources.into_iter().flat_map(str::lines);
            let heads = lines.filter(|line| line.contains(" =") && !line.starts_with([' ', '#']));
            let mut keys: Vec<_> = heads.map(|line| line.split(" =").next().unwrap().to_owned()).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(JA), keys(EN));
    }
}
