//! Checks of what comes in from outside, before anybody is asked. Pure.

use iso_currency::Currency;

use super::domain::ApprovalCommand;
use super::messages::{Decision, NewApproval};
use crate::actors::fields::Faults;
use crate::actors::refusal::Refusal;
use crate::ids::Id;

const TITLE_MAX: usize = 200;
const TEXT_MAX: usize = 10_000;
/// The greatest whole number that every reader of JSON keeps to the last digit (RFC 7493 §2.2).
const AMOUNT_MAX: i64 = (1 << 53) - 1;
/// SPEC §3.
const CURRENCY_DEFAULT: &str = "JPY";

/// A new approval request, checked.
#[derive(Debug)]
pub struct ApprovalDraft {
    pub customer_id: Id,
    pub title: String,
    pub amount: i64,
    pub currency: String,
    pub reason: Option<String>,
    pub approver_id: Option<Id>,
}

/// Checks a new approval request.
///
/// # Errors
/// `invalid_fields` with every fault.
pub fn check_new(new: NewApproval) -> Result<ApprovalDraft, Refusal> {
    let mut faults = Faults::default();
    let draft = ApprovalDraft {
        customer_id: new.customer_id,
        title: faults.required("title", &new.title, TITLE_MAX),
        amount: faults.range("amount", new.amount.0, 0, AMOUNT_MAX),
        currency: check_currency(&mut faults, new.currency),
        reason: faults.optional("reason", new.reason.as_deref(), TEXT_MAX),
        approver_id: new.approver_id,
    };
    faults.ok(draft)
}

fn check_currency(faults: &mut Faults, code: Option<String>) -> String {
    let code = code.unwrap_or_else(|| CURRENCY_DEFAULT.to_owned());
    if Currency::from_code(&code).is_none() {
        faults.add("currency", "invalid_currency");
    }
    code
}

/// Checks what somebody wants to do.
///
/// # Errors
/// `invalid_fields` with every fault.
pub fn check_decision(decision: Decision) -> Result<ApprovalCommand, Refusal> {
    let mut faults = Faults::default();
    let mut optional = |comment: Option<String>| faults.optional("comment", comment.as_deref(), TEXT_MAX);
    let command = match decision {
        Decision::Approve(said) => ApprovalCommand::Approve { comment: optional(said.comment) },
        Decision::Cancel(said) => ApprovalCommand::Cancel { comment: optional(said.comment) },
        Decision::Reject(said) => {
            ApprovalCommand::Reject { comment: faults.required("comment", &said.comment, TEXT_MAX) }
        }
        Decision::Reassign(to) => ApprovalCommand::Reassign { approver_id: to.approver_id },
    };
    faults.ok(command)
}
