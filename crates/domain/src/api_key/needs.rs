//! The table of scopes: what each message to a service needs of its caller. A message without a row does not compile where
//! a service answers it. The messages of operations have theirs beside them.

use crate::api_key::event_scopes::{of_types, to_read, to_write};
use crate::api_key::messages::{CreateApiKey, FindApiKey, ListApiKeys, NoteKeyUse, RevokeApiKey};
use crate::approval::messages::{
    ApprovalStats, DecideApproval, FindApproval, ListApprovals, ReadApprovalActivity, RequestApproval,
};
use crate::attachment::messages::{
    AddAttachment, CheckAttachable, FindAttachment, ListAttachments, RemoveAttachment,
};
use crate::bulk::messages::{
    ChangeCustomers, ChangeDeals, ChangeMeetings, ChangeTasks, CountOfCustomers, PreviewCustomers,
    PreviewDeals, PreviewMeetings, PreviewTasks,
};
use crate::comment::messages::{
    AddComment, ChangeComment, DeleteComment, FindComment, ListComments, RecordRef,
};
use crate::customer::matching::{FindMatches, FindMatchesOf, ListMatches};
use crate::customer::merge::{FindMerged, MergeCustomers, PreviewMerge};
use crate::customer::messages::{
    ChangeCustomer, CountByOwner, CreateCustomer, CustomerStats, DeleteCustomer, FindCustomer, FindCustomers,
    ListCustomers,
};
use crate::deal::messages::{
    ChangeDeal, CreateDeal, DealStats, DeleteDeal, FindDeal, ListDeals, ReadDealActivity,
};
use crate::deal::reports::{ReadDealForecast, ReadDealFunnel, ReadDealOutcomes};
use crate::import::messages::{
    ChangeImport, CheckRows, CommitImport, CreateImport, DropRows, FindImport, ListImportRows, ListImports,
    MatchCustomers, StageRows,
};
use crate::import::record::ImportKind;
use crate::meeting::messages::{
    ChangeMeeting, CreateMeeting, DeleteMeeting, FindMeeting, ListMeetings, MeetingStats, ReadMeetingActivity,
};
use crate::notification::messages::{ListNotifications, MarkNotification, ReadAllNotifications};
use crate::report::messages::{MarkNewsSeen, ReadActivity, ReadMetrics, ReadNews, ReadSummary};
use crate::saga::messages::{
    CountReferring, DeleteUser, FindSaga, ListSagas, PreviewCustomerDeletion, PreviewUserDeletion,
};
use crate::saga::record::SagaKind;
use crate::saved_view::messages::{ChangeView, ListViews, RemoveView, SaveView};
use crate::search::messages::FindRecords;
use crate::search::record::RecordType;
use crate::security::messages::ReadSecurityLog;
use crate::subscription::messages::{
    AckLease, LeaseEvents, ListSubscriptions, PutSubscription, ReadLog, ReadPending, ReadSubscription,
    RemoveSubscription,
};
use crate::task::messages::{
    AlertDueTasks, ChangeTask, CreateTask, DeleteTask, FindTask, ListTasks, ReadTaskActivity, TaskStats,
};
use crate::undo::messages::{
    FindChanges, FindCreated, FindInUse, PreviewUndo, RestoreUser, RevertCustomer, RevertMany, UndoSaga,
};
use crate::user::messages::{
    ChangePassword, ChangePreferences, ChangeProfile, ChangeUser, CreateUser, EndSession, FindMentioned,
    FindSession, FindUser, FindUsers, FindUsersByAddress, ListSessions, ListUsers, LiveUsers, Login, Logout,
    RecallUser, Refresh, RemoveUser,
};
use crate::webhook::messages::{
    ChangeWebhook, CountDeliveries, CreateWebhook, DeleteWebhook, FindWebhook, ListDeliveries, ListWebhooks,
    PingWebhook, Redeliver, ReplayWebhook, RotateSecret,
};
use kernel::event::EventType;
use kernel::needs;
use kernel::scopes::Scope::{
    ApprovalsRead, CustomersRead, DealsRead, EventsRead, ImportsWrite, MeetingsRead, SagasRead, SagasWrite,
    TasksRead, UsersWrite,
};
use kernel::scopes::Scopes;

/// What tells how many records of every kind there are about a customer or a user.
const OF_ALL_RECORDS: Scopes =
    Scopes::of(&[CustomersRead, MeetingsRead, TasksRead, DealsRead, ApprovalsRead]);

