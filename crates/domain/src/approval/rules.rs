//! The rules of approvals: who may do what, when, and with what result. Pure.

use crate::approval::record::{Approval, ApprovalPayload, ApprovalStatus};
use crate::events as catalogue;
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use serde_json::value::RawValue;

use crate::approval::record::NewApproval;
use crate::approval::validation::currency;
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::validation::{Checked, set};

/// An action of a user on an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Approve,
    Reject,
    Cancel,
    Reassign,
}

impl ApprovalStatus {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Approved, Self::Rejected, Self::Cancelled];

    /// Its name in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The state machine (SPEC §3): only a pending approval can change its status, once.
    pub fn after(self, action: Action) -> Option<Self> {
        match (self, action) {
            (Self::Pending, Action::Approve) => Some(Self::Approved),
            (Self::Pending, Action::Reject) => Some(Self::Rejected),
            (Self::Pending, Action::Cancel) => Some(Self::Cancelled),
            (Self::Pending, Action::Reassign) => Some(Self::Pending),
            (Self::Approved | Self::Rejected | Self::Cancelled, _) => None,
        }
    }
}

/// What can be done to an approval.
#[derive(Debug)]
pub enum ApprovalCommand {
    Request {
        new: Checked<NewApproval>,
        /// The approver whom the request names, or the one by default.
        approver_id: Option<Id>,
    },
    Approve {
        comment: Option<String>,
    },
    Reject {
        comment: String,
    },
    Cancel {
        comment: Option<String>,
    },
    /// It is cancelled with its customer, if it is still that customer's.
    CancelWith {
        customer_id: Id,
    },
    Reassign {
        approver_id: Id,
    },
    /// A deleted user's approval goes to their successors.
    HandOver {
        from: Id,
        successor: Id,
        approver: Option<Id>,
    },
    /// A merged customer's approval goes to the other customer.
    Move {
        from: Id,
        to: Id,
    },
    /// Becomes again what it was.
    Revert {
        to: Option<Box<Approval>>,
    },
}

/// What happened to an approval, with the approval after it.
#[derive(Debug)]
pub enum ApprovalEvent {
    Requested(Approval),
    Approved(Approval),
    Rejected(Approval),
    Cancelled(Approval),
    Reassigned {
        after: Approval,
        changed: Vec<&'static str>,
        previous_approver_id: Option<Id>,
        previous_requester_id: Option<Id>,
    },
    /// It goes to another customer.
    Moved(Approval),
    /// It waits again.
    Restored(Approval),
}

/// Whether a user of this role may be an approver (SPEC §1).
pub fn can_approve(role: Role) -> bool {
    role != Role::Sales
}

/// Whether a user may be the approver of a request of `requester` (SPEC §1).
pub fn may_be_approver(user: Id, role: Role, requester: Id) -> bool {
    can_approve(role) && check_approver(Some(user), requester).is_ok()
}

/// Checks that the approver is not the requester: nobody decides on their own request.
///
/// # Errors
/// `invalid_fields`: `own_approver`.
pub fn check_approver(approver: Option<Id>, requester: Id) -> Result<(), Error> {
    if approver == Some(requester) { Err(Error::field("approver_id", "own_approver")) } else { Ok(()) }
}

