//! `/api/{customers,meetings,tasks,approvals,deals}/{id}/comments`: one code for the comments on every kind of record.

use actix_web::{delete, get, patch, post};

use crate::http::answer;
use crate::http::answer::Deleted;
use crate::http::api::resource::ApiRequest;
use crate::http::beside;
use crate::http::error::HttpResult;
use crate::http::extract::{Body, NoParams, Params, PartId, PathId};
use crate::http::idempotency::{Shape, once};
use crate::http::paging;
use crate::http::paging::list_params;
use domain::comment::messages::{
    AddComment, COMMENTS_NEWEST_FIRST, ChangeComment, DeleteComment, FindComment, ListComments, RecordRef,
};
use domain::comment::record::{Comment, CommentChanges, NewComment};
use domain::search::record::RecordType;
use kernel::ids::Id;

list_params! {
    /// Which page of comments; the newest come first.
    CommentParams {}
}

async fn page(api: ApiRequest, record: RecordRef, params: CommentParams) -> HttpResult {
    let page = params.page(|keyset| COMMENTS_NEWEST_FIRST.fits(keyset))?;
    let list = ListComments { record, caller: api.auth.caller, page };
    Ok(paging::list(&api.http, &beside::ask(&api.gateway, record, list).await?))
}

async fn add(api: ApiRequest, record: RecordRef, body: Body<NewComment>) -> HttpResult {
    let Body { value: comment, digest } = body;
    let path = format!("/api{}/comments", beside::path(record));
    let shape = Shape::created_below(path.clone());
    once(&api.gateway, &api.http, &api.auth, &digest, shape, async |context| {
        let made = beside::ask(&api.gateway, record, AddComment { record, comment, context }).await?;
        Ok(answer::created(&path, made.id, made.version, &*made))
    })
    .await
}

async fn find(api: ApiRequest, record: RecordRef, id: Id) -> HttpResult {
    let find = FindComment { record, id, caller: api.auth.caller };
    let found = beside::ask(&api.gateway, record, find).await?;
    Ok(answer::record(found.version, &*found))
}

async fn edit(api: ApiRequest, record: RecordRef, id: Id, changes: CommentChanges) -> HttpResult {
    let change = ChangeComment { record, id, changes, context: api.auth.context() };
    let changed = beside::ask(&api.gateway, record, change).await?;
    Ok(answer::record(changed.version, &*changed))
}

async fn delete(api: ApiRequest, record: RecordRef, id: Id) -> HttpResult {
    let delete = DeleteComment { record, id, context: api.auth.context() };
    Ok(answer::deleted(beside::ask(&api.gateway, record, delete).await?))
}

/// The routes of the comments on one kind of record: `/…/{id}/comments`, and one of them.
macro_rules! routes {
    ($name:ident, $tag:tt, $type:ident, $all:tt, $one:tt) => {
        pub mod $name {
            use super::*;

            fn of(id: Id) -> RecordRef {
                RecordRef { r#type: RecordType::$type, id }
            }

            /// List the comments on a record, the newest first
            #[utoipa::path(
                                                        tag = $tag,
                                                        params(("id" = Id, Path), CommentParams),
                                                        responses((status = 200, body = Vec<Comment>))
                                                    )]
            #[get($all)]
            pub async fn comments(api: ApiRequest, id: PathId, params: Params<CommentParams>) -> HttpResult {
                page(api, of(id.0), params.0).await
            }

            /// Comment on a record; the people mentioned and the record's owner are notified
            #[utoipa::path(
                                                        tag = $tag,
                                                        params(("id" = Id, Path)),
                                                        request_body = NewComment,
                                                        responses((status = 201, body = Comment))
                                                    )]
            #[post($all)]
            pub async fn add_comment(
                api: ApiRequest,
                id: PathId,
                _: Params<NoParams>,
                body: Body<NewComment>,
            ) -> HttpResult {
                add(api, of(id.0), body).await
            }

            /// Read a comment
            #[utoipa::path(
                                                        tag = $tag,
                                                        params(("id" = Id, Path), ("part_id" = Id, Path)),
                                                        responses((status = 200, body = Comment))
                                                    )]
            #[get($one)]
            pub async fn comment(api: ApiRequest, part: PartId, _: Params<NoParams>) -> HttpResult {
                find(api, of(part.record), part.id).await
            }

            /// Edit a comment of one's own; only people newly mentioned are notified
            #[utoipa::path(
                                                        tag = $tag,
                                                        params(("id" = Id, Path), ("part_id" = Id, Path)),
                                                        request_body = CommentChanges,
                                                        responses((status = 200, body = Comment))
                                                    )]
            #[patch($one)]
            pub async fn change_comment(
                api: ApiRequest,
                part: PartId,
                _: Params<NoParams>,
                body: Body<CommentChanges>,
            ) -> HttpResult {
                edit(api, of(part.record), part.id, body.value).await
            }

            /// Delete a comment: one's own, and any as an ADMIN
            #[utoipa::path(
                                                        tag = $tag,
                                                        params(("id" = Id, Path), ("part_id" = Id, Path)),
                                                        responses((status = 200, body = Deleted))
                                                    )]
            #[delete($one)]
            pub async fn remove_comment(api: ApiRequest, part: PartId, _: Params<NoParams>) -> HttpResult {
                super::delete(api, of(part.record), part.id).await
            }
        }
    };
}

routes!(customers, "customers", Customer, "/customers/{id}/comments", "/customers/{id}/comments/{part_id}");
routes!(meetings, "meetings", Meeting, "/meetings/{id}/comments", "/meetings/{id}/comments/{part_id}");
routes!(tasks, "tasks", Task, "/tasks/{id}/comments", "/tasks/{id}/comments/{part_id}");
routes!(approvals, "approvals", Approval, "/approvals/{id}/comments", "/approvals/{id}/comments/{part_id}");
routes!(deals, "deals", Deal, "/deals/{id}/comments", "/deals/{id}/comments/{part_id}");
