//! Checks the content of requests about deals. Pure.

use crate::deal::record::{DealChanges, NewDeal};
use crate::deal::stage::DealStage;
use crate::money::{check_amount, check_currency};
use kernel::error::{Error, FieldError};
use kernel::text_schemas::{Notes, Title};
use kernel::validation::{Checked, Rules, Validator, faults_of};

const PROBABILITY_MAX: i64 = 100;

/// The rules of the fields, for a new deal and for changes alike.
macro_rules! check_fields {
    ($validator:ident, $body:ident, $amount:expr) => {
        $validator.required::<Title>("title", &mut $body.title);
        check_amount(&mut $validator, $amount);
        check_currency(&mut $validator, $body.currency.as_deref());
        if let Some(probability) = $body.probability {
            $validator.range("probability", probability.0, 0, PROBABILITY_MAX);
        }
        $validator.optional::<Notes>("lost_reason", &mut $body.lost_reason);
    };
}

/// Checks a new deal.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(mut new: NewDeal) -> Result<Checked<NewDeal>, Error> {
    let mut validator = Validator::default();
    check_fields!(validator, new, Some(new.amount.0));
    if let Some(code) = reason_fault(new.stage.unwrap_or(DealStage::Qualify), new.lost_reason.as_deref()) {
        validator.add("lost_reason", code);
    }
    validator.ok(new)
}

/// Checks changes of a deal. Whether they fit its stage is decided with the deal.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_changes(mut changes: DealChanges) -> Result<Checked<DealChanges>, Error> {
    let mut validator = Validator::default();
    check_fields!(validator, changes, changes.amount.map(|amount| amount.0));
    validator.ok(changes)
}

/// What is wrong with the reason of a deal in this stage, as a code: a lost deal has one, and no other has.
pub fn reason_fault(stage: DealStage, reason: Option<&str>) -> Option<&'static str> {
    match (stage, reason) {
        (DealStage::Lost, None) => Some("required"),
        (DealStage::Lost, Some(_)) | (_, None) => None,
        (_, Some(_)) => Some("not_lost"),
    }
}

impl Rules for NewDeal {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_new(self))
    }
}

impl Rules for DealChanges {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_changes(self))
    }
}
