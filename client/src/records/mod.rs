//! What the server answers, and what it is sent. Fields that a later server adds are passed over.

mod answers;
mod bodies;

pub use answers::*;
pub use bodies::*;

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
resource!(Approval at "/api/approvals", new NewApproval);
resource!(Notification at "/api/notifications");
resource!(Saga at "/api/sagas");
