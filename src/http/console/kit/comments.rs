//! The comments on a record's page: one part for the pages of all records.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::http::beside;
use crate::http::console::kit::choice::Source;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::Form;
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::{Names, References};
use crate::http::console::kit::session_user::SessionUser;
use crate::http::error::HttpError;
use crate::http::methods::no_resource;
use crate::http::paging::next_of;
use domain::comment::mentions;
use domain::comment::mentions::Part;
use domain::comment::messages::{FindComment, ListComments, RecordRef};
use domain::comment::record::Comment;
use domain::comment::rules::{may_delete, may_edit};
use domain::search::record::RecordType;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};

/// Comments on the page of their record.
const EMBEDDED: i64 = 10;
/// The field of a form that names a mentioned person: an id, a blank, a name.
const MENTION: &str = "mention";

/// A part of a comment's text, as a page shows it.
pub enum Piece {
    Text(String),
    /// A person's name.
    Mention(String),
    /// An address of the web.
    Link(String),
}

/// A comment.
pub struct CommentRow {
    pub id: Id,
    pub author: String,
    pub author_id: Id,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub pieces: Vec<Piece>,
    pub may_edit: bool,
    pub may_delete: bool,
}

/// The part of a page with the comments on a record; templates call it `comments`.
pub struct CommentsView {
    /// The address of the comments.
    pub path: String,
    pub rows: Vec<CommentRow>,
    /// The comment that the address names, if it is not among these.
    pub named: Option<CommentRow>,
    pub older: Option<String>,
    pub form: Form,
    /// Whom the form's text mentions by name.
    pub people: Vec<(Id, String)>,
    /// Tells the newest comment from the one before it.
    pub state: String,
    /// The page to come back to.
    pub back: String,
}

/// The record that an address is about.
#[derive(Clone, Copy)]
pub struct RecordAt(pub RecordRef);

impl FromRequest for RecordAt {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let part = |name| request.match_info().get(name);
        let r#type = part("records").and_then(|name| RecordType::parse(name.strip_suffix('s')?));
        let record = r#type.zip(part("id").and_then(Id::parse));
        let record = record.map(|(r#type, id)| Self(RecordRef { r#type, id }));
        ready(record.ok_or_else(|| HttpError(no_resource(request))))
    }
}

impl CommentsView {
    /// The newest comments, on the page of their record; `owner` is the user who sees the record, whatever the role.
    ///
    /// # Errors
    /// `not_found`, `unavailable`, `overloaded`.
    pub async fn beside(me: &SessionUser, f: &Frame, record: RecordRef, owner: Id) -> Result<Self, Error> {
        let page = PageRequest::first(EMBEDDED);
        Self::of(me, f, record, owner, page).await
    }

