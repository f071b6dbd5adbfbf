//! What every page has: language, time zone, who is signed in, and the texts that templates ask for.

use std::fmt::Display;

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;

use crate::actors::operations::messages::{may_audit, may_operate};
use crate::formats;
use crate::http::console::kit::assets;
use crate::http::console::kit::avatar::Avatar;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::icon::{Icon, Icons};
use crate::http::console::kit::places;
use crate::http::console::kit::places::Place;
use crate::http::error::HttpError;
use crate::http::problem::locale_tag;
use crate::http::request_log::tells;
use crate::i18n;
use crate::i18n::Param;
use domain::user::record::{Theme, UserState};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::{Id, new_id};
use kernel::locale::Locale;

/// The greatest number on the bell.
const BADGE_MAX: i64 = 99;

/// The frame around a page; templates call it `f`.
pub struct Frame {
    pub locale: Locale,
    pub zone: Tz,
    pub now: Timestamp,
    pub who: Option<Who>,
    /// Which entry of the navigation is this page's.
    pub section: &'static str,
    /// Vouches for the page's forms.
    pub form: String,
    pub unread: i64,
    /// What was done just now, as a text.
    pub done: Option<String>,
    /// The address of the first page of the list.
    pub first: String,
    /// The page's own address, to come back to.
    pub here: String,
    /// Where the live feed was before the page was made.
    pub cursor: Option<String>,
}

/// Who is signed in.
pub struct Who {
    pub caller: Caller,
    pub name: String,
    pub theme: Theme,
}

impl Frame {
    /// Before signing in.
    pub fn nobodys(locale: Locale, now: Timestamp) -> Self {
        let form = String::new();
        Self {
            locale,
            zone: Tz::UTC,
            now,
            who: None,
            section: "",
            form,
            unread: 0,
            done: None,
            first: String::new(),
            here: String::new(),
            cursor: None,
        }
    }

    /// `done` is the word that the address has after a form: unknown ones say nothing.
    pub fn of(
        state: &UserState,
        caller: Caller,
        section: &'static str,
        now: Timestamp,
        form: String,
        unread: i64,
        done: Option<&str>,
    ) -> Self {
        let user = &state.user;
        let locale = user.locale;
        let done = done.and_then(|word| i18n::text(locale, &format!("done-{word}"), None, &[]));
        let who = Who { caller, name: user.name.clone(), theme: state.preferences.theme };
        // Auth checks the shape of a zone's name, not whether there is such a zone.
        let zone = user.time_zone.parse().unwrap_or(Tz::UTC);
        Self {
            locale,
            zone,
            now,
            who: Some(who),
            section,
            form,
            unread,
            done,
            first: String::new(),
            here: String::new(),
            cursor: None,
        }
    }

    /// The text of a key. One that is missing shows: the E2E looks for the brackets.
    pub fn t(&self, key: &str) -> String {
        i18n::text(self.locale, key, None, &[]).unwrap_or_else(|| format!("⟦{key}⟧"))
    }

    /// A text that has a number in it, `$n`.
    pub fn n(&self, key: &str, number: &i64) -> String {
        let params = [("n", Param::Number(*number)), ("text", Param::Text(self.number(number)))];
        i18n::text(self.locale, key, None, &params).unwrap_or_else(|| format!("⟦{key}⟧"))
    }

    /// A text that has another text in it, `$text`.
    pub fn with(&self, key: &str, text: &str) -> String {
        let params = [("text", Param::Text(text.to_owned()))];
        i18n::text(self.locale, key, None, &params).unwrap_or_else(|| format!("⟦{key}⟧"))
    }

    /// The text of one of a family of words: a status, a role, an event's type.
    pub fn word(&self, family: &str, word: &str) -> String {
        self.t(&format!("{family}-{}", word.replace(['.', '_'], "-")))
    }

    /// As [`word`](Self::word), if there is such a word.
    pub fn known_word(&self, family: &str, word: &str) -> Option<String> {
        i18n::text(self.locale, &format!("{family}-{}", word.replace(['.', '_'], "-")), None, &[])
    }

    /// The heading of a error.
    pub fn word_of(&self, error: &Error) -> String {
        self.t(error.code.as_str())
    }

