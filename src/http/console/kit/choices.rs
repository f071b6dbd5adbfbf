//! What the forms of users and of one's own account offer to choose from.

use crate::http::console::kit::choice::Choice;
use crate::http::console::kit::frame::{Frame, api_word};
use domain::user::record::Theme;
use kernel::locale::Locale;

/// The languages.
pub fn locales(frame: &Frame) -> Vec<Choice> {
    let choice = |locale| {
        let value = api_word(&locale);
        Choice { label: frame.word("locale", &value), value }
    };
    [Locale::Ja, Locale::En].map(choice).into()
}

/// The colours of the console.
pub fn themes(frame: &Frame) -> Vec<Choice> {
    let choice = |theme| {
        let value = api_word(&theme);
        Choice { label: frame.word("theme", &value), value }
    };
    [Theme::System, Theme::Light, Theme::Dark].map(choice).into()
}

/// The time zones, and the `present` one in any case.
pub fn zones(present: &str) -> Vec<Choice> {
    let mut names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    if !names.contains(&present) {
        names.insert(0, present);
    }
    names.into_iter().map(|name| Choice { value: name.to_owned(), label: name.to_owned() }).collect()
}
