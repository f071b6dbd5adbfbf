//! Receives a file in a form, and sends the content of an attachment: for the API and the console.

use actix_web::body::SizedStream;
use actix_web::dev::Payload;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::TryStreamExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::actors::uploads::Purpose;
use crate::http::admission;
use crate::http::multipart::Multipart;
use crate::http::state::{Gateway, gateway};
use domain::attachment::record::{Attachment, Upload};
use domain::attachment::rules::SIZE_MAX;
use kernel::caller::Caller;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// The form's field that holds the file.
pub const FILE: &str = "file";
/// A body that says itself that it is longer is not read at all; of another so much, so that its sender sees the answer.
const BODY_MAX: usize = 4 * SIZE_MAX as usize;
/// What stands in a header as it is (RFC 8187, `attr-char`).
const OUTSIDE_ATTRIBUTES: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// A form that was received: its fields in order, and its file.
pub struct Received {
    pub fields: Vec<(String, String)>,
    pub upload: Upload,
}

/// Receives a form with one file for a record, or for an import. `may` is asked with the fields before the file, which is not read otherwise.
///
/// # Errors
/// What `may` refuses; `unsupported_media_type`, `malformed_request`, `request_timeout`, `attachment_too_large`,
/// `invalid_fields`, `overloaded`, `unavailable`.
pub async fn receive(
    request: &HttpRequest,
    payload: Payload,
    caller: &Caller,
    (purpose, record): (Purpose, Id),
    may: impl Fn(&[(String, String)]) -> Result<(), Error>,
) -> Result<Received, Error> {
    let too_large = |error: Error| match error.code {
        ErrorCode::AttachmentTooLarge => Error::new(purpose.too_large()),
        _ => error,
    };
    let mut form = Multipart::of(request, payload, BODY_MAX).map_err(too_large)?;
    let had_place = admission::waits(request);
    let gateway = gateway(request);
    let (mut fields, mut upload) = (Vec::new(), None);
    let read = read(&gateway, &mut form, (caller, purpose, record), may, (&mut fields, &mut upload)).await;
    if read.is_err() {
        form.drain(BODY_MAX).await;
    }
    if had_place {
        admission::goes_on(request).await?;
    }
    match (read, upload) {
        (Ok(()), Some(upload)) => Ok(Received { fields, upload }),
        (Ok(()), None) => Err(Error::field(FILE, "required")),
        (Err(error), upload) => {
            if let Some(upload) = upload {
                give_up(&gateway, upload.id).await;
            }
            Err(error)
        }
    }
}

async fn read(
    gateway: &Gateway,
    form: &mut Multipart,
    (caller, purpose, record): (&Caller, Purpose, Id),
    may: impl Fn(&[(String, String)]) -> Result<(), Error>,
    (fields, upload): (&mut Vec<(String, String)>, &mut Option<Upload>),
) -> Result<(), Error> {
    while let Some(head) = form.next().await? {
        let Some(file_name) = head.file_name else {
            fields.push((head.name, form.text().await?));
            continue;
        };
        if head.name != FILE || upload.is_some() {
            return Err(Error::field(&head.name, "unknown_field"));
        }
        may(fields)?;
        // A form whose file was not chosen.
        if file_name.is_empty() {
            return Err(Error::field(FILE, "required"));
        }
        let mut receiving = gateway.uploads.begin(caller, (purpose, record), &file_name).await?;
        let received = loop {
            match form.chunk().await {
                Ok(Some(bytes)) => {
                    if let Err(error) = receiving.write(&bytes).await {
                        break Err(error);
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if let Err(error) = received {
            receiving.discard().await;
            return Err(error);
        }
        *upload = Some(receiving.finish().await?);
    }
    Ok(())
}

/// Gives up an upload that no command was sent for.
pub async fn give_up(gateway: &Gateway, upload: Id) {
    if let Err(error) = gateway.uploads.discard(upload).await {
        tracing::warn!(%error, %upload, "an upload that was given up is swept later");
    }
}

/// What identifies an upload, for `Idempotency-Key`.
pub fn digest(upload: &Upload) -> Vec<u8> {
    format!("{} {}", upload.sha256, upload.name).into_bytes()
}

/// The content of an attachment, as a file to keep: a browser shows none of it as a page of this site.
pub fn content(gateway: &Gateway, request: &HttpRequest, attachment: &Attachment) -> HttpResponse {
    let tag = format!("\"{}\"", attachment.sha256);
    let known = request.headers().get_all(IF_NONE_MATCH).filter_map(|line| line.to_str().ok());
    if known.flat_map(|line| line.split(',')).any(|it| it.trim().trim_start_matches("W/") == tag) {
        return HttpResponse::NotModified().insert_header((ETAG, tag)).finish();
    }
    let name = utf8_percent_encode(&attachment.name, OUTSIDE_ATTRIBUTES);
    let bytes = gateway.uploads.content(attachment).map_ok(Bytes::from);
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, attachment.media_type.as_str()))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header((ETAG, tag))
        .body(SizedStream::new(attachment.size.unsigned_abs(), Box::pin(bytes)))
}

/// Whether an error is about the file or the room for it, so that another file may do.
pub fn is_of_file(error: &Error) -> bool {
    matches!(
        error.code,
        ErrorCode::InvalidFields | ErrorCode::AttachmentTooLarge | ErrorCode::TooManyAttachments
    )
}
