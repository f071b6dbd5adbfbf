//! Who may do what, by SPEC §1: one rule for each operation of the document.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Nobody,
    Owner,
    Other,
    Manager,
    Admin,
    Deleted,
}

/// Whose the record is, as the caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Own,
    Others,
    Missing,
}

/// What the `{id}` of a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Customer,
    Meeting,
    Task,
    Approval,
    Deal,
    Notification,
    Saga,
    Session,
    View,
    ApiKey,
    Import,
    DeadLetter,
    Event,
    Webhook,
    /// A delivery of a webhook that there is.
    Delivery,
}

/// The kind of the records of a path like `/api/meetings/{id}/comments`.
pub(super) fn kind_of(operation: &str) -> Option<Kind> {
    match operation.split('/').nth(2)? {
        "customers" => Some(Kind::Customer),
        "meetings" => Some(Kind::Meeting),
        "tasks" => Some(Kind::Task),
        "approvals" => Some(Kind::Approval),
        "deals" => Some(Kind::Deal),
        _ => None,
    }
}

/// Who may do something.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// Without a token, too.
    Public,
    /// Everybody with a token, at this status.
    Everybody(u16),
    /// MANAGER and ADMIN.
    Staff,
    /// MANAGER and ADMIN, what there is.
    StaffAny(Kind),
    Admin,
    /// ADMIN, at this status.
    AdminAt(u16),
    /// One's own; MANAGER and ADMIN everybody's.
    Own(Kind),
    /// One's own, whatever the role.
    OwnAlone(Kind),
    /// Everybody's record, if there is one.
    Any(Kind),
    /// ADMIN, what there is; one's own at this status.
    AdminAny(Kind, u16),
    /// Attaching to one's own record. The matrix sends no file, so that who may attach gets 415.
    Attach(Kind),
    /// What one's own record has beside it, by whomever; the caller's own of it.
    Beside(Kind),
    Decide,
    Cancel,
    Reassign,
    /// What one has previewed oneself; MANAGER and ADMIN see everybody's.
    CarryOut(Kind),
    /// One's own, which is not in the state for it.
    NotYet(Kind),
}

