//! What stands beside a record is committed while the record lives, and kept when it is deleted.

use domain::attachment::record::Attachment;
use domain::comment::record::Comment;
use domain::customer::record::Customer;
use domain::search::record::RecordType;
use futures_util::future::join_all;
use kernel::error::ErrorCode;
use kernel::ids::{Id, new_id};
use kizuna::persistence::attachments::TASKS_ATTACHMENTS;
use kizuna::persistence::comments::{CUSTOMERS_COMMENTS, lives};
use kizuna::persistence::customers::CUSTOMERS;
use rstest::rstest;
use serde_json::json;
use store::Db;
use store::journal::commit;
use store::unit_of_work::{CommitError, UnitOfWork, Write};

use crate::common::{begin, commit_one, count, customer, customer_unit, renamed, store};
use crate::rows::AWKWARD;
use testing::{Database, Postgres, Sqlite, TestDatabase};

/// A comment on a customer, with its condition.
fn comment_on(record: Id) -> UnitOfWork {
    let comment = Comment {
        id: new_id(),
        version: 1,
        created_at: begin(),
        updated_at: begin(),
        record_type: RecordType::Customer,
        record_id: record,
        author_id: new_id(),
        text: "絆".into(),
        mentions: vec![],
        notified: vec![],
        deleted_at: None,
    };
    let mut row = serde_json::to_value(&comment).expect("a plain struct");
    row["notified"] = json!([]);
    let writes = vec![Write::put(&CUSTOMERS_COMMENTS, comment.id, &row).expecting(0)];
    UnitOfWork {
        writes,
        live_checks: lives(&CUSTOMERS, record).into_iter().collect(),
        ..UnitOfWork::default()
    }
}

/// The deletion of a customer.
fn deletion(customer: &Customer) -> UnitOfWork {
    customer_unit(&Customer { deleted_at: Some(begin()), ..renamed(customer, "gone") })
}

fn refused(outcome: &store::journal::Outcome) -> bool {
    matches!(outcome, Err(CommitError::Conflict { code: ErrorCode::NotFound, .. }))
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn only_a_record_that_lives_takes_anything(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (one, other) = (customer("one"), customer("other"));
    for made in [&one, &other] {
        commit_one(&db, customer_unit(made)).await.unwrap();
    }
    // Whatever its version.
    commit_one(&db, customer_unit(&renamed(&one, "renamed"))).await.unwrap();
    let units = vec![comment_on(one.id), comment_on(new_id()), comment_on(other.id)];
    let outcomes = commit(&db, units).await;
    assert_eq!(outcomes.iter().map(refused).collect::<Vec<_>>(), [false, true, false], "{outcomes:?}");
    commit_one(&db, comment_on(one.id)).await.unwrap();
    assert_eq!(count(&db, "customers_comments").await, 3);
    commit_one(&db, deletion(&renamed(&one, "renamed"))).await.unwrap();
    assert!(refused(&commit(&db, vec![comment_on(one.id)]).await[0]));
    assert_eq!(count(&db, "customers_comments").await, 3, "they may come back with it");
}

/// Adds comments until the record is gone; returns how many.
async fn comments(db: Db, record: Id) -> i64 {
    let mut added = 0;
    for _ in 0..20 {
        let outcome = commit(&db, vec![comment_on(record), customer_unit(&customer("beside"))]).await;
        assert!(outcome[1].is_ok() && (outcome[0].is_ok() || refused(&outcome[0])), "{outcome:?}");
        assert!(outcome[0].is_ok() || added < 20, "once it is gone, it stays so");
        added += i64::from(outcome[0].is_ok());
    }
    added
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn whichever_node_deletes_a_record_nothing_is_put_beside_it_afterwards(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let mut nodes = vec![db.clone()];
    if on == Postgres {
        nodes.push(database.open().await);
        nodes.push(database.open().await);
    }
    let mut before = 0;
    for _ in 0..5 {
        let made = customer("raced");
        commit_one(&db, customer_unit(&made)).await.unwrap();
        let adding = join_all(nodes.iter().map(|node| tokio::spawn(comments(node.clone(), made.id))));
        let last = nodes.last().expect("a node").clone();
        let (added, deleted) = tokio::join!(adding, async {
            tokio::task::yield_now().await;
            commit_one(&last, deletion(&made)).await
        });
        deleted.unwrap();
        let added: i64 = added.into_iter().map(|task| task.expect("no panic")).sum();
        for node in &nodes {
            assert!(refused(&commit(node, vec![comment_on(made.id)]).await[0]));
        }
        before += added;
        assert_eq!(count(&db, "customers_comments").await, before, "those that were answered, and no more");
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn comments_and_attachments_keep_every_text(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    for (text, place) in AWKWARD.into_iter().zip(1..) {
        let (record, id) = (new_id(), new_id());
        let mut row = json!({
            "id": id, "version": i64::MAX, "created_at": begin(), "updated_at": begin(), "record_type": "task",
            "record_id": record, "author_id": new_id(), "text": text, "mentions": [new_id(), new_id()],
            "notified": [new_id()],
        });
        store(&db, vec![Write::put(&CUSTOMERS_COMMENTS, id, &row)]).await;
        let comment: Comment = db.row(&CUSTOMERS_COMMENTS, id).await.unwrap().expect("a row");
        assert_eq!((comment.text.as_str(), comment.mentions.len(), comment.notified.len()), (text, 2, 1));
        let fields = row.as_object_mut().expect("an object");
        let more =
            json!({"name": text, "media_type": text, "size": i64::MAX, "sha256": text, "place": place});
        fields.extend(more.as_object().expect("an object").clone());
        store(&db, vec![Write::put(&TASKS_ATTACHMENTS, id, &row)]).await;
        let attachment: Attachment = db.row(&TASKS_ATTACHMENTS, id).await.unwrap().expect("a row");
        assert_eq!((attachment.name.as_str(), attachment.size, attachment.place), (text, i64::MAX, place));
    }
}
