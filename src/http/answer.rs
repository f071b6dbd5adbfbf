//! Answers with a record: `ETag`, `Location`, a small body for deletions.

use actix_web::HttpResponse;
use actix_web::http::header::{ETAG, LOCATION};
use serde::Serialize;
use utoipa::ToSchema;

use kernel::ids::Id;

/// 200 with a record.
pub fn record(version: i64, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((ETAG, format!("\"{version}\""))).json(body)
}

/// 201 with a new record.
pub fn created(path: &str, id: Id, version: i64, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Created()
        .insert_header((LOCATION, format!("{path}/{id}")))
        .insert_header((ETAG, format!("\"{version}\"")))
        .json(body)
}

/// The body of an answer to a deletion that other services follow, or to a change of many records.
#[derive(Serialize, ToSchema)]
pub struct Departed {
    pub id: Id,
    #[schema(example = "deleted")]
    pub status: &'static str,
    pub saga: SagaLink,
}

/// Where to read the progress of a deletion.
#[derive(Serialize, ToSchema)]
pub struct SagaLink {
    pub id: Id,
    #[schema(example = "/api/sagas/0198c0de-0000-7000-8000-000000000000")]
    pub href: String,
}

/// 200 for a deletion whose saga has begun.
pub fn departed(id: Id, saga: Id) -> HttpResponse {
    let saga = SagaLink { id: saga, href: format!("/api/sagas/{saga}") };
    HttpResponse::Ok().json(Departed { id, status: "deleted", saga })
}

/// 202 for a change of many records whose saga has begun.
pub fn accepted(saga: Id) -> HttpResponse {
    let href = format!("/api/sagas/{saga}");
    let body = accepted_body(saga);
    HttpResponse::Accepted().insert_header((LOCATION, href)).json(body)
}

/// The body of that answer.
pub fn accepted_body(saga: Id) -> Departed {
    let link = SagaLink { id: saga, href: format!("/api/sagas/{saga}") };
    Departed { id: saga, status: "accepted", saga: link }
}

/// The body of a deletion's answer.
#[derive(Serialize, ToSchema)]
pub struct Deleted {
    pub id: Id,
    #[schema(example = "deleted")]
    pub status: &'static str,
}

/// 200 for a deletion.
pub fn deleted(id: Id) -> HttpResponse {
    HttpResponse::Ok().json(Deleted { id, status: "deleted" })
}
