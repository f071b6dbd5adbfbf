//! The messages about what stands beside a record, which every service of records takes.

use std::sync::Arc;

use domain::attachment::messages as attachments;
use domain::attachment::record::Attachment;
use domain::comment::messages as comments;
use domain::comment::record::{Comment, CommentChanges, NewComment};
use domain::search::record::RecordType;
use kernel::ids::{Id, new_id};
use kernel::page::Page;
use runtime::service::{Call, Hosted};

use super::{TEXT, Tried, caller, context, moment, page, pages};
use crate::common::begin;

/// What every service of records takes: messages about comments.
pub fn commenting<D>(tried: &mut Tried<D>)
where
    D: Hosted,
    comments::AddComment: Call<D, Answer = Arc<Comment>>,
    comments::ChangeComment: Call<D, Answer = Arc<Comment>>,
    comments::DeleteComment: Call<D, Answer = Id>,
    comments::FindComment: Call<D, Answer = Arc<Comment>>,
    comments::ListComments: Call<D, Answer = Page<Comment>>,
{
    let record = comments::RecordRef { r#type: RecordType::Task, id: new_id() };
    // Who was notified is the service's own.
    let one = || Comment {
        id: new_id(),
        version: 2,
        created_at: begin(),
        updated_at: moment(),
        record_type: RecordType::Task,
        record_id: record.id,
        author_id: new_id(),
        text: TEXT.into(),
        mentions: vec![new_id()],
        notified: vec![],
        deleted_at: Some(moment()),
    };
    let comment = NewComment { text: TEXT.into() };
    tried.call(comments::AddComment { record, comment, context: context() }, [Arc::new(one())]);
    for changes in [CommentChanges::default(), CommentChanges { text: Some(TEXT.into()) }] {
        let change = comments::ChangeComment { record, id: new_id(), changes, context: context() };
        tried.call(change, [Arc::new(one())]);
    }
    tried.call(comments::DeleteComment { record, id: new_id(), context: context() }, [new_id()]);
    tried.call(comments::FindComment { record, id: new_id(), caller: caller() }, [Arc::new(one())]);
    tried.call(comments::ListComments { record, caller: caller(), page: page() }, pages(one()));
}

/// Messages about attachments.
pub fn attaching<D>(tried: &mut Tried<D>)
where
    D: Hosted,
    attachments::AddAttachment: Call<D, Answer = Arc<Attachment>>,
    attachments::RemoveAttachment: Call<D, Answer = Id>,
    attachments::FindAttachment: Call<D, Answer = Arc<Attachment>>,
    attachments::CheckAttachable: Call<D, Answer = ()>,
    attachments::ListAttachments: Call<D, Answer = Page<Attachment>>,
{
    let record = comments::RecordRef { r#type: RecordType::Meeting, id: new_id() };
    // Its place is the service's own.
    let one = || Attachment {
        id: new_id(),
        version: 1,
        created_at: begin(),
        updated_at: moment(),
        record_type: RecordType::Meeting,
        record_id: record.id,
        author_id: new_id(),
        name: TEXT.into(),
        media_type: TEXT.into(),
        size: i64::MAX,
        sha256: TEXT.into(),
        place: 0,
        deleted_at: Some(moment()),
    };
    let add = attachments::AddAttachment { record, upload: new_id(), context: context() };
    tried.call(add, [Arc::new(one())]);
    tried.call(attachments::RemoveAttachment { record, id: new_id(), context: context() }, [new_id()]);
    tried.call(attachments::FindAttachment { record, id: new_id(), caller: caller() }, [Arc::new(one())]);
    tried.call(attachments::CheckAttachable { record, caller: caller() }, [()]);
    tried.call(attachments::ListAttachments { record, caller: caller(), page: page() }, pages(one()));
}
