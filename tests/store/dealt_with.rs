//! Notifications about a request whose reader has dealt with it: read once, however often the event is applied.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::approval::record::{Approval, ApprovalStatus};
use domain::approval::rules::ApprovalEvent;
use domain::events::{NOTIFICATION_CREATED, NOTIFICATION_READ};
use domain::notification::messages::Which;
use domain::notification::user_directory::UserCopy;
use kernel::caller::Role;
use kernel::context::Context;
use kernel::event::{Event, LoggedEvent};
use kernel::ids::{Id, new_id};
use kizuna::actors::analytics::notifications::NotificationsConsumer;
use kizuna::persistence::analytics::{USER_COPIES, notifications};
use rstest::rstest;
use runtime::consumer::Consumer;
use store::log;
use store::unit_of_work::Write;

use crate::common::{begin, caller, commit_one, first, store};
use crate::node::{Node, run};
use testing::{Database, Postgres, Sqlite};

/// The managers and the requester of a request that waits for every MANAGER.
struct People {
    manager: Id,
    other: Id,
    requester: Id,
}

impl People {
    async fn store(node: &Node) -> Self {
        let people = Self { manager: new_id(), other: new_id(), requester: new_id() };
        let copy = |id, role| {
            let copy = UserCopy {
                id,
                version: 1,
                name: "佐藤".into(),
                role,
                manager_id: None,
                muted_notifications: BTreeSet::new(),
                deleted_at: None,
            };
            Write::put(&USER_COPIES, id, &copy)
        };
        let managers = [people.manager, people.other].map(|id| copy(id, Role::Manager));
        store(&node.db, managers.into_iter().chain([copy(people.requester, Role::Sales)]).collect()).await;
        people
    }

    /// The request, and its approval by the manager.
    fn request_and_approval(&self) -> [Arc<LoggedEvent>; 2] {
        let requested = Approval {
            id: new_id(),
            version: 1,
            created_at: begin(),
            updated_at: begin(),
            deal_id: None,
            customer_id: new_id(),
            title: "値引き".into(),
            amount: 1,
            currency: "JPY".into(),
            reason: None,
            status: ApprovalStatus::Pending,
            requester_id: self.requester,
            approver_id: None,
            decided_by: None,
            decided_at: None,
            comment: None,
        };
        let approved = Approval {
            version: 2,
            status: ApprovalStatus::Approved,
            decided_by: Some(self.manager),
            decided_at: Some(begin()),
            ..requested.clone()
        };
        [
            logged(&requested, &ApprovalEvent::Requested(requested.clone()), self.requester),
            logged(&approved, &ApprovalEvent::Approved(approved.clone()), self.manager),
        ]
    }
}

fn logged(approval: &Approval, event: &ApprovalEvent, actor: Id) -> Arc<LoggedEvent> {
    let context = Context { caller: caller(Role::Manager, actor), ..Context::system() };
    let event = Event::new(event, approval.id, approval.version, begin(), &context);
    Arc::new(LoggedEvent { partition: 1, partition_seq: approval.version, log_seq: None, event })
}

fn consumer(node: &Node) -> NotificationsConsumer {
    let notifications = node.entities(100, Duration::from_secs(60));
    NotificationsConsumer { notifications, clock: node.clock.clone() }
}

async fn unread(node: &Node, user: Id) -> usize {
    notifications(&node.db, user, Which::Unread, &first(10)).await.expect("a page").items.len()
}

/// How often notifications were marked as read.
async fn reads(node: &Node) -> usize {
    log::of_types(&node.db, &[NOTIFICATION_READ]).await.expect("events").len()
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn an_effect_that_is_computed_again_marks_no_notification_again(#[case] on: Database) {
    run(on, async |fixture| {
        let node = fixture.node().await;
        let (people, consumer) = (People::store(&node).await, consumer(&node));
        let [requested, approved] = people.request_and_approval();
        let told = consumer.effect(&node.db, &[requested]).await.expect("an effect");
        commit_one(&node.db, told).await.expect("a commit");
        assert_eq!((unread(&node, people.manager).await, unread(&node, people.other).await), (1, 1));
        // The first effect is lost, as when the process dies before the commit.
        for _ in 0..2 {
            let effect = consumer.effect(&node.db, std::slice::from_ref(&approved)).await.expect("an effect");
            let types: Vec<_> = effect.events.iter().map(|event| event.event_type).collect();
            assert_eq!(types, [NOTIFICATION_CREATED], "the requester's");
            assert_eq!((reads(&node).await, unread(&node, people.manager).await), (1, 0));
        }
        assert_eq!(unread(&node, people.other).await, 1, "the other manager has not dealt with it");
        let read = log::of_types(&node.db, &[NOTIFICATION_READ]).await.expect("events").remove(0).event;
        assert_eq!((read.causation_id, read.actor_id), (Some(approved.event.id), None));
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn a_request_and_its_decision_of_one_batch_leave_the_decider_nothing_to_read(#[case] on: Database) {
    run(on, async |fixture| {
        let node = fixture.node().await;
        let (people, consumer) = (People::store(&node).await, consumer(&node));
        let effect = consumer.effect(&node.db, &people.request_and_approval()).await.expect("an effect");
        commit_one(&node.db, effect).await.expect("a commit");
        let all =
            notifications(&node.db, people.manager, Which::All, &first(10)).await.expect("a page").items;
        let [read] = all.as_slice() else { panic!("one notification: {all:?}") };
        assert_eq!((read.version, read.read_at), (2, Some(node.clock.now())));
        assert_eq!(
            (reads(&node).await, log::of_types(&node.db, &[NOTIFICATION_CREATED]).await.unwrap().len()),
            (1, 3)
        );
        assert_eq!((unread(&node, people.other).await, unread(&node, people.requester).await), (1, 1));
    });
}