pub(super) fn rule(operation: &str) -> Option<Rule> {
    use Kind::{
        ApiKey, Approval, Customer, DeadLetter, Deal, Delivery, Event, Import, Meeting, Notification, Saga,
        Session, Task, User, View, Webhook,
    };
    Some(match operation {
        "POST /api/auth/login"
        | "POST /api/auth/refresh"
        | "GET /healthz"
        | "GET /readyz"
        | "GET /metrics"
        | "GET /openapi.json"
        | "GET /asyncapi.json" => Rule::Public,
        // A plain request is no socket.
        "GET /api/ws" => Rule::Everybody(426),
        // It never ends: asked for in a wrong way by those who may have it.
        "GET /api/stream" => Rule::Everybody(400),
        "POST /api/auth/logout" => Rule::Everybody(204),
        // The matrix does not know everybody's password.
        "POST /api/auth/password" => Rule::Everybody(422),
        "GET /api/auth/me"
        | "PATCH /api/auth/me"
        | "GET /api/auth/me/preferences"
        | "PATCH /api/auth/me/preferences"
        | "GET /api/auth/sessions"
        | "GET /api/auth/users" => Rule::Everybody(200),
        "DELETE /api/auth/sessions/{id}" => Rule::OwnAlone(Session),
        "GET /api/auth/me/views" => Rule::Everybody(200),
        "POST /api/auth/me/views" => Rule::Everybody(201),
        "GET /api/auth/me/views/{id}"
        | "PATCH /api/auth/me/views/{id}"
        | "DELETE /api/auth/me/views/{id}" => Rule::OwnAlone(View),
        "POST /api/customers/bulk"
        | "POST /api/meetings/bulk"
        | "POST /api/tasks/bulk"
        | "POST /api/deals/bulk" => Rule::Everybody(202),
        "GET /api/imports" => Rule::Everybody(200),
        // The matrix sends no file.
        "POST /api/imports" => Rule::Everybody(415),
        "GET /api/imports/{id}" | "PATCH /api/imports/{id}" | "GET /api/imports/{id}/rows" => {
            Rule::Own(Import)
        }
        "POST /api/imports/{id}/commit" => Rule::CarryOut(Import),
        // It was not carried out.
        "POST /api/imports/{id}/undo" => Rule::NotYet(Import),
        "POST /api/auth/users" => Rule::Admin,
        "GET /api/auth/users/{id}" => Rule::Any(User),
        "PATCH /api/auth/users/{id}" | "GET /api/auth/users/{id}/deletion-preview" => {
            Rule::AdminAny(User, 200)
        }
        "DELETE /api/auth/users/{id}" => Rule::AdminAny(User, 409),
        "GET /api/customers"
        | "GET /api/customers/matches"
        | "GET /api/customers/duplicates"
        | "GET /api/customers/stats"
        | "GET /api/meetings"
        | "GET /api/meetings/stats"
        | "GET /api/tasks"
        | "GET /api/tasks/stats"
        | "GET /api/approvals"
        | "GET /api/approvals/stats"
        | "GET /api/deals"
        | "GET /api/deals/stats"
        | "GET /api/notifications"
        | "GET /api/notifications/unread"
        | "GET /api/reports/metrics"
        | "GET /api/reports/sales-summary"
        | "GET /api/reports/deals/funnel"
        | "GET /api/reports/deals/forecast"
        | "GET /api/reports/deals/outcomes"
        | "GET /api/sagas"
        | "GET /api/search"
        | "POST /api/notifications/read-all" => Rule::Everybody(200),
        "POST /api/customers"
        | "POST /api/meetings"
        | "POST /api/tasks"
        | "POST /api/approvals"
        | "POST /api/deals" => Rule::Everybody(201),
        "GET /api/customers/{id}"
        | "PATCH /api/customers/{id}"
        | "DELETE /api/customers/{id}"
        | "GET /api/customers/{id}/activity"
        | "GET /api/customers/{id}/matches"
        | "POST /api/customers/{id}/merge"
        | "GET /api/customers/{id}/merge-preview"
        | "GET /api/customers/{id}/deletion-preview" => Rule::Own(Customer),
        "GET /api/meetings/{id}"
        | "PATCH /api/meetings/{id}"
        | "DELETE /api/meetings/{id}"
        | "GET /api/meetings/{id}/activity" => Rule::Own(Meeting),
        "GET /api/tasks/{id}"
        | "PATCH /api/tasks/{id}"
        | "DELETE /api/tasks/{id}"
        | "GET /api/tasks/{id}/activity" => Rule::Own(Task),
        "GET /api/deals/{id}"
        | "PATCH /api/deals/{id}"
        | "DELETE /api/deals/{id}"
        | "GET /api/deals/{id}/activity" => Rule::Own(Deal),
        "GET /api/approvals/{id}" | "GET /api/approvals/{id}/activity" => Rule::Own(Approval),
        "PATCH /api/approvals/{id}/approve" | "PATCH /api/approvals/{id}/reject" => Rule::Decide,
        "PATCH /api/approvals/{id}/cancel" => Rule::Cancel,
        "PATCH /api/approvals/{id}/reassign" => Rule::Reassign,
        "PATCH /api/notifications/{id}/read" | "PATCH /api/notifications/{id}/archive" => {
            Rule::OwnAlone(Notification)
        }
        // The matrix sends no file.
        attach if attach.starts_with("POST") && attach.ends_with("/attachments") => {
            Rule::Attach(kind_of(attach)?)
        }
        list if list.ends_with("/attachments") => Rule::Own(kind_of(list)?),
        file if file.contains("/attachments/") => Rule::Beside(kind_of(file)?),
        beside if beside.ends_with("/comments") => Rule::Own(kind_of(beside)?),
        beside if beside.contains("/comments/") => Rule::Beside(kind_of(beside)?),
        "GET /api/sagas/{id}" | "POST /api/sagas/{id}/undo" | "GET /api/sagas/{id}/undo-preview" => {
            Rule::Own(Saga)
        }
        "GET /api/audit/events" => Rule::Staff,
        "GET /api/audit/events/{id}" => Rule::StaffAny(Event),
        "GET /api/admin/cluster"
        | "GET /api/admin/actors"
        | "GET /api/admin/breakers"
        | "GET /api/admin/consumers"
        | "GET /api/admin/history"
        | "GET /api/admin/dead-letters"
        | "GET /api/admin/integrity"
        | "GET /api/admin/security-log"
        | "POST /api/admin/breakers/{name}" => Rule::Admin,
        "GET /api/api-keys" => Rule::Admin,
        "POST /api/api-keys" => Rule::Admin,
        "DELETE /api/api-keys/{id}" => Rule::AdminAny(ApiKey, 200),
        "GET /api/events"
        | "GET /api/subscriptions"
        | "PUT /api/subscriptions/{name}"
        | "GET /api/subscriptions/{name}"
        | "DELETE /api/subscriptions/{name}"
        | "GET /api/subscriptions/{name}/events" => Rule::Admin,
        // The matrix holds no lease.
        "POST /api/subscriptions/{name}/ack" => Rule::AdminAt(409),
        "GET /api/events/{id}/chain" => Rule::StaffAny(Event),
        "GET /api/webhooks" | "POST /api/webhooks" => Rule::Admin,
        "GET /api/webhooks/{id}"
        | "PATCH /api/webhooks/{id}"
        | "DELETE /api/webhooks/{id}"
        | "POST /api/webhooks/{id}/rotate"
        | "POST /api/webhooks/{id}/ping"
        | "POST /api/webhooks/{id}/replay"
        | "GET /api/webhooks/{id}/deliveries" => Rule::AdminAny(Webhook, 200),
        "POST /api/webhooks/{id}/deliveries/{delivery_id}/redeliver" => Rule::AdminAny(Delivery, 200),
        "POST /api/admin/dead-letters/{id}/redrive" => Rule::AdminAny(DeadLetter, 200),
        _ => return None,
    })
}

