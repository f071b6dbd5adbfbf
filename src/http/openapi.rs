//! The OpenAPI document: collected from the handlers, with what every operation has in common added here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use actix_web::http::Method;
use utoipa::openapi::path::{Operation, Parameter, PathItem};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContactBuilder, Content, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, Response,
    ResponseBuilder, Schema,
};

use crate::http::api::csv_export::TEXT_CSV;
use crate::http::headers::{announce, define, demand, demands};
use crate::http::problem::PROBLEM_JSON;

/// The document of all routes. Whoever reads it first composes it, which takes some 10 ms.
pub type ApiDocument = Arc<LazyLock<OpenApi>>;

/// The statuses of errors and what they mean.
const ERRORS: [(&str, &str); 14] = [
    ("400", "Malformed request, parameter or header"),
    ("401", "No token, or one that is not valid (any more)"),
    ("403", "The role, or the scopes of the API key, do not allow it"),
    ("404", "Missing, or not visible to the caller"),
    ("408", "The body was not there in time"),
    ("409", "In conflict with the present state"),
    ("410", "The cursor is not of this log"),
    ("412", "`If-Match` names other versions"),
    ("413", "The body has more than 256 KiB, or the file more than 10 MiB (20 MiB of an import)"),
    ("415", "The body is not of the type that is asked for, or has a Content-Encoding"),
    ("422", "A field is wrong"),
    ("426", "Not a WebSocket handshake of version 13"),
    ("429", "Too many requests of an API key, failed sign-ins, live connections or requests that wait"),
    ("503", "A part is away for a moment, or overloaded"),
];

/// How the paths of decisions and marks end; their handlers run them by `idempotency::once`.
const DECISIONS: [&str; 6] = ["/approve", "/reject", "/cancel", "/reassign", "/read", "/archive"];

/// Adds the common parts to what the handlers declare.
pub fn complete(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("Kizuna")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The sales-support backend. Conventions: lists are bare arrays with keyset cursors in `Link`; \
             with `Accept: text/csv` some are files instead, whole and without pages: `limit`, `cursor` and \
             `count` say nothing there; errors are RFC 9457 problems, which name every fault of a body at once; HEAD is \
             answered wherever GET is; records carry a `version`, which is their `ETag`.",
        ))
        .contact(Some(ContactBuilder::new().name(Some("The Kizuna developers")).build()))
        .license(Some(
            LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0")).build(),
        ))
        .build();
    let components = api.components.get_or_insert_with(Components::new);
    let bearer = |format: &str, about: &str| {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(format);
        SecurityScheme::Http(scheme.description(Some(about)).build())
    };
    components.add_security_scheme("bearer", bearer("JWT", "The access token of a sign-in"));
    components.add_security_scheme(
        "api_key",
        bearer(
            "kzn_…",
            "An API key (`POST /api/api-keys`). It needs the operation's scope; without it the answer is 403 \
             `missing_scope`, which names the scope. What only people may do is 403 `session_required`.",
        ),
    );
    components
        .schemas
        .insert("Problem".into(), <crate::http::problem::Problem as utoipa::PartialSchema>::schema());
    components.schemas.insert(
        "FieldProblem".into(),
        <crate::http::problem::FieldProblem as utoipa::PartialSchema>::schema(),
    );
    define(components);
    let records = records(components);
    let either = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    api.security = Some(vec![either("bearer"), either("api_key")]);
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations_mut(item) {
            complete_operation(path, &method, &records, operation);
        }
    }
    api
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// The methods of a path.
pub fn methods(item: &PathItem) -> Vec<Method> {
    let taken = [
        (Method::GET, item.get.is_some()),
        (Method::POST, item.post.is_some()),
        (Method::PUT, item.put.is_some()),
        (Method::PATCH, item.patch.is_some()),
        (Method::DELETE, item.delete.is_some()),
    ];
    taken.into_iter().filter(|(_, is_there)| *is_there).map(|(method, _)| method).collect()
}

fn complete_operation(path: &str, method: &Method, records: &Records, operation: &mut Operation) {
    // Handlers are named within their module, operations within the whole document.
    let tag = operation.tags.iter().flatten().next();
    operation.operation_id =
        tag.zip(operation.operation_id.as_ref()).map(|(tag, name)| format!("{tag}_{name}"));
    if path.starts_with("/api/") {
        let is_public = operation.security.is_some();
        let has_body = operation.request_body.is_some();
        for status in errors(path, method, is_public, has_body) {
            add_error(operation, status);
        }
        if is_conditional(method) {
            demand(operation, "If-Match");
        }
        if !is_public && (has_body || is_of_record(path)) && is_done_once(path, method) {
            demand(operation, "Idempotency-Key");
        }
        operation.parameters.iter_mut().flatten().for_each(forbid_null);
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            body.content.values_mut().for_each(forbid_null_body);
        }
        for name in ["Accept-Language", "X-Request-Id", "traceparent"] {
            demand(operation, name);
        }
    } else {
        add_error(operation, "503");
    }
    announce_headers(operation, records);
}

/// SPEC §2: `If-Match` holds for changes of what has a version.
fn is_conditional(method: &Method) -> bool {
    [Method::PUT, Method::PATCH, Method::DELETE].contains(method)
}

/// SPEC §2: `Idempotency-Key` holds for any POST, and for decisions.
fn is_done_once(path: &str, method: &Method) -> bool {
    let is_decision = |path: &str| DECISIONS.iter().any(|decision| path.ends_with(decision));
    *method == Method::POST || (*method == Method::PATCH && is_decision(path))
}

