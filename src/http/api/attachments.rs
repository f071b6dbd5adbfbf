//! `/api/{customers,meetings,tasks,approvals,deals}/{id}/attachments`: one code for the attachments of every kind of record.

use std::cell::Cell;

use actix_web::web::Payload;
use actix_web::{delete, get, post};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::actors::uploads::Purpose;
use crate::http::answer;
use crate::http::answer::Deleted;
use crate::http::api::resource::ApiRequest;
use crate::http::beside;
use crate::http::error::HttpResult;
use crate::http::extract::{NoParams, Params, PartId, PathId};
use crate::http::idempotency::{Shape, once};
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::uploads;
use crate::http::uploads::{Received, receive};
use domain::attachment::messages::{
    ATTACHMENTS_NEWEST_FIRST, AddAttachment, CheckAttachable, FindAttachment, ListAttachments,
    RemoveAttachment,
};
use domain::attachment::record::Attachment;
use domain::comment::messages::RecordRef;
use domain::search::record::RecordType;
use kernel::error::Error;
use kernel::ids::Id;

list_params! {
    /// Which page of attachments; the newest come first.
    AttachmentParams {}
}

/// A form with a file.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the form is read as it arrives; this is what the document says of it")]
pub struct FileForm {
    /// Up to 10 MiB: PDF, an image (not SVG), a file of Office or OpenDocument, text, CSV or ZIP, with its name.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

async fn page(api: ApiRequest, record: RecordRef, params: AttachmentParams) -> HttpResult {
    let page = params.page(|keyset| ATTACHMENTS_NEWEST_FIRST.fits(keyset))?;
    let list = ListAttachments { record, caller: api.auth.caller, page };
    Ok(paging::list(&api.http, &beside::ask(&api.gateway, record, list).await?))
}

async fn attach(api: ApiRequest, record: RecordRef, payload: Payload) -> HttpResult {
    let caller = api.auth.caller;
    beside::ask(&api.gateway, record, CheckAttachable { record, caller }).await?;
    let only_file = |fields: &[(String, String)]| match fields.first() {
        Some((name, _)) => Err(Error::field(name, "unknown_field")),
        None => Ok(()),
    };
    let received =
        receive(&api.http, payload.into_inner(), &caller, (Purpose::Attachment, record.id), only_file)
            .await?;
    let Received { fields, upload } = received;
    if let Err(error) = only_file(&fields) {
        uploads::give_up(&api.gateway, upload.id).await;
        return Err(error.into());
    }
    let path = format!("/api{}/attachments", beside::path(record));
    let shape = Shape::created_below(path.clone());
    let was_sent = Cell::new(false);
    let answer =
        once(&api.gateway, &api.http, &api.auth, &uploads::digest(&upload), shape, async |context| {
            was_sent.set(true);
            let add = AddAttachment { record, upload: upload.id, context };
            let made = beside::ask(&api.gateway, record, add).await?;
            Ok(answer::created(&path, made.id, made.version, &*made))
        })
        .await;
    // The answer is that of an earlier request.
    if !was_sent.get() {
        uploads::give_up(&api.gateway, upload.id).await;
    }
    answer
}

async fn find(api: ApiRequest, record: RecordRef, id: Id) -> HttpResult {
    let find = FindAttachment { record, id, caller: api.auth.caller };
    let found = beside::ask(&api.gateway, record, find).await?;
    Ok(answer::record(found.version, &*found))
}

async fn read(api: ApiRequest, record: RecordRef, id: Id) -> HttpResult {
    let find = FindAttachment { record, id, caller: api.auth.caller };
    let found = beside::ask(&api.gateway, record, find).await?;
    Ok(uploads::content(&api.gateway, &api.http, &found))
}

async fn remove(api: ApiRequest, record: RecordRef, id: Id) -> HttpResult {
    let remove = RemoveAttachment { record, id, context: api.auth.context() };
    Ok(answer::deleted(beside::ask(&api.gateway, record, remove).await?))
}

/// The routes of the attachments of one kind of record.
macro_rules! routes {
    ($name:ident, $tag:tt, $type:ident, $all:tt, $one:tt, $content:tt) => {
        pub mod $name {
            use super::*;

            fn of(id: Id) -> RecordRef {
                RecordRef { r#type: RecordType::$type, id }
            }

            /// List the attachments of a record, the newest first
            #[utoipa::path(
                        tag = $tag,
                        params(("id" = Id, Path), AttachmentParams),
                        responses((status = 200, body = Vec<Attachment>))
                    )]
            #[get($all)]
            pub async fn attachments(
                api: ApiRequest,
                id: PathId,
                params: Params<AttachmentParams>,
            ) -> HttpResult {
                page(api, of(id.0), params.0).await
            }

            /// Attach a file to a record; its content tells its type
            #[utoipa::path(
                        tag = $tag,
                        params(("id" = Id, Path)),
                        request_body(content = FileForm, content_type = "multipart/form-data"),
                        responses((status = 201, body = Attachment))
                    )]
            #[post($all)]
            pub async fn attach_file(
                api: ApiRequest,
                id: PathId,
                _: Params<NoParams>,
                payload: Payload,
            ) -> HttpResult {
                attach(api, of(id.0), payload).await
            }

            /// Read what an attachment is, without its content
            #[utoipa::path(
                        tag = $tag,
                        params(("id" = Id, Path), ("part_id" = Id, Path)),
                        responses((status = 200, body = Attachment))
                    )]
            #[get($one)]
            pub async fn attachment(api: ApiRequest, part: PartId, _: Params<NoParams>) -> HttpResult {
                find(api, of(part.record), part.id).await
            }

            /// Read the content of an attachment, as a file to keep
            #[utoipa::path(
                        tag = $tag,
                        params(("id" = Id, Path), ("part_id" = Id, Path)),
                        responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"))
                    )]
            #[get($content)]
            pub async fn attachment_content(
                api: ApiRequest,
                part: PartId,
                _: Params<NoParams>,
            ) -> HttpResult {
                read(api, of(part.record), part.id).await
            }

            /// Remove an attachment: one's own, and any as an ADMIN
            #[utoipa::path(
                        tag = $tag,
                        params(("id" = Id, Path), ("part_id" = Id, Path)),
                        responses((status = 200, body = Deleted))
                    )]
            #[delete($one)]
            pub async fn remove_attachment(api: ApiRequest, part: PartId, _: Params<NoParams>) -> HttpResult {
                remove(api, of(part.record), part.id).await
            }
        }
    };
}

routes!(
    customers,
    "customers",
    Customer,
    "/customers/{id}/attachments",
    "/customers/{id}/attachments/{part_id}",
    "/customers/{id}/attachments/{part_id}/content"
);
routes!(
    meetings,
    "meetings",
    Meeting,
    "/meetings/{id}/attachments",
    "/meetings/{id}/attachments/{part_id}",
    "/meetings/{id}/attachments/{part_id}/content"
);
routes!(
    tasks,
    "tasks",
    Task,
    "/tasks/{id}/attachments",
    "/tasks/{id}/attachments/{part_id}",
    "/tasks/{id}/attachments/{part_id}/content"
);
routes!(
    approvals,
    "approvals",
    Approval,
    "/approvals/{id}/attachments",
    "/approvals/{id}/attachments/{part_id}",
    "/approvals/{id}/attachments/{part_id}/content"
);
routes!(
    deals,
    "deals",
    Deal,
    "/deals/{id}/attachments",
    "/deals/{id}/attachments/{part_id}",
    "/deals/{id}/attachments/{part_id}/content"
);