/// The events that a command leads to.
///
/// # Errors
/// As [`permitted`]; `invalid_fields` for an approver who is the requester.
pub fn decide(
    state: Option<&Approval>,
    command: &ApprovalCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<ApprovalEvent>, Error> {
    let ended = |action, comment| close(state, action, comment, caller, now);
    let event = match command {
        ApprovalCommand::Request { new, approver_id } if state.is_none() => {
            check_approver(*approver_id, caller.user_id)?;
            Some(ApprovalEvent::Requested(requested(new, *approver_id, caller, id, now)))
        }
        ApprovalCommand::Request { .. } => return Err(Error::internal("a second creation of one approval")),
        ApprovalCommand::Approve { comment } => {
            Some(ApprovalEvent::Approved(ended(Action::Approve, comment.as_deref())?))
        }
        ApprovalCommand::Reject { comment } => {
            Some(ApprovalEvent::Rejected(ended(Action::Reject, Some(comment))?))
        }
        ApprovalCommand::Cancel { comment } => {
            Some(ApprovalEvent::Cancelled(ended(Action::Cancel, comment.as_deref())?))
        }
        ApprovalCommand::CancelWith { customer_id } => {
            let is_theirs = visible(state, caller)?.customer_id == *customer_id;
            is_theirs.then(|| ended(Action::Cancel, None)).transpose()?.map(ApprovalEvent::Cancelled)
        }
        ApprovalCommand::Reassign { approver_id } => {
            let (approval, _) = permitted(state, Action::Reassign, caller)?;
            check_approver(Some(*approver_id), approval.requester_id)?;
            hand_over(approval, Some(*approver_id), approval.requester_id, now)
        }
        ApprovalCommand::HandOver { from, successor, approver } => {
            let (approval, _) = permitted(state, Action::Reassign, caller)?;
            take_over(approval, *from, *successor, *approver, now)
        }
        ApprovalCommand::Move { from, to } => {
            let approval = visible(state, caller)?;
            let after = || Approval { customer_id: *to, ..touched(approval, now) };
            (approval.customer_id == *from).then(|| ApprovalEvent::Moved(after()))
        }
        ApprovalCommand::Revert { to } => {
            let approval = visible(state, caller)?;
            // No saga creates approvals.
            to.as_ref().and_then(|to| revert(approval, to, now))
        }
    };
    Ok(event.into_iter().collect())
}

/// What leads back to `to`: a cascade cancels an approval, moves it to another customer, or gives it to other users.
fn revert(approval: &Approval, to: &Approval, now: Timestamp) -> Option<ApprovalEvent> {
    let Approval { version, updated_at, .. } = touched(approval, now);
    let after = Approval { version, updated_at, ..to.clone() };
    if approval.status != to.status {
        return Some(match to.status {
            ApprovalStatus::Cancelled => ApprovalEvent::Cancelled(after),
            _ => ApprovalEvent::Restored(after),
        });
    }
    if approval.customer_id != to.customer_id {
        return Some(ApprovalEvent::Moved(after));
    }
    hand_over(approval, to.approver_id, to.requester_id, now)
}

/// SPEC §5.7: a deleted user's requests go to the successor, and approvals that wait for the user to the other
/// approver. Nobody decides on their own request: where that would happen, the other approver decides, or every
/// MANAGER may.
fn take_over(
    approval: &Approval,
    from: Id,
    successor: Id,
    approver: Option<Id>,
    now: Timestamp,
) -> Option<ApprovalEvent> {
    let requester = if approval.requester_id == from { successor } else { approval.requester_id };
    let kept = approval.approver_id.filter(|kept| *kept != from && *kept != requester);
    let decides = match approval.approver_id {
        None => None,
        Some(_) => kept.or(approver.filter(|other| *other != requester && *other != from)),
    };
    hand_over(approval, decides, requester, now)
}

/// The approval on which the caller acts, and its status afterwards. Errors are checked in the order below.
///
/// # Errors
/// `not_found` (also if the caller may not see it), `forbidden`, `own_request`, `approval_not_pending`.
pub fn permitted<'a>(
    state: Option<&'a Approval>,
    action: Action,
    caller: &Caller,
) -> Result<(&'a Approval, ApprovalStatus), Error> {
    let approval = visible(state, caller)?;
    check_role(approval, action, caller)?;
    let after = approval.status.after(action).ok_or_else(|| Error::new(ErrorCode::ApprovalNotPending))?;
    Ok((approval, after))
}

/// The approval, if the caller may see it.
///
/// # Errors
/// `not_found`.
pub fn visible<'a>(state: Option<&'a Approval>, caller: &Caller) -> Result<&'a Approval, Error> {
    let seen = state.filter(|approval| caller.sees(approval.requester_id));
    seen.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// Checks the caller's role (the rows about approvals in SPEC §1).
