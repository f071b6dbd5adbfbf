//! The kinds of text in request bodies, as the OpenAPI document shows them: exactly what
//! [`validation`](super::validation) accepts. A body names the kind of a field by `value_type`, and the check of the
//! field names it too, so that a limit stands in one place. The kinds have no values.

use std::borrow::Cow;

use iso_currency::IntoEnumIterator;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Text without NUL, which PostgreSQL can't keep.
const ANY: &str = r"^[^\x00]*$";

/// The characters of [`char::is_whitespace`], for use in a character class.
macro_rules! blank {
    () => {
        r"\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    };
}

/// Text without NUL that has more than white space.
const SAID: &str = concat!(r"^[^\x00]*[^\x00", blank!(), r"][^\x00]*$");

/// An e-mail address with white space around it.
const ADDRESS: &str = concat!("^[", blank!(), "]*[!-?A-~]+@[!-?A-~]+[", blank!(), "]*$");

/// An e-mail address with white space around it, or an empty text.
const ADDRESS_OR_NONE: &str = concat!("^[", blank!(), "]*([!-?A-~]+@[!-?A-~]+[", blank!(), "]*)?$");

/// A kind of text.
pub trait TextKind {
    /// The most characters that a text of this kind has.
    const MAX: usize;
}

fn text(min: usize, max: usize, pattern: &str, example: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(max)).pattern(Some(pattern));
    let text = if min > 0 { text.min_length(Some(min)) } else { text };
    text.examples([example]).build().into()
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident: $min:literal to $max:literal of $pattern:expr, as $example:literal;)*) => {$(
        $(#[$doc])*
        pub enum $name {}

        impl TextKind for $name {
            const MAX: usize = $max;
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
    Name: 1 to 200 of SAID, as "佐藤 花子";
    /// The title of a record.
    Title: 1 to 200 of SAID, as "初回訪問";
    /// A line of text; an empty one counts as absent.
    Line: 0 to 200 of ANY, as "株式会社サンプル";
    /// A comment that may not be empty.
    Comment: 1 to 10_000 of SAID, as "金額を見直してください。";
    /// Text of several paragraphs.
    Notes: 0 to 10_000 of ANY, as "見積もりを月末までに送る。";
    /// A telephone number, in any form.
    Phone: 0 to 50 of ANY, as "03-1234-5678";
    /// An e-mail address.
    Email: 1 to 254 of ADDRESS, as "sato@example.com";
    /// An e-mail address; an empty text counts as absent.
    OptionalEmail: 0 to 254 of ADDRESS_OR_NONE, as "yamada@example.com";
    /// The name of a time zone.
    TimeZone: 1 to 64 of "^[A-Za-z][A-Za-z0-9_+/-]*$", as "Asia/Tokyo";
    /// A password to be set.
    NewPassword: 8 to 128 of ANY, as "two-words-and-4";
}

/// A currency by its ISO 4217 code.
pub enum Currency {}

impl PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        let codes = iso_currency::Currency::iter().map(|currency| currency.code());
        let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes));
        text.examples(["JPY"]).build().into()
    }
}

impl ToSchema for Currency {
    fn name() -> Cow<'static, str> {
        "Currency".into()
    }
}
