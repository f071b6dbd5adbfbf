//! The headers of requests and answers, as the OpenAPI document shows them.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Components, Ref, RefOr, Required, Response};

/// What a header's value is.
enum Value {
    Text,
    Number,
    /// Text that this pattern matches.
    Like(&'static str),
    /// Entity tags, or the star that stands for any.
    Tags,
}

use Value::{Like, Number, Tags, Text};

/// A header's name, value, an example and what it is for.
type Row = (&'static str, Value, &'static str, &'static str);

const OF_REQUESTS: [Row; 5] = [
    ("Accept-Language", Text, "ja, en;q=0.8", "The language of problems: `ja` or `en`, which is the default"),
    ("X-Request-Id", Text, "order-17", "Comes back in the answer; made if absent or longer than 128"),
    (
        "traceparent",
        Text,
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "W3C trace context; another text than that is passed over",
    ),
    ("If-Match", Tags, "\"1\"", "Only if the record has one of these versions; `W/` is passed over"),
    (
        "Idempotency-Key",
        Like(r"^[!-~]([\t -~]{0,253}[!-~])?$"),
        "3f0c6a52-9d0e-4b57-9d0d-0a7b3f0f7c55",
        "The first answer under this key is replayed for 24 hours",
    ),
];

const OF_ANSWERS: [Row; 13] = [
    (
        "Content-Disposition",
        Like("^attachment; filename"),
        "attachment; filename=\"customers.csv\"",
        "With CSV: the file's name",
    ),
    ("Content-Language", Like("^(ja|en)$"), "en", "The language of the problem's texts"),
    ("ETag", Like(r#"^"[1-9][0-9]*"$"#), "\"1\"", "The record's version, for `If-Match`"),
    ("Idempotency-Replayed", Like("^true$"), "true", "This answer was the first one under the request's key"),
    (
        "Link",
        Like(r#"^<[^>]+>; rel="(prev|next)"(, <[^>]+>; rel="next")?$"#),
        "</api/meetings?cursor=WyIt>; rel=\"next\"",
        "The previous and the next page, as far as there are such",
    ),
    (
        "Location",
        Like("^/api/"),
        "/api/meetings/0198c0de-0000-7000-8000-000000000000",
        "The new record's address",
    ),
    (
        "RateLimit",
        Like(r#"^"key";r=[0-9]+;t=[0-9]+$"#),
        "\"key\";r=599;t=1",
        "To an API key: how many requests it has left, and in how many seconds it has all of them again",
    ),
    (
        "RateLimit-Policy",
        Like(r#"^"key";q=[0-9]+;w=[0-9]+$"#),
        "\"key\";q=600;w=60",
        "To an API key: how many requests it has in how many seconds",
    ),
    ("Retry-After", Number, "1", "Seconds after which to try again"),
    ("WWW-Authenticate", Like("^Bearer"), "Bearer", "How to sign in, and what is wrong with the token"),
    (
        "X-Next-Cursor",
        Like("^[A-Za-z0-9_-]+$"),
        "AwBa0vqZ0mCmXQ",
        "The cursor of the events after these, for `after`; also with an empty page",
    ),
    ("X-Request-Id", Text, "order-17", "The request's id, or one made for it"),
    ("X-Total-Count", Number, "17", "The number of all rows, if asked for"),
];

/// Adds what [`demand`] and [`announce`] refer to.
pub fn define(components: &mut Components) {
    for row in &OF_REQUESTS {
        components.parameters.insert(row.0.to_owned(), RefOr::T(parameter(row)));
    }
    for row in &OF_ANSWERS {
        components.headers.insert(row.0.to_owned(), RefOr::T(header(row)));
    }
}

/// An operation reads the header of this name.
pub fn demand(operation: &mut Operation, name: &str) {
    operation.parameters.get_or_insert_with(Vec::new).push(RefOr::Ref(address(name)));
}

/// Whether it does.
pub fn demands(operation: &Operation, name: &str) -> bool {
    let is_it = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::Ref(it) if *it == address(name));
    operation.parameters.iter().flatten().any(is_it)
}

fn address(name: &str) -> Ref {
    Ref::new(format!("#/components/parameters/{name}"))
}

/// An answer may have the header of this name.
pub fn announce(response: &mut Response, name: &str) {
    let reference = RefOr::Ref(Ref::new(format!("#/components/headers/{name}")));
    response.headers.insert(name.to_owned(), reference);
}

fn parameter((name, value, example, about): &Row) -> Parameter {
    ParameterBuilder::new()
        .name(*name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(*about))
        .example(Some((*example).into()))
        .schema(Some(schema(value)))
        .build()
}

fn header((_, value, example, about): &Row) -> Header {
    HeaderBuilder::new()
        .description(Some(*about))
        .example(Some((*example).into()))
        .schema(Some(schema(value)))
        .build()
}

fn schema(value: &Value) -> Schema {
    let text = ObjectBuilder::new().schema_type(Type::String);
    match value {
        Text => text.build().into(),
        Number => text.schema_type(Type::Integer).minimum(Some(0)).build().into(),
        Like(pattern) => text.pattern(Some(*pattern)).build().into(),
        Tags => {
            let star = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["*"]));
            let tags = text.pattern(Some(r#"^(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*$"#));
            OneOfBuilder::new().item(star).item(tags).build().into()
        }
    }
}