needs! {
    // Signing in takes no caller. What only people may do needs a session.
    Login: nobody [];
    Refresh: nobody [];
    Logout: context |_it| Scopes::SESSION;
    ChangePassword: context |_it| Scopes::SESSION;
    ChangeProfile: context |_it| Scopes::SESSION;
    ChangePreferences: context |_it| Scopes::SESSION;
    ListSessions: caller |_it| Scopes::SESSION;
    EndSession: context |_it| Scopes::SESSION;
    ListViews: caller |_it| Scopes::SESSION;
    SaveView: context |_it| Scopes::SESSION;
    ChangeView: context |_it| Scopes::SESSION;
    RemoveView: context |_it| Scopes::SESSION;
    CreateApiKey: context |_it| Scopes::SESSION;
    RevokeApiKey: context |_it| Scopes::SESSION;
    ListApiKeys: caller |_it| Scopes::SESSION;
    ReadNews: caller |_it| Scopes::SESSION;
    MarkNewsSeen: context |_it| Scopes::SESSION;

    ListUsers: caller [UsersRead];
    FindUser: caller [UsersRead];
    FindUsers: caller [UsersRead];
    CreateUser: context [UsersWrite];
    // A key changes neither its own user nor a password.
    ChangeUser: context |it| match it.id == it.context.caller.user_id || it.changes.password.is_some() {
        true => Scopes::SESSION.and(Scopes::of(&[UsersWrite])),
        false => Scopes::of(&[UsersWrite]),
    };
    DeleteUser: context [UsersWrite];
    RemoveUser: context [UsersWrite];
    RestoreUser: context [UsersWrite];
    PreviewUserDeletion: caller |_it| OF_ALL_RECORDS.and(Scopes::of(&[UsersWrite]));
    FindSession: nobody [];
    FindApiKey: nobody [];
    NoteKeyUse: nobody [];
    RecallUser: nobody [];
    LiveUsers: nobody [];
    FindMentioned: nobody [];
    FindUsersByAddress: nobody [];

    ListCustomers: caller [CustomersRead];
    FindCustomer: caller [CustomersRead];
    FindCustomers: caller [CustomersRead];
    CustomerStats: caller [CustomersRead];
    FindMatches: caller [CustomersRead];
    FindMatchesOf: caller [CustomersRead];
    ListMatches: caller [CustomersRead];
    MatchCustomers: caller [CustomersRead];
    FindMerged: caller [CustomersRead];
    CreateCustomer: context [CustomersWrite];
    ChangeCustomer: context [CustomersWrite];
    DeleteCustomer: context [CustomersWrite];
    MergeCustomers: context [CustomersWrite];
    ChangeCustomers: context [CustomersWrite];
    RevertCustomer: context [CustomersWrite];
    // They tell of what belongs to a customer.
    PreviewCustomers: caller |_it| OF_ALL_RECORDS;
    PreviewCustomerDeletion: caller |_it| OF_ALL_RECORDS;
    PreviewMerge: caller |_it| OF_ALL_RECORDS;
    ReadActivity: caller |_it| OF_ALL_RECORDS;
    CountByOwner: nobody [];

    ListMeetings: caller [MeetingsRead];
    FindMeeting: caller [MeetingsRead];
    MeetingStats: caller [MeetingsRead];
    ReadMeetingActivity: caller [MeetingsRead];
    PreviewMeetings: caller [MeetingsRead];
    CreateMeeting: context [MeetingsWrite];
    ChangeMeeting: context [MeetingsWrite];
    DeleteMeeting: context [MeetingsWrite];
    ChangeMeetings: context [MeetingsWrite];

    ListTasks: caller [TasksRead];
    FindTask: caller [TasksRead];
    TaskStats: caller [TasksRead];
    ReadTaskActivity: caller [TasksRead];
    PreviewTasks: caller [TasksRead];
    CreateTask: context [TasksWrite];
    ChangeTask: context [TasksWrite];
    DeleteTask: context [TasksWrite];
    ChangeTasks: context [TasksWrite];
    AlertDueTasks: context [TasksWrite];

    ListApprovals: caller [ApprovalsRead];
    FindApproval: caller [ApprovalsRead];
    ApprovalStats: caller [ApprovalsRead];
    ReadApprovalActivity: caller [ApprovalsRead];
    RequestApproval: context [ApprovalsWrite];
    DecideApproval: context [ApprovalsWrite];

    ListDeals: caller [DealsRead];
    FindDeal: caller [DealsRead];
    DealStats: caller [DealsRead];
    ReadDealActivity: caller [DealsRead];
    PreviewDeals: caller [DealsRead];
    CreateDeal: context [DealsWrite];
    ChangeDeal: context [DealsWrite];
    DeleteDeal: context [DealsWrite];
    ChangeDeals: context [DealsWrite];

    // What stands beside a record goes with it.
    AddComment: context |it| writes(it.record);
    ChangeComment: context |it| writes(it.record);
    DeleteComment: context |it| writes(it.record);
    FindComment: caller |it| reads(it.record);
    ListComments: caller |it| reads(it.record);
    AddAttachment: context |it| writes(it.record);
    RemoveAttachment: context |it| writes(it.record);
    CheckAttachable: caller |it| writes(it.record);
    FindAttachment: caller |it| reads(it.record);
    ListAttachments: caller |it| reads(it.record);

    // Each service looks for the types of records that the caller may read.
    FindRecords: caller [];

    ListNotifications: caller [NotificationsRead];
    MarkNotification: context [NotificationsWrite];
    ReadAllNotifications: context [NotificationsWrite];

    ReadMetrics: caller [ReportsRead];
    ReadSummary: caller [ReportsRead];
    ReadDealFunnel: caller [ReportsRead];
    ReadDealForecast: caller [ReportsRead];
    ReadDealOutcomes: caller [ReportsRead];

    ListSagas: caller [SagasRead];
    FindSaga: caller [SagasRead];
    // What the saga changed says which further scopes that takes: `to_undo`, `to_preview_undo`.
    UndoSaga: context [SagasWrite];
    PreviewUndo: caller [SagasRead];
    CountReferring: caller [];
    CountOfCustomers: caller [];
    FindChanges: caller [];
    FindCreated: nobody [];
    FindInUse: nobody [];
    RevertMany: context [];

    ListImports: caller [ImportsRead];
    // What is imported says which further scopes that takes: `to_import`.
    FindImport: caller [ImportsRead];
    ListImportRows: caller [ImportsRead];
    CreateImport: context |it| to_import(it.kind);
    ChangeImport: context [ImportsWrite];
    CommitImport: context [ImportsWrite];
    CheckRows: caller |it| to_import(it.kind);
    StageRows: context |it| to_import(it.kind);
    DropRows: context [ImportsWrite];

    ReadSecurityLog: caller [AdminRead];

    // Without types it reads the events within the scopes of the key.
    ReadLog: caller |it| match it.types.is_empty() {
        true => Scopes::of(&[EventsRead]),
        false => to_read_types(&it.types),
    };
    // Its types say which further scopes it takes to lease its events: `to_read_types`.
    ListSubscriptions: caller [EventsRead];
    ReadSubscription: caller [EventsRead];
    PutSubscription: context [EventsRead];
    RemoveSubscription: context [EventsRead];
    LeaseEvents: caller [EventsRead];
    AckLease: context [EventsRead];
    ReadPending: caller [AdminRead];

    // A key that makes or changes one also needs the scopes to read what it sends: `webhook::wanted::may_send`.
    CreateWebhook: context [WebhooksWrite];
    ChangeWebhook: context [WebhooksWrite];
    RotateSecret: context [WebhooksWrite];
    DeleteWebhook: context [WebhooksWrite];
    PingWebhook: context [WebhooksWrite];
    Redeliver: context [WebhooksWrite];
    ReplayWebhook: context [WebhooksWrite];
    FindWebhook: caller [WebhooksRead];
    ListWebhooks: caller [WebhooksRead];
    ListDeliveries: caller [WebhooksRead];
    CountDeliveries: caller [WebhooksRead];
}

