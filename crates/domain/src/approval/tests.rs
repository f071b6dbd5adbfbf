//! Tests of the rules of approvals, one by one and in any order.

use kernel::event::StateAfter;
use proptest::prelude::*;

use crate::approval::messages::{Decision, OptionalComment, RequiredComment};
use crate::approval::record::NewApproval;
use crate::approval::record::{Approval, ApprovalStatus};
use crate::approval::rules;
use crate::approval::rules::{Action, ApprovalCommand, ApprovalEvent, decide, permitted};
use crate::approval::validation::{check_decision, check_new, currency};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::{Id, new_id};
use kernel::scopes::Scopes;
use kernel::whole_number::Whole;

const ACTIONS: [Action; 4] = [Action::Approve, Action::Reject, Action::Cancel, Action::Reassign];

fn caller(role: Role, user_id: Id) -> Caller {
    Caller { user_id, role, session_id: Id::nil(), scopes: Scopes::ALL }
}

fn new(amount: i64, currency: Option<&str>) -> NewApproval {
    NewApproval {
        customer_id: new_id(),
        deal_id: None,
        title: "値引き".to_owned(),
        amount: Whole(amount),
        currency: currency.map(str::to_owned),
        reason: None,
        approver_id: None,
    }
}

fn request(approver_id: Option<Id>) -> ApprovalCommand {
    let new = check_new(new(1, None)).expect("a right request");
    ApprovalCommand::Request { new, approver_id }
}

/// A pending approval.
fn approval(requester: Id, approver: Option<Id>) -> Approval {
    let by = caller(Role::Manager, requester);
    let mut events =
        decide(None, &request(approver), &by, new_id(), Timestamp::from_micros(0)).expect("a request");
    events.pop().expect("an event").after().clone()
}

fn command(action: Action, approver_id: Id) -> ApprovalCommand {
    let said = || "確認済み".to_owned();
    match action {
        Action::Approve => ApprovalCommand::Approve { comment: None },
        Action::Reject => ApprovalCommand::Reject { comment: said() },
        Action::Cancel => ApprovalCommand::Cancel { comment: Some(said()) },
        Action::Reassign => ApprovalCommand::Reassign { approver_id },
    }
}

fn word<T>(answer: Result<T, Error>) -> &'static str {
    answer.map_or_else(|error| error.code.as_str(), |_| "ok")
}

#[test]
fn only_what_is_pending_becomes_something() {
    use ApprovalStatus::{Approved, Cancelled, Pending, Rejected};
    let from_pending = [Some(Approved), Some(Rejected), Some(Cancelled), Some(Pending)];
    assert_eq!(ACTIONS.map(|action| Pending.after(action)), from_pending);
    for decided in [Approved, Rejected, Cancelled] {
        assert_eq!(ACTIONS.map(|action| decided.after(action)), [None; 4], "{decided:?}");
    }
}

#[test]
fn every_role_may_do_what_the_contract_says_and_no_more() {
    let (requester, approver, other) = (new_id(), new_id(), new_id());
    let (named, open) = (approval(requester, Some(approver)), approval(requester, None));
    let rows = [
        // approve and reject, cancel, reassign
        (Role::Sales, requester, &named, ["forbidden", "ok", "forbidden"]),
        (Role::Sales, requester, &open, ["forbidden", "ok", "forbidden"]),
        (Role::Sales, approver, &named, ["not_found", "not_found", "not_found"]),
        (Role::Sales, other, &open, ["not_found", "not_found", "not_found"]),
        (Role::Manager, requester, &named, ["own_request", "ok", "ok"]),
        (Role::Manager, requester, &open, ["own_request", "ok", "ok"]),
        (Role::Manager, approver, &named, ["ok", "forbidden", "ok"]),
        (Role::Manager, other, &named, ["forbidden", "forbidden", "ok"]),
        (Role::Manager, other, &open, ["ok", "forbidden", "ok"]),
        (Role::Admin, requester, &named, ["own_request", "ok", "ok"]),
        (Role::Admin, other, &named, ["ok", "ok", "ok"]),
        (Role::Admin, other, &open, ["ok", "ok", "ok"]),
    ];
    for (role, user, approval, [decision, cancel, reassign]) in rows {
        let wanted = [decision, decision, cancel, reassign];
        let said = ACTIONS.map(|action| word(permitted(Some(approval), action, &caller(role, user))));
        assert_eq!(said, wanted, "{role:?}");
    }
}

#[test]
fn who_asks_is_checked_before_the_state() {
    let (requester, approver) = (new_id(), new_id());
    let rejected = Approval { status: ApprovalStatus::Rejected, ..approval(requester, Some(approver)) };
    let approve = |role, user| word(permitted(Some(&rejected), Action::Approve, &caller(role, user)));
    assert_eq!(approve(Role::Sales, new_id()), "not_found");
    assert_eq!(approve(Role::Sales, requester), "forbidden");
    assert_eq!(approve(Role::Manager, requester), "own_request");
    assert_eq!(approve(Role::Manager, new_id()), "forbidden");
    assert_eq!(approve(Role::Manager, approver), "approval_not_pending");
    assert_eq!(approve(Role::Admin, new_id()), "approval_not_pending");
}

