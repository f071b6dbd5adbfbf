//! What the server answers, and what it is sent. Records are the server's own types, so that there is one list of their
//! fields; fields that a later server adds are passed over.

mod answers;
mod bodies;

pub use answers::*;
pub(crate) use bodies::*;
pub use domain::approval::record::NewApproval;
pub use domain::approval::record::{Approval, ApprovalStatus};
pub use domain::customer::record::{Customer, CustomerStatus};
pub use domain::customer::record::{CustomerChanges, NewCustomer};
pub use domain::deal::record::{Deal, DealChanges, NewDeal};
pub use domain::deal::stage::DealStage;
pub use domain::meeting::record::Meeting;
pub use domain::meeting::record::{MeetingChanges, NewMeeting};
pub use domain::saga::record::{Saga, SagaKind, SagaStatus, Step, StepStatus};
pub use domain::task::record::{NewTask, TaskChanges};
pub use domain::task::record::{Task, TaskStatus};
pub use domain::user::record::{NewUser, UserChanges};
pub use kernel::caller::Role;
pub use kernel::day::Day;
pub use kernel::locale::Locale;
pub use kernel::patch::Change;
pub use kernel::whole_number::Whole;

use crate::collection::{Creatable, Editable, Resource};

macro_rules! resource {
    ($record:ident at $path:literal $(, new $new:ident)? $(, changes $changes:ident)?) => {
        impl Resource for $record {
            const PATH: &'static str = $path;
        }
        $(impl Creatable for $record {
            type New = $new;
        })?
        $(impl Editable for $record {
            type Changes = $changes;
        })?
    };
}

resource!(User at "/api/auth/users", new NewUser, changes UserChanges);
resource!(Customer at "/api/customers", new NewCustomer, changes CustomerChanges);
resource!(Meeting at "/api/meetings", new NewMeeting, changes MeetingChanges);
resource!(Task at "/api/tasks", new NewTask, changes TaskChanges);
resource!(Deal at "/api/deals", new NewDeal, changes DealChanges);
resource!(Approval at "/api/approvals", new NewApproval);
resource!(Notification at "/api/notifications");
resource!(Saga at "/api/sagas");
