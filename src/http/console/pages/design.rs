//! `/design`: the parts of the console in all their states, and the tokens. A demo alone has it.

use actix_web::get;
use askama::Template;

use crate::http::console::kit::assets;
use crate::http::console::kit::avatar::Avatar;
use crate::http::console::kit::chart::{Bars, Line, bars, line};
use crate::http::console::kit::choice::Choice;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::Form;
use crate::http::console::kit::frame::{Frame, ok};
use crate::http::console::kit::icon::Icon;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::error::HttpResult;
use chrono::{Days, NaiveDate};
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};

/// The tokens of one kind, and how the page shows them.
struct Tokens {
    /// The word of its heading.
    kind: &'static str,
    names: Vec<&'static str>,
}

/// What the names of the tokens of a kind begin with. What begins with none of these is a colour.
const KINDS: [(&str, &str); 5] = [
    ("spaces", "--space-"),
    ("types", "--text-"),
    ("radii", "--radius-"),
    ("shadows", "--shadow-"),
    ("motions", "--motion-"),
];

/// A family of statuses: the prefix of their texts, and their words.
type Statuses = (&'static str, &'static [&'static str]);

const STATUSES: [Statuses; 5] = [
    ("status", &["LEAD", "ACTIVE", "DORMANT"]),
    ("due", &["overdue", "soon", "done"]),
    ("approval", &["PENDING", "APPROVED", "REJECTED", "CANCELLED"]),
    ("saga-status", &["running", "completed", "failed"]),
    ("breaker", &["closed", "open", "half_open"]),
];

#[derive(Template)]
#[template(path = "design.html")]
struct DesignPage {
    f: Frame,
    tokens: Vec<Tokens>,
    icons: &'static [(Icon, &'static str)],
    avatars: Vec<(Avatar, String)>,
    statuses: [Statuses; 5],
    form: Form,
    bars: Bars,
    line: Line,
    from: NaiveDate,
    to: NaiveDate,
    /// The days of the line, in a row.
    labels: String,
}

#[get("/design")]
pub async fn index(me: SessionUser) -> HttpResult {
    if !me.gateway.is_demo {
        return Err(Error::new(ErrorCode::NotFound).into());
    }
    let f = me.frame("design").await;
    let values = [3, 5, 2, 0, 0, 8, 12, 9, 4, 6, 0, 1, 7, 10];
    let to = f.now.utc().with_timezone(&f.zone).date_naive();
    let from = to - Days::new(values.len() as u64 - 1);
    let days: Vec<String> = from.iter_days().take(values.len()).map(|day| f.day(&day)).collect();
    let shown = [("LEAD", 42), ("ACTIVE", 17), ("DORMANT", 3)];
    let bar = |(status, count): (&str, i64)| (f.word("status", status), count, f.number(&count));
    Ok(ok(&DesignPage {
        tokens: tokens(),
        icons: Icon::ALL,
        avatars: ["佐藤 花子", "田中 次郎", "Grace Hopper", "Ludwig van Beethoven", "김 민준", "山田 太郎"]
            .map(|name| (Avatar::of(someone(), name), name.to_owned()))
            .into(),
        statuses: STATUSES,
        form: form(&f),
        bars: bars(shown.map(bar).into()),
        line: line(&values),
        from,
        to,
        labels: days.join("|"),
        f,
    }))
}

fn someone() -> Id {
    new_id()
}

/// The tokens by kind, as the stylesheet has them.
fn tokens() -> Vec<Tokens> {
    let names: Vec<&str> = assets::tokens().collect();
    let is_other = |name: &str| {
        ["--sans", "--mono", "--ring-bad"].contains(&name)
            || KINDS.iter().any(|(_, prefix)| name.starts_with(prefix))
    };
    let colours = names.iter().copied().filter(|name| !is_other(name)).collect();
    let mut tokens = vec![Tokens { kind: "colours", names: colours }];
    for (kind, prefix) in KINDS {
        tokens.push(Tokens {
            kind,
            names: names.iter().copied().filter(|name| name.starts_with(prefix)).collect(),
        });
    }
    tokens
}

/// A form with a field of each kind; one of them is refused.
fn form(f: &Frame) -> Form {
    let choice = |status: &&str| Choice { value: (*status).to_owned(), label: f.word("status", status) };
    let mut email = Field::email("email").holding("name@");
    email.error = Some(f.t("field-invalid_email"));
    let fields = vec![
        Field::text("name").required().holding("青空商事"),
        email,
        Field::choice("status", STATUSES[0].1.iter().map(choice).collect()).required().holding("ACTIVE"),
        Field::amount("amount").hint("amount-hint").holding("1,250"),
        Field::moment("due_at"),
        Field::area("notes"),
        Field::phone("phone").more(),
    ];
    Form::new("design-form", "/design", "submit-save", fields)
}
