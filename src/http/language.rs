//! The language that a request asks for (RFC 9110 §12.5.4): Japanese or English.

use std::cmp::Reverse;

use actix_web::HttpRequest;
use actix_web::http::header::{self, LanguageTag, Preference, Quality, QualityItem};
use kernel::locale::Locale;

type Range = QualityItem<Preference<LanguageTag>>;

/// The language of problems: the one asked for; English if the request names neither.
pub fn locale_of(request: &HttpRequest) -> Locale {
    asked_locale(request).unwrap_or(Locale::En)
}

/// The first of our languages in `Accept-Language`, if there is one.
pub fn asked_locale(request: &HttpRequest) -> Option<Locale> {
    chosen(request.headers().get_all(header::ACCEPT_LANGUAGE).filter_map(|line| line.to_str().ok()))
}

/// The language that these lines of `Accept-Language` choose. One with `q=0` is never chosen.
pub fn chosen<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Locale> {
    let items = lines.flat_map(|line| line.split(',')).filter_map(|item| item.trim().parse::<Range>().ok());
    let named = items.filter_map(|item| Some((ours(&item.item)?, item.quality)));
    let (excluded, mut liked): (Vec<_>, Vec<_>) = named.partition(|(_, quality)| *quality == Quality::ZERO);
    liked.sort_by_key(|(_, quality)| Reverse(*quality));
    let is_excluded = |locale| excluded.iter().any(|(known, _)| *known == locale);
    match liked.first() {
        Some((locale, _)) => Some(*locale),
        None if is_excluded(Locale::En) && !is_excluded(Locale::Ja) => Some(Locale::Ja),
        None => None,
    }
}

fn ours(tag: &Preference<LanguageTag>) -> Option<Locale> {
    match tag.item()?.primary_language() {
        name if name.eq_ignore_ascii_case("ja") => Some(Locale::Ja),
        name if name.eq_ignore_ascii_case("en") => Some(Locale::En),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_most_wanted_of_ours_and_none_that_is_excluded() {
        for (asked, locale) in [
            ("ja", Some(Locale::Ja)),
            ("JA-JP", Some(Locale::Ja)),
            ("ja-Hrkt-JP", Some(Locale::Ja)),
            ("de-DE,de;q=0.9,ja;q=0.5", Some(Locale::Ja)),
            ("en;q=0.2, ja;q=0.9", Some(Locale::Ja)),
            ("en;q=0.5,ja;q=0.5", Some(Locale::En)),
            (",ja", Some(Locale::Ja)),
            ("x-klingon, ja", Some(Locale::Ja)),
            ("ja;q=0, en", Some(Locale::En)),
            ("ja;q=0.0", None),
            ("en;q=0, ja;q=0.1", Some(Locale::Ja)),
            ("en;q=0", Some(Locale::Ja)),
            ("en;q=0, ja;q=0", None),
            ("fr, *;q=0.5", None),
            ("japanese", None),
            (";;;", None),
            ("", None),
        ] {
            assert_eq!(chosen([asked].into_iter()), locale, "{asked}");
        }
        assert_eq!(chosen(["de", "ja"].into_iter()), Some(Locale::Ja), "several lines are one list");
    }
}