fn check_role(approval: &Approval, action: Action, caller: &Caller) -> Result<(), Error> {
    let is_own = approval.requester_id == caller.user_id;
    let waits_for_caller = approval.approver_id.is_none_or(|approver| approver == caller.user_id);
    match (action, caller.role) {
        (Action::Approve | Action::Reject, Role::Manager | Role::Admin) if is_own => {
            Err(Error::new(ErrorCode::OwnRequest))
        }
        (Action::Approve | Action::Reject, Role::Manager) if waits_for_caller => Ok(()),
        (Action::Approve | Action::Reject | Action::Cancel, Role::Admin) => Ok(()),
        (Action::Cancel, _) if is_own => Ok(()),
        (Action::Reassign, Role::Manager | Role::Admin) => Ok(()),
        _ => Err(Error::new(ErrorCode::Forbidden)),
    }
}

fn requested(
    new: &NewApproval,
    approver_id: Option<Id>,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Approval {
    Approval {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        customer_id: new.customer_id,
        deal_id: new.deal_id,
        title: new.title.clone(),
        amount: new.amount.0,
        currency: currency(new).to_owned(),
        reason: new.reason.clone(),
        status: ApprovalStatus::Pending,
        requester_id: caller.user_id,
        approver_id,
        decided_by: None,
        decided_at: None,
        comment: None,
    }
}

fn touched(approval: &Approval, now: Timestamp) -> Approval {
    Approval { version: approval.version + 1, updated_at: now, ..approval.clone() }
}

/// The approval after its last decision.
fn close(
    state: Option<&Approval>,
    action: Action,
    comment: Option<&str>,
    caller: &Caller,
    now: Timestamp,
) -> Result<Approval, Error> {
    let (approval, status) = permitted(state, action, caller)?;
    Ok(Approval {
        status,
        decided_by: caller.actor_id(),
        decided_at: Some(now),
        comment: comment.map(str::to_owned),
        ..touched(approval, now)
    })
}

/// Returns `None` if it has this approver and requester already.
fn hand_over(
    approval: &Approval,
    approver: Option<Id>,
    requester: Id,
    now: Timestamp,
) -> Option<ApprovalEvent> {
    let mut after = touched(approval, now);
    let mut changed = Vec::new();
    set(&mut after.approver_id, Some(approver), "approver_id", &mut changed);
    set(&mut after.requester_id, Some(requester), "requester_id", &mut changed);
    let previous_approver_id = approval.approver_id.filter(|_| after.approver_id != approval.approver_id);
    let previous_requester_id =
        (after.requester_id != approval.requester_id).then_some(approval.requester_id);
    (!changed.is_empty()).then_some(ApprovalEvent::Reassigned {
        after,
        changed,
        previous_approver_id,
        previous_requester_id,
    })
}

impl StateAfter for ApprovalEvent {
    type State = Approval;

    fn after(&self) -> &Approval {
        match self {
            Self::Requested(after)
            | Self::Approved(after)
            | Self::Rejected(after)
            | Self::Cancelled(after)
            | Self::Reassigned { after, .. }
            | Self::Moved(after)
            | Self::Restored(after) => after,
        }
    }
}

impl DomainEvent for ApprovalEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Requested(_) => catalogue::APPROVAL_REQUESTED,
            Self::Approved(_) => catalogue::APPROVAL_APPROVED,
            Self::Rejected(_) => catalogue::APPROVAL_REJECTED,
            Self::Cancelled(_) => catalogue::APPROVAL_CANCELLED,
            Self::Reassigned { .. } => catalogue::APPROVAL_REASSIGNED,
            Self::Moved(_) => catalogue::APPROVAL_MOVED,
            Self::Restored(_) => catalogue::APPROVAL_RESTORED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let mut payload = ApprovalPayload {
            approval: self.after().clone(),
            changed: Vec::new(),
            previous_approver_id: None,
            previous_requester_id: None,
        };
        if let Self::Reassigned { changed, previous_approver_id, previous_requester_id, .. } = self {
            payload.changed = changed.iter().map(|name| (*name).to_owned()).collect();
            payload.previous_approver_id = *previous_approver_id;
            payload.previous_requester_id = *previous_requester_id;
        }
        raw(&payload)
    }
}
