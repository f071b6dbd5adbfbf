//! The steps of each kind of saga: which service does what, and the event that closes it.

use crate::saga::bulk;
use crate::saga::customer_deletion;
use crate::saga::imports;
use crate::saga::merge;
use crate::saga::record::SagaKind;
use crate::saga::restoration;
use crate::saga::step_plan::StepPlan;
use crate::saga::user_deletion;

impl SagaKind {
    pub const ALL: [Self; 13] = [
        Self::UserDeletion,
        Self::CustomerDeletion,
        Self::CustomersChange,
        Self::MeetingsChange,
        Self::TasksChange,
        Self::DealsChange,
        Self::CustomerMerge,
        Self::CustomerRestoration,
        Self::UserRestoration,
        Self::CustomersImport,
        Self::MeetingsImport,
        Self::TasksImport,
        Self::DealsImport,
    ];
    /// Those whose steps are done by different services or for different kinds of records.
    pub const DELETIONS: [Self; 2] = [Self::UserDeletion, Self::CustomerDeletion];

    /// Its steps, in the order in which they are shown; they are carried out in any order. That of a change of many records
    /// or of an import is repeated for each batch.
    pub fn plan(self) -> &'static [StepPlan] {
        match self {
            Self::UserDeletion => user_deletion::STEPS,
            Self::CustomerDeletion => customer_deletion::STEPS,
            Self::CustomersChange => bulk::CUSTOMERS,
            Self::MeetingsChange => bulk::MEETINGS,
            Self::TasksChange => bulk::TASKS,
            Self::DealsChange => bulk::DEALS,
            Self::CustomerMerge => merge::STEPS,
            Self::CustomerRestoration => restoration::OF_CUSTOMER,
            Self::UserRestoration => restoration::OF_USER,
            Self::CustomersImport => imports::CUSTOMERS,
            Self::MeetingsImport => imports::MEETINGS,
            Self::TasksImport => imports::TASKS,
            Self::DealsImport => imports::DEALS,
        }
    }

    /// Whether it carries out an import.
    pub const fn is_import(self) -> bool {
        matches!(self, Self::CustomersImport | Self::MeetingsImport | Self::TasksImport | Self::DealsImport)
    }
}
