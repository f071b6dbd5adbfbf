//! The kinds of text in request bodies, as the OpenAPI document shows them: exactly what
//! [`validation`](super::validation) accepts. A body names the kind of a field by `value_type`, and the check of the
//! field names it too, so that a limit stands in one place. The kinds have no values.

use std::borrow::Cow;

use iso_currency::IntoEnumIterator;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The characters of [`char::is_whitespace`], for use in a character class.
macro_rules! blank {
    () => {
        r"\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    };
}

/// What a line may not have inside: the controls and bidirectional controls of [`characters`](super::characters).
macro_rules! control {
    () => {
        r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
    };
}

/// What leaves no mark: blanks, controls, and the invisible characters of [`characters`](super::characters).
macro_rules! unseen {
    () => {
        concat!(
            blank!(),
            r"\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e",
            r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb",
            "\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}"
        )
    };
}

/// Any text without NUL, which PostgreSQL can't keep.
const ANY: &str = r"^[^\x00]*$";

/// A line that has something to see, with white space around it.
const LINE: &str =
    concat!("^[", blank!(), "]*[^", control!(), "]*[^", unseen!(), "][^", control!(), "]*[", blank!(), "]*$");

/// Such a line, or nothing but white space.
const LINE_OR_NONE: &str = concat!(
    "^[",
    blank!(),
    "]*([^",
    control!(),
    "]*[^",
    unseen!(),
    "][^",
    control!(),
    "]*[",
    blank!(),
    "]*)?$"
);

/// Text without NUL that has something to see.
const SAID: &str = concat!(r"^[^\x00]*[^", unseen!(), r"][^\x00]*$");

/// Such a text, or nothing but white space.
const SAID_OR_NONE: &str = concat!("^([", blank!(), r"]*|[^\x00]*[^", unseen!(), r"][^\x00]*)$");

/// An e-mail address with white space around it.
const ADDRESS: &str = concat!("^[", blank!(), "]*[!-?A-~]+@[!-?A-~]+[", blank!(), "]*$");

/// An e-mail address with white space around it, or an empty text.
const ADDRESS_OR_NONE: &str = concat!("^[", blank!(), "]*([!-?A-~]+@[!-?A-~]+[", blank!(), "]*)?$");

/// A kind of text.
pub trait TextKind {
    /// The most characters that a text of this kind has.
    const MAX: usize;
    /// Whether it may have several lines, and other controls than NUL.
    const HAS_LINES: bool;
}

fn text(min: usize, max: usize, pattern: &str, example: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(max)).pattern(Some(pattern));
    let text = if min > 0 { text.min_length(Some(min)) } else { text };
    text.examples([example]).build().into()
}

/// Whether texts of this pattern may have several lines.
macro_rules! has_lines {
    (ANY) => {
        true
    };
    (SAID) => {
        true
    };
    (SAID_OR_NONE) => {
        true
    };
    ($line:ident) => {
        false
    };
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident: $min:literal to $max:literal of $pattern:ident, as $example:literal;)*) => {$(
        $(#[$doc])*
        pub enum $name {}

        impl TextKind for $name {
            const MAX: usize = $max;
            const HAS_LINES: bool = has_lines!($pattern);
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                text($min, $max, $pattern, $example)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

shapes! {
    /// A name.
    Name: 1 to 200 of LINE, as "佐藤 花子";
    /// The title of a record.
    Title: 1 to 200 of LINE, as "初回訪問";
    /// A line of text; an empty one counts as absent.
    Line: 0 to 200 of LINE_OR_NONE, as "株式会社サンプル";
    /// The comment of a decision that needs one.
    DecisionComment: 1 to 10_000 of SAID, as "金額を見直してください。";
    /// The text of a comment on a record.
    CommentText: 1 to 5_000 of SAID, as "見積もりを送りました。";
    /// Text of several paragraphs.
    Notes: 0 to 10_000 of SAID_OR_NONE, as "見積もりを月末までに送る。";
    /// A telephone number, in any form.
    Phone: 0 to 50 of LINE_OR_NONE, as "03-1234-5678";
    /// An e-mail address.
    Email: 1 to 254 of ADDRESS, as "sato@example.com";
    /// An e-mail address; an empty text counts as absent.
    OptionalEmail: 0 to 254 of ADDRESS_OR_NONE, as "yamada@example.com";
    /// A password to be set.
    NewPassword: 8 to 128 of ANY, as "two-words-and-4";
}

/// Kinds of text that are a choice.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident: $values:expr, as $example:literal;)*) => {$(
        $(#[$doc])*
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some($values));
                text.examples([$example]).build().into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

choices! {
    /// A currency by its ISO 4217 code.
    Currency: iso_currency::Currency::iter().map(|currency| currency.code()), as "JPY";
    /// A time zone by its name in IANA's database.
    TimeZone: chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()), as "Asia/Tokyo";
}
