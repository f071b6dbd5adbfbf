//! Checks the content of requests about approvals. Pure.

use crate::approval::messages::{Decision, NewApprover, OptionalComment, RequiredComment};
use crate::approval::record::NewApproval;
use crate::approval::rules::ApprovalCommand;
use crate::money::{CURRENCY_DEFAULT, check_amount, check_currency};
use kernel::error::{Error, FieldError};
use kernel::text_schemas::{DecisionComment, Notes, Title};
use kernel::validation::{Checked, Rules, Validator, faults_of};

/// Checks a new approval request.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(mut new: NewApproval) -> Result<Checked<NewApproval>, Error> {
    let mut validator = Validator::default();
    validator.required::<Title>("title", &mut new.title);
    check_amount(&mut validator, Some(new.amount.0));
    check_currency(&mut validator, new.currency.as_deref());
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