/// A parameter is there or it isn't; utoipa takes `Option` in a header for null.
fn forbid_null(parameter: &mut RefOr<Parameter>) {
    if let RefOr::T(Parameter { schema: Some(RefOr::T(Schema::Object(object))), .. }) = parameter
        && let SchemaType::Array(kinds) = &object.schema_type
        && let Some(kind) = kinds.iter().find(|kind| **kind != Type::Null)
    {
        object.schema_type = SchemaType::Type(kind.clone());
    }
}

/// Removes null from the schema of a body: `Option` means that the body may be absent.
fn forbid_null_body(content: &mut RefOr<Content>) {
    if let RefOr::T(Content { schema: Some(schema), .. }) = content
        && let RefOr::T(Schema::OneOf(choice)) = schema
        && let Some(body) = choice.items.iter().find(|item| matches!(item, RefOr::Ref(_)))
    {
        *schema = body.clone();
    }
}

fn is_of_record(path: &str) -> bool {
    path.contains("{id}") || path.starts_with("/api/subscriptions/{name}")
}

/// The statuses of the errors that an operation can answer.
fn errors(path: &str, method: &Method, is_public: bool, has_body: bool) -> Vec<&'static str> {
    let mut errors = vec!["400", "401", "503"];
    if !is_public {
        errors.extend(["403", "429"]);
    }
    if is_of_record(path) {
        errors.push("404");
        // What a POST does to a record may not fit its state.
        if *method == Method::POST {
            errors.extend(["409", "422"]);
        }
    }
    if has_body {
        errors.extend(["404", "408", "409", "413", "415", "422"]);
    }
    if path.starts_with("/api/auth/login") || path.starts_with("/api/auth/password") {
        errors.push("429");
    }
    match path {
        // An successor is named, or chosen.
        "/api/auth/users/{id}/deletion-preview" => errors.extend(["409", "422"]),
        "/api/auth/users/{id}" if *method == Method::DELETE => errors.push("422"),
        "/api/customers/{id}/merge-preview" => errors.push("422"),
        "/api/sagas/{id}/undo-preview" => errors.push("409"),
        "/api/ws" => errors.extend(["426", "429"]),
        "/api/stream" | "/api/subscriptions/{name}/events" => errors.push("429"),
        "/api/events" => errors.extend(["410", "429"]),
        _ => {}
    }
    if is_conditional(method) {
        errors.extend(["409", "412"]);
    }
    errors
}

fn add_error(operation: &mut Operation, status: &str) {
    let about = ERRORS.iter().find(|(known, _)| *known == status).map_or("", |(_, about)| *about);
    let body = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    let response = ResponseBuilder::new().description(about).content(PROBLEM_JSON, body).build();
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
}

/// Says which headers the answers have, and describes successes that don't describe themselves.
fn announce_headers(operation: &mut Operation, records: &Records) {
    let is_replayed = demands(operation, "Idempotency-Key");
    let is_signed = operation.security.is_none();
    let has_cursor = operation.operation_id.as_deref() == Some("events_list");
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        announce(response, "X-Request-Id");
        if is_signed {
            announce(response, "RateLimit");
            announce(response, "RateLimit-Policy");
        }
        match status.as_str() {
            "401" | "403" => announce(response, "WWW-Authenticate"),
            "429" | "503" => announce(response, "Retry-After"),
            _ => {}
        }
        if status == "101" {
            continue;
        }
        if !status.starts_with('2') {
            announce(response, "Content-Language");
            continue;
        }
        if is_replayed {
            announce(response, "Idempotency-Replayed");
        }
        if response.content.contains_key(TEXT_CSV) {
            announce(response, "Content-Disposition");
        }
        match json_of(response) {
            Some(RefOr::T(Schema::Array(_))) if has_cursor => {
                announce(response, "Link");
                announce(response, "X-Next-Cursor");
            }
            Some(RefOr::T(Schema::Array(_))) => {
                announce(response, "Link");
                announce(response, "X-Total-Count");
            }
            Some(RefOr::Ref(body)) if records.contains(&body.ref_location) => announce(response, "ETag"),
            _ => {}
        }
        if status == "201" {
            announce(response, "Location");
        }
        if response.description.is_empty() {
            response.description = if status == "201" { "Created" } else { "Done" }.to_owned();
        }
    }
}

fn json_of(response: &Response) -> Option<&RefOr<Schema>> {
    match response.content.get("application/json")? {
        RefOr::T(content) => content.schema.as_ref(),
        RefOr::Ref(_) => None,
    }
}

/// The addresses of the schemas whose bodies have a version.
type Records = BTreeSet<String>;

fn records(components: &Components) -> Records {
    let names = components.schemas.iter().filter(|(_, schema)| is_record(&components.schemas, schema));
    names.map(|(name, _)| Ref::from_schema_name(name).ref_location).collect()
}

fn is_record(schemas: &BTreeMap<String, RefOr<Schema>>, schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::T(Schema::Object(object)) => object.properties.contains_key("version"),
        RefOr::T(Schema::OneOf(choice)) => choice.items.iter().any(|item| is_record(schemas, item)),
        RefOr::T(_) => false,
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            schemas.get(name).is_some_and(|schema| is_record(schemas, schema))
        }
    }
}