    pub fn lang(&self) -> &'static str {
        locale_tag(self.locale)
    }

    /// The colours that the user has chosen, if not those of the device.
    pub fn theme(&self) -> Option<&'static str> {
        match self.who.as_ref()?.theme {
            Theme::System => None,
            Theme::Light => Some("light"),
            Theme::Dark => Some("dark"),
        }
    }

    pub fn is(&self, section: &str) -> bool {
        self.section == section
    }

    /// The entries of the navigation.
    pub fn nav(&self) -> Vec<&'static Place> {
        places::nav(self)
    }

    /// Whether the pages of operations are the user's to open.
    pub fn may_operate(&self) -> bool {
        self.who.as_ref().is_some_and(|who| may_operate(&who.caller).is_ok())
    }

    /// Whether the audit log is the user's to read.
    pub fn may_audit(&self) -> bool {
        self.who.as_ref().is_some_and(|who| may_audit(&who.caller).is_ok())
    }

    /// Whether the user sees the records of others, and so may filter lists by their owner.
    pub fn sees_all_owners(&self) -> bool {
        self.who.as_ref().is_some_and(|who| who.caller.only_owner().is_none())
    }

    /// A moment in the user's time zone, to the minute.
    pub fn time(&self, time: &Timestamp) -> String {
        formats::moment(self.locale, *time, self.zone.name())
    }

    /// A moment in the user's time zone, to the second.
    pub fn second(&self, time: &Timestamp) -> String {
        formats::second(self.locale, *time, self.zone.name())
    }

    /// A day.
    pub fn day(&self, day: &NaiveDate) -> String {
        match self.locale {
            Locale::Ja => day.format("%Y年%-m月%-d日").to_string(),
            Locale::En => day.format("%b %-d, %Y").to_string(),
        }
    }

    /// A number with its thousands apart.
    pub fn number(&self, number: &i64) -> String {
        let sign = if *number < 0 { "-" } else { "" };
        format!("{sign}{}", formats::grouped(number.unsigned_abs()))
    }

    /// An amount in its currency's minor unit, as people write it.
    pub fn money(&self, amount: &i64, currency: &str) -> String {
        formats::amount(self.locale, *amount, currency)
    }

    /// The badge's number; what is more is not worth the room.
    pub fn badge(&self) -> String {
        if self.unread > BADGE_MAX { format!("{BADGE_MAX}+") } else { self.unread.to_string() }
    }

    /// The text of no choice: to be made, or what it means.
    pub fn empty_choice(&self, field: &Field) -> String {
        if field.required { self.t("form-choose") } else { self.word("none", field.name) }
    }

    /// What is wrong with a field.
    pub fn fault(&self, code: &str) -> String {
        self.t(&format!("refused-field-{code}"))
    }

    /// A key for a form, which no other form has.
    pub fn key(&self) -> String {
        new_id().to_string()
    }

    /// The icons.
    pub fn icons(&self) -> Icons {
        Icons
    }

    /// The icon of a status, by the word of its badge, if it has one.
    pub fn status_icon(&self, word: impl Display) -> Option<Icon> {
        Icon::of_status(&word.to_string().to_ascii_lowercase())
    }

    /// A person's avatar.
    pub fn avatar(&self, id: &Id, name: &str) -> Avatar {
        Avatar::of(*id, name)
    }

    /// Where the assets of this build are.
    pub fn assets(&self) -> &'static str {
        assets::base()
    }
}

/// The word that the API has for a value: a status, a kind.
pub fn api_word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

/// How what a page is about went: well, or with an error that gives the page its status.
pub struct Outcome<'a>(pub Option<&'a Error>);

/// A page, or a part of one that was refused.
pub fn html(Outcome(error): Outcome<'_>, page: &impl Template) -> HttpResponse {
    let status = error.map_or(200, |error| error.code.status());
    let status = StatusCode::from_u16(status).expect("codes have real statuses");
    match page.render() {
        Ok(text) => {
            let mut answer = HttpResponse::build(status).content_type("text/html; charset=utf-8").body(text);
            if let Some(seconds) = error.and_then(Error::wait_seconds) {
                answer.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            if let Some(error) = error {
                tells(&mut answer, error);
            }
            answer
        }
        Err(failed) => {
            HttpError(Error::internal(format_args!("a template failed: {failed}"))).error_response()
        }
    }
}

/// 303: the browser reads what it has changed.
pub fn redirect(address: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, address)).finish()
}

/// A page as it should be.
pub fn ok(page: &impl Template) -> HttpResponse {
    html(Outcome(None), page)
}
