//! The pages and actions of the console, as the navigation, the search and the shortcuts offer them.

use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::icon::Icon;
use crate::i18n;
use kernel::locale::Locale;
use kernel::search::Words;
use kernel::text_key::key;

/// Who may open a page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Everybody,
    Auditors,
    Operators,
}

/// A page, or an action: a page's form of a new record.
pub struct Place {
    /// The key of its name.
    pub label: &'static str,
    pub href: &'static str,
    /// The letter after `g` that leads there.
    pub letter: Option<char>,
    /// The navigation's entry, if it has one.
    pub section: Option<&'static str>,
    of: For,
}

const fn page(label: &'static str, href: &'static str, section: &'static str, letter: char) -> Place {
    Place { label, href, letter: Some(letter), section: Some(section), of: For::Everybody }
}

const fn other(label: &'static str, href: &'static str, of: For) -> Place {
    Place { label, href, letter: None, section: None, of }
}

static PAGES: [Place; 18] = [
    page("nav-home", "/", "home", 'h'),
    page("nav-customers", "/customers", "customers", 'c'),
    page("nav-deals", "/deals", "deals", 'p'),
    page("nav-meetings", "/meetings", "meetings", 'm'),
    page("nav-tasks", "/tasks", "tasks", 't'),
    page("nav-approvals", "/approvals", "approvals", 'a'),
    page("nav-notifications", "/notifications", "notifications", 'n'),
    page("nav-reports", "/reports", "reports", 'r'),
    page("nav-sagas", "/sagas", "sagas", 'd'),
    other("imports-title", "/imports", For::Everybody),
    Place { of: For::Operators, ..page("nav-admin", "/admin", "admin", 'o') },
    other("duplicates-title", "/duplicates", For::Everybody),
    other("admin-users", "/admin/users", For::Operators),
    other("api-keys", "/admin/api-keys", For::Operators),
    other("nav-security", "/admin/security", For::Operators),
    other("nav-audit", "/admin/audit", For::Auditors),
    Place { section: None, ..page("settings-title", "/settings", "settings", 's') },
    other("shortcuts-title", "/shortcuts", For::Everybody),
];

static ACTIONS: [Place; 6] = [
    other("customers-new", "/customers#new-customer", For::Everybody),
    other("deals-new", "/deals#new-deal", For::Everybody),
    other("meetings-new", "/meetings#new-meeting", For::Everybody),
    other("tasks-new", "/tasks#new-task", For::Everybody),
    other("approvals-new", "/approvals#new-approval", For::Everybody),
    other("users-new", "/admin/users#new-user", For::Operators),
];

impl Place {
    /// The icon of its section; an action's is that of adding.
    pub fn icon(&self) -> Icon {
        match self.section {
            Some("home") => Icon::Home,
            Some("customers") => Icon::Customers,
            Some("deals") => Icon::Deals,
            Some("meetings") => Icon::Meetings,
            Some("tasks") => Icon::Tasks,
            Some("approvals") => Icon::Approvals,
            Some("notifications") => Icon::Bell,
            Some("reports") => Icon::Reports,
            Some("sagas") => Icon::Processes,
            Some("admin") => Icon::Shield,
            _ => Icon::Add,
        }
    }

    fn is_for(&self, f: &Frame) -> bool {
        match self.of {
            For::Everybody => true,
            For::Auditors => f.may_audit(),
            For::Operators => f.may_operate(),
        }
    }

    /// Whether its name in either language has all of these words.
    fn fits(&self, words: &Words) -> bool {
        is_named(self.label, words)
    }
}

/// Whether the text of this key has all of these words in one of the languages.
pub fn is_named(label: &str, words: &Words) -> bool {
    [Locale::Ja, Locale::En].into_iter().any(|locale| {
        let name = i18n::text(locale, label, None, &[]).map(|name| key(&name)).unwrap_or_default();
        words.iter().all(|word| name.contains(word))
    })
}

/// The pages that the user may open and whose name has all of these words.
pub fn pages(f: &Frame, words: &Words) -> Vec<&'static Place> {
    PAGES.iter().filter(|page| page.is_for(f) && page.fits(words)).collect()
}

/// The forms that the user may open and whose name has all of these words.
pub fn actions(f: &Frame, words: &Words) -> Vec<&'static Place> {
    ACTIONS.iter().filter(|action| action.is_for(f) && action.fits(words)).collect()
}

/// The entries of the navigation.
pub fn nav(f: &Frame) -> Vec<&'static Place> {
    // Whoever may audit and no more has the audit log in the place of the operations.
    static AUDIT: Place = Place { of: For::Auditors, ..page("nav-audit", "/admin", "admin", 'o') };
    let mut entries: Vec<_> = PAGES.iter().filter(|page| page.section.is_some() && page.is_for(f)).collect();
    if !f.may_operate() && AUDIT.is_for(f) {
        entries.push(&AUDIT);
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_entry_of_the_navigation_has_an_icon_of_its_own() {
        let entries: Vec<_> = PAGES.iter().filter(|page| page.section.is_some()).collect();
        for (at, entry) in entries.iter().enumerate() {
            assert_ne!(entry.icon(), Icon::Add, "{}", entry.href);
            assert!(entries[..at].iter().all(|other| other.icon() != entry.icon()), "{}", entry.href);
        }
    }

    #[test]
    fn every_place_has_a_name_and_a_letter_leads_to_one() {
        let mut letters = HashSet::new();
        for place in PAGES.iter().chain(&ACTIONS) {
            for locale in [Locale::Ja, Locale::En] {
                assert!(i18n::text(locale, place.label, None, &[]).is_some(), "{} {locale:?}", place.label);
            }
            assert!(place.letter.is_none_or(|letter| letters.insert(letter)), "{}", place.href);
        }
    }
}