/// What it takes to read all events of these types; no types stand for every type.
pub fn to_read_types(types: &[EventType]) -> Scopes {
    Scopes::of(&[EventsRead]).and(of_types(types))
}

fn reads(record: RecordRef) -> Scopes {
    Scopes::of(&[to_read(record.r#type)])
}

fn writes(record: RecordRef) -> Scopes {
    Scopes::of(&[to_write(record.r#type)])
}

fn imported(kind: ImportKind) -> RecordType {
    match kind {
        ImportKind::Customers => RecordType::Customer,
        ImportKind::Meetings => RecordType::Meeting,
        ImportKind::Tasks => RecordType::Task,
        ImportKind::Deals => RecordType::Deal,
    }
}

/// What it takes to import records of this kind.
pub fn to_import(kind: ImportKind) -> Scopes {
    Scopes::of(&[ImportsWrite, to_write(imported(kind))])
}

/// What it takes to see the rows of an import of this kind.
pub fn to_see_import(kind: ImportKind) -> Scopes {
    Scopes::of(&[to_read(imported(kind))])
}

/// The records that a saga of this kind changes; `None` if it deletes or restores a user.
fn changed_by(kind: SagaKind) -> Option<RecordType> {
    match kind {
        SagaKind::UserDeletion | SagaKind::UserRestoration => None,
        SagaKind::CustomerDeletion
        | SagaKind::CustomerMerge
        | SagaKind::CustomerRestoration
        | SagaKind::CustomersChange
        | SagaKind::CustomersImport => Some(RecordType::Customer),
        SagaKind::MeetingsChange | SagaKind::MeetingsImport => Some(RecordType::Meeting),
        SagaKind::TasksChange | SagaKind::TasksImport => Some(RecordType::Task),
        SagaKind::DealsChange | SagaKind::DealsImport => Some(RecordType::Deal),
    }
}

/// What it takes to undo a saga of this kind: what it took to do it.
pub fn to_undo(kind: SagaKind) -> Scopes {
    let changed = changed_by(kind).map_or(UsersWrite, to_write);
    Scopes::of(&[SagasWrite, changed])
}

/// What it takes to see what the undo of a saga of this kind would do.
pub fn to_preview_undo(kind: SagaKind) -> Scopes {
    let all = Scopes::of(&[SagasRead]);
    match changed_by(kind) {
        None => all.and(OF_ALL_RECORDS).and(Scopes::of(&[UsersWrite])),
        // Of a customer with all that belongs to it.
        Some(RecordType::Customer) => all.and(OF_ALL_RECORDS),
        Some(record) => all.and(Scopes::of(&[to_read(record)])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::caller::{Caller, Role};
    use kernel::error::ErrorCode;
    use kernel::ids::{Id, new_id};
    use kernel::scoped::Scoped;
    use kernel::scopes::Scope;

    fn key(scopes: &[Scope]) -> Caller {
        let (user_id, session_id) = (new_id(), new_id());
        Caller { user_id, role: Role::Admin, session_id, scopes: Scopes::of(scopes) }
    }

    fn comments(on: RecordType, scopes: &[Scope]) -> ListComments {
        let record = RecordRef { r#type: on, id: Id::nil() };
        ListComments { record, caller: key(scopes), page: kernel::page::PageRequest::first(1) }
    }

    #[test]
    fn what_stands_beside_a_record_needs_the_record_s_scope() {
        assert_eq!(comments(RecordType::Task, &[Scope::TasksRead]).check_scopes(), Ok(()));
        let refused = comments(RecordType::Deal, &[Scope::TasksRead]).check_scopes().unwrap_err();
        assert_eq!(refused.fields[0].allowed.as_deref(), Some("deals:read"));
    }

    #[test]
    fn a_peer_asks_for_an_operation_that_was_checked() {
        let asked = || FindCustomer { id: new_id(), caller: key(&[Scope::MeetingsWrite]) };
        assert_eq!(asked().check_scopes().unwrap_err().code, ErrorCode::MissingScope);
        let by_peer = asked().by_peer();
        assert_eq!(by_peer.check_scopes(), Ok(()));
        assert!(by_peer.caller.api_key_id().is_some(), "it still is a key");
        let session = ListSessions { caller: key(Scope::ALL), page: kernel::page::PageRequest::first(1) };
        assert_eq!(session.by_peer().check_scopes().unwrap_err().code, ErrorCode::SessionRequired);
    }

    #[test]
    fn an_undo_needs_what_it_took_to_do_it() {
        assert!(to_undo(SagaKind::TasksImport).covers(Scopes::of(&[Scope::TasksWrite, Scope::SagasWrite])));
        assert!(to_undo(SagaKind::UserDeletion).contains(Scope::UsersWrite));
        assert!(to_preview_undo(SagaKind::CustomerMerge).contains(Scope::ApprovalsRead));
        assert!(!to_preview_undo(SagaKind::DealsChange).contains(Scope::CustomersRead));
    }
}