impl Rule {
    pub(super) fn kind(self) -> Option<Kind> {
        match self {
            Self::Attach(kind)
            | Self::Beside(kind)
            | Self::Own(kind)
            | Self::OwnAlone(kind)
            | Self::Any(kind)
            | Self::StaffAny(kind)
            | Self::CarryOut(kind)
            | Self::NotYet(kind)
            | Self::AdminAny(kind, _) => Some(kind),
            Self::Decide | Self::Cancel | Self::Reassign => Some(Kind::Approval),
            Self::Public | Self::Everybody(_) | Self::Staff | Self::Admin | Self::AdminAt(_) => None,
        }
    }

    /// Which records there are for it.
    pub(super) fn targets(self) -> &'static [Whose] {
        match self.kind() {
            None => &[Whose::Own],
            Some(Kind::DeadLetter | Kind::Event | Kind::Delivery) => &[Whose::Missing],
            Some(_) => &[Whose::Own, Whose::Others, Whose::Missing],
        }
    }

    /// The status of the answer; 200 stands for any success.
    pub(super) fn status(self, who: Who, whose: Whose) -> u16 {
        let sells = matches!(who, Who::Owner | Who::Other);
        if matches!(who, Who::Nobody | Who::Deleted) {
            return if matches!(self, Self::Public) { 200 } else { 401 };
        }
        let found = if whose == Whose::Missing { 404 } else { 200 };
        match self {
            Self::Public => 200,
            Self::Everybody(status) => status,
            Self::Staff => {
                if sells {
                    403
                } else {
                    200
                }
            }
            Self::Admin => {
                if who == Who::Admin {
                    200
                } else {
                    403
                }
            }
            Self::AdminAt(status) => {
                if who == Who::Admin {
                    status
                } else {
                    403
                }
            }
            Self::Any(_) => found,
            Self::StaffAny(_) => {
                if sells {
                    403
                } else {
                    found
                }
            }
            Self::AdminAny(_, own) => match (who, whose) {
                (Who::Admin, Whose::Own) => own,
                (Who::Admin, _) => found,
                _ => 403,
            },
            Self::OwnAlone(_) => {
                if whose == Whose::Own {
                    200
                } else {
                    404
                }
            }
            Self::Attach(_)
            | Self::Beside(_)
            | Self::Own(_)
            | Self::CarryOut(_)
            | Self::NotYet(_)
            | Self::Decide
            | Self::Cancel
            | Self::Reassign
                if sells && whose == Whose::Others =>
            {
                404
            }
            _ if whose == Whose::Missing => 404,
            Self::Attach(_) => 415,
            Self::CarryOut(_) if whose == Whose::Others => 409,
            Self::NotYet(_) => 409,
            Self::Own(_) | Self::Beside(_) | Self::CarryOut(_) => 200,
            Self::Decide => {
                if sells || whose == Whose::Own {
                    403
                } else {
                    200
                }
            }
            Self::Cancel => {
                if who == Who::Manager && whose == Whose::Others {
                    403
                } else {
                    200
                }
            }
            Self::Reassign => {
                if sells {
                    403
                } else {
                    200
                }
            }
        }
    }
}
