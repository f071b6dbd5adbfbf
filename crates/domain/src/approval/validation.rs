//! Checks the content of requests about approvals. Pure.

use iso_currency::Currency;

use crate::approval::messages::{Decision, NewApprover, OptionalComment, RequiredComment};
use crate::approval::record::NewApproval;
use crate::approval::rules::ApprovalCommand;
use kernel::error::{Error, FieldError};
use kernel::text_schemas::{DecisionComment, Notes, Title};
use kernel::validation::{Checked, Rules, Validator, faults_of};

/// The greatest whole number that every reader of JSON keeps to the last digit (RFC 7493 §2.2).
const AMOUNT_MAX: i64 = (1 << 53) - 1;
/// The currency of a request without one (SPEC §3).
const CURRENCY_DEFAULT: &str = "JPY";

/// Checks a new approval request.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(mut new: NewApproval) -> Result<Checked<NewApproval>, Error> {
    let mut validator = Validator::default();
    validator.required::<Title>("title", &mut new.title);
    validator.range("amount", new.amount.0, 0, AMOUNT_MAX);
    if Currency::from_code(currency(&new)).is_none() {
        validator.add("currency", "invalid_currency");
    }
    validator.optional::<Notes>("reason", &mut new.reason);
    validator.ok(new)
}

/// The currency of a new approval request.
pub fn currency(new: &NewApproval) -> &str {
    new.currency.as_deref().unwrap_or(CURRENCY_DEFAULT)
}

/// Checks a decision.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_decision(mut decision: Decision) -> Result<ApprovalCommand, Error> {
    let mut validator = Validator::default();
    match &mut decision {
        Decision::Approve(body) | Decision::Cancel(body) => {
            validator.optional::<Notes>("comment", &mut body.comment);
        }
        Decision::Reject(body) => validator.required::<DecisionComment>("comment", &mut body.comment),
        Decision::Reassign(_) => {}
    }
    validator.ok(())?;
    Ok(match decision {
        Decision::Approve(OptionalComment { comment }) => ApprovalCommand::Approve { comment },
        Decision::Reject(RequiredComment { comment }) => ApprovalCommand::Reject { comment },
        Decision::Cancel(OptionalComment { comment }) => ApprovalCommand::Cancel { comment },
        Decision::Reassign(NewApprover { approver_id }) => ApprovalCommand::Reassign { approver_id },
    })
}

impl Rules for NewApproval {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_new(self))
    }
}

impl Rules for OptionalComment {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_decision(Decision::Approve(self)))
    }
}

impl Rules for RequiredComment {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_decision(Decision::Reject(self)))
    }
}

impl Rules for NewApprover {}