#[test]
fn nobody_becomes_the_approver_of_their_own_request() {
    let (requester, admin, now) = (new_id(), caller(Role::Admin, new_id()), Timestamp::from_micros(1));
    let own = request(Some(requester));
    let refused = decide(None, &own, &caller(Role::Manager, requester), new_id(), now).unwrap_err();
    assert_eq!(refused.fields[0].code, "own_approver");
    let pending = approval(requester, None);
    let back = ApprovalCommand::Reassign { approver_id: requester };
    let refused = decide(Some(&pending), &back, &admin, pending.id, now).unwrap_err();
    assert_eq!(refused.fields[0].code, "own_approver");
}

#[test]
fn an_approval_is_cancelled_with_its_customer_and_with_no_other() {
    let approval = approval(new_id(), None);
    let with = |customer_id| {
        let command = ApprovalCommand::CancelWith { customer_id };
        let decided =
            decide(Some(&approval), &command, &Caller::system(), approval.id, Timestamp::from_micros(1));
        decided.expect("allowed")
    };
    assert!(matches!(&with(approval.customer_id)[..], [ApprovalEvent::Cancelled(_)]));
    assert!(with(new_id()).is_empty());
}

#[test]
fn an_approval_reassigned_to_its_approver_stays_as_it_is() {
    let (approver, admin) = (new_id(), caller(Role::Admin, new_id()));
    let pending = approval(new_id(), Some(approver));
    let reassign = |approver_id| {
        let command = ApprovalCommand::Reassign { approver_id };
        decide(Some(&pending), &command, &admin, pending.id, Timestamp::from_micros(1)).expect("allowed")
    };
    assert!(reassign(approver).is_empty());
    let next = new_id();
    let [ApprovalEvent::Reassigned { after, changed, previous_approver_id, previous_requester_id }] =
        &reassign(next)[..]
    else {
        panic!("one event");
    };
    assert_eq!((after.approver_id, after.status), (Some(next), ApprovalStatus::Pending));
    assert_eq!(changed[..], ["approver_id"]);
    assert_eq!((*previous_approver_id, *previous_requester_id), (Some(approver), None));
}

#[test]
fn a_rejection_needs_words_and_other_decisions_take_them() {
    let reject = |text: &str| check_decision(Decision::Reject(RequiredComment { comment: text.to_owned() }));
    for blank in ["", " \n\u{3000}"] {
        assert_eq!(reject(blank).unwrap_err().fields[0].code, "required");
    }
    assert!(reject(&"あ".repeat(10_000)).is_ok());
    assert_eq!(reject(&"あ".repeat(10_001)).unwrap_err().fields[0].code, "too_long");
    let blank = OptionalComment { comment: Some(" ".to_owned()) };
    let approve = check_decision(Decision::Approve(blank)).expect("a blank comment counts as absent");
    assert!(matches!(approve, ApprovalCommand::Approve { comment: None }));
}

#[test]
fn amounts_and_currencies_are_those_of_the_contract() {
    let check = |amount, asked: Option<&str>| {
        check_new(new(amount, asked))
            .map(|new| currency(&new).to_owned())
            .map_err(|error| error.fields[0].code.to_string())
    };
    assert_eq!(check(0, None).as_deref(), Ok("JPY"));
    assert_eq!(check(9_007_199_254_740_991, Some("USD")).as_deref(), Ok("USD"));
    assert_eq!(check(-1, None), Err("too_small".to_owned()));
    assert_eq!(check(9_007_199_254_740_992, None), Err("too_large".to_owned()));
    for unknown in ["usd", "", "XYZ", "US", "円"] {
        assert_eq!(check(1, Some(unknown)), Err("invalid_currency".to_owned()), "{unknown}");
    }
}

proptest! {
    /// In any order of actions by any users there is at most one decision, and the requester can only cancel.
    #[test]
    fn an_approval_is_decided_once_and_never_by_its_requester(
        starts_named in any::<bool>(),
        steps in proptest::collection::vec((0_usize..4, 0_usize..4, 0_usize..3, 0_usize..4), 1..40),
    ) {
        let people = [new_id(), new_id(), new_id(), new_id()];
        let roles = [Role::Sales, Role::Manager, Role::Admin];
        let mut now = approval(people[0], starts_named.then_some(people[1]));
        for (step, (action, who, role, approver)) in steps.into_iter().enumerate() {
            let (action, by) = (ACTIONS[action], caller(roles[role], people[who]));
            let time = Timestamp::from_micros(step as i64 + 1);
            let Ok(events) = decide(Some(&now), &command(action, people[approver]), &by, now.id, time) else {
                continue;
            };
            prop_assert!(events.len() <= 1);
            let Some(event) = events.first() else { continue };
            let after = event.after();
            prop_assert_eq!(now.status, ApprovalStatus::Pending, "only what is pending changes");
            prop_assert_eq!(Some(after.status), now.status.after(action));
            prop_assert_eq!((after.version, after.updated_at), (now.version + 1, time));
            let is_pending = after.status == ApprovalStatus::Pending;
            prop_assert_eq!(after.decided_by, (!is_pending).then_some(by.user_id));
            prop_assert_eq!(after.decided_at, (!is_pending).then_some(time));
            prop_assert!(after.approver_id != Some(after.requester_id));
            if matches!(after.status, ApprovalStatus::Approved | ApprovalStatus::Rejected) {
                prop_assert!(by.user_id != after.requester_id && rules::can_approve(by.role));
            }
            now = after.clone();
        }
    }
}
