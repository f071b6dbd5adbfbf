//! Checks the content of requests about approvals. Pure.

use iso_currency::Currency;

use crate::domain::approval::messages::{Decision, NewApproval};
use crate::domain::approval::rules::ApprovalCommand;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::validation::Validator;

const TITLE_MAX: usize = 200;
const TEXT_MAX: usize = 10_000;
/// The greatest whole number that every reader of JSON keeps to the last digit (RFC 7493 §2.2).
const AMOUNT_MAX: i64 = (1 << 53) - 1;
/// The currency of a request without one (SPEC §3).
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
/// `invalid_fields` with every error.
pub fn check_new(new: NewApproval) -> Result<ApprovalDraft, Error> {
    let mut validator = Validator::default();
    let draft = ApprovalDraft {
        customer_id: new.customer_id,
        title: validator.required("title", &new.title, TITLE_MAX),
        amount: validator.range("amount", new.amount.0, 0, AMOUNT_MAX),
        currency: check_currency(&mut validator, new.currency),
        reason: validator.optional("reason", new.reason.as_deref(), TEXT_MAX),
        approver_id: new.approver_id,
    };
    validator.ok(draft)
}

fn check_currency(validator: &mut Validator, code: Option<String>) -> String {
    let code = code.unwrap_or_else(|| CURRENCY_DEFAULT.to_owned());
    if Currency::from_code(&code).is_none() {
        validator.add("currency", "invalid_currency");
    }
    code
}

/// Checks a decision.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_decision(decision: Decision) -> Result<ApprovalCommand, Error> {
    let mut validator = Validator::default();
    let mut optional = |comment: Option<String>| validator.optional("comment", comment.as_deref(), TEXT_MAX);
    let command = match decision {
        Decision::Approve(said) => ApprovalCommand::Approve { comment: optional(said.comment) },
        Decision::Cancel(said) => ApprovalCommand::Cancel { comment: optional(said.comment) },
        Decision::Reject(said) => {
            ApprovalCommand::Reject { comment: validator.required("comment", &said.comment, TEXT_MAX) }
        }
        Decision::Reassign(to) => ApprovalCommand::Reassign { approver_id: to.approver_id },
    };
    validator.ok(command)
}