    /// A page of the comments on a record.
    ///
    /// # Errors
    /// As [`CommentsView::beside`].
    pub async fn of(
        me: &SessionUser,
        f: &Frame,
        record: RecordRef,
        owner: Id,
        page: PageRequest,
    ) -> Result<Self, Error> {
        let list = ListComments { record, caller: me.caller(), page };
        let Page { items, next, .. } = beside::ask(&me.gateway, record, list).await?;
        let named = named(me, record, &items).await?;
        let names = names_of(me, items.iter().chain(&named)).await?;
        let path = format!("{}/comments", beside::path(record));
        Ok(Self {
            state: items.first().map(|newest| newest.id.to_string()).unwrap_or_default(),
            rows: items.iter().map(|comment| row(me, f, &names, comment)).collect(),
            named: named.map(|comment| row(me, f, &names, &comment)),
            older: next.map(|next| next_of(&path, &next)),
            form: Form { back: Some(me.request.path().to_owned()), ..form(&path, owner) },
            people: Vec::new(),
            back: me.request.path().to_owned(),
            path,
        })
    }
}

/// The comment that the page's address names, if it is not among these.
async fn named(me: &SessionUser, record: RecordRef, shown: &[Comment]) -> Result<Option<Comment>, Error> {
    let Some(id) = Fields::parsed(me.request.query_string().as_bytes()).id("comment") else {
        return Ok(None);
    };
    if shown.iter().any(|comment| comment.id == id) {
        return Ok(None);
    }
    match beside::ask(&me.gateway, record, FindComment { record, id, caller: me.caller() }).await {
        Ok(found) => Ok(Some((*found).clone())),
        Err(error) if error.code == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names of the authors and of whom they mention.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn names_of<'a>(
    me: &SessionUser,
    comments: impl Iterator<Item = &'a Comment>,
) -> Result<Names, Error> {
    let users = comments.flat_map(|comment| [comment.author_id].into_iter().chain(comment.mentions.clone()));
    lookups::load(&me.gateway, me.caller(), References::default().users(users)).await
}

fn row(me: &SessionUser, f: &Frame, names: &Names, comment: &Comment) -> CommentRow {
    CommentRow {
        id: comment.id,
        author: names.user(f, comment.author_id),
        author_id: comment.author_id,
        created_at: comment.created_at,
        edited_at: (comment.version > 1).then_some(comment.updated_at),
        pieces: pieces(&comment.text, |id| names.user(f, id)),
        may_edit: may_edit(comment, &me.caller()),
        may_delete: may_delete(comment, &me.caller()),
    }
}

/// The form of a new comment.
fn form(action: &str, owner: Id) -> Form {
    Form::new("comment", action, "comments-submit", vec![text(owner)])
}

/// The form of a comment that there is, and whom its text mentions.
pub fn edit_form(action: String, owner: Id, comment: &Comment, names: &Names) -> (Form, Vec<(Id, String)>) {
    let (shown, people) = mentions::to_names(&comment.text, |id| names.live_user(id));
    let form = Form::new("comment", action, "submit-save", vec![text(owner).holding(shown)]);
    (form.of_version(comment.version), people)
}

fn text(owner: Id) -> Field {
    Field::area("text").required().hint("comments-hint").mentioning(Source::ReadersOf(owner))
}

/// Whom a form's text mentions by name: the script of the page says it.
pub fn people(sent: &Fields) -> Vec<(Id, String)> {
    let named = sent.pairs().filter(|(name, _)| *name == MENTION);
    named
        .filter_map(|(_, value)| {
            let (id, name) = value.split_once(' ')?;
            Some((Id::parse(id)?, name.to_owned()))
        })
        .collect()
}

/// The fields with the names of mentioned people made mentions.
pub fn with_mentions(sent: &Fields) -> Fields {
    let text = mentions::from_names(sent.get("text").unwrap_or_default(), &people(sent));
    sent.clone().with("text", text)
}

/// The parts of a text. Only addresses of the web become links.
fn pieces(text: &str, name: impl Fn(Id) -> String) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for part in mentions::parts(text) {
        match part {
            Part::Mention(id) => pieces.push(Piece::Mention(name(id))),
            Part::Text(text) => linked(text, &mut pieces),
        }
    }
    pieces
}

fn linked(text: &str, pieces: &mut Vec<Piece>) {
    let mut rest = text;
    while let Some((at, length)) = link(rest) {
        if at > 0 {
            pieces.push(Piece::Text(rest[..at].to_owned()));
        }
        pieces.push(Piece::Link(rest[at..at + length].to_owned()));
        rest = &rest[at + length..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
}

/// The first address of the web in a text: where it begins, and its length. It ends where Japanese begins, which addresses
/// write in percent.
fn link(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(found) = text[from..].find("http") {
        let at = from + found;
        let rest = &text[at..];
        let scheme = ["https://", "http://"].into_iter().find(|scheme| rest.starts_with(scheme));
        if let Some(scheme) = scheme {
            let is_end = |sign: char| !sign.is_ascii_graphic() || "<>\"'`{}|\\^[]".contains(sign);
            let end = rest.find(is_end).unwrap_or(rest.len());
            let address = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
            if address.len() > scheme.len() {
                return Some((at, address.len()));
            }
        }
        from = at + "http".len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    fn shown(text: &str) -> String {
        let piece = |piece| match piece {
            Piece::Text(text) => text,
            Piece::Mention(name) => format!("<{name}>"),
            Piece::Link(address) => format!("[{address}]"),
        };
        pieces(text, |_| "佐藤".to_owned()).into_iter().map(piece).collect()
    }

    #[test]
    fn addresses_of_the_web_alone_become_links() {
        assert_eq!(shown("see https://a.example/x?y=1#z."), "see [https://a.example/x?y=1#z].");
        assert_eq!(shown("資料はhttp://a.example/をご覧"), "資料は[http://a.example/]をご覧");
        assert_eq!(
            shown("(https://a.example), https://b.example"),
            "([https://a.example]), [https://b.example]"
        );
        for none in ["javascript:alert(1)", "https://", "http", "data:text/html,x", "ftp://a.example", "<b>"]
        {
            assert_eq!(shown(none), none);
        }
        assert_eq!(shown("https://a.example/\"onclick=x"), "[https://a.example/]\"onclick=x");
        assert_eq!(shown(&format!("@[{}]さん", new_id())), "<佐藤>さん");
    }

    #[test]
    fn a_form_says_whom_its_text_mentions_by_name() {
        let (sato, other) = (new_id(), new_id());
        let pairs = [
            ("text", "@佐藤 花子 @誰か"),
            (MENTION, &format!("{sato} 佐藤 花子")),
            (MENTION, "x"),
            (MENTION, &other.to_string()),
        ];
        let sent: Fields = pairs.into_iter().collect();
        assert_eq!(people(&sent), [(sato, "佐藤 花子".to_owned())]);
        assert_eq!(with_mentions(&sent).get("text"), Some(format!("@[{sato}] @誰か").as_str()));
    }
}
