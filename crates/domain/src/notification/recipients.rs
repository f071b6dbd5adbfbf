//! Who receives a notification of what, and who needs it no more (SPEC §5). Pure.

use std::collections::BTreeSet;

use crate::events::{APPROVAL_APPROVED, APPROVAL_REASSIGNED, APPROVAL_REJECTED};
use crate::notification::user_directory::UserDirectory;
use kernel::event::Event;
use kernel::ids::Id;

/// The user who has dealt with the subject of this event, and whose own notifications about it become read: whoever
/// approves, rejects or reassigns a request. After a cancellation the approver's notification stays unread, so that
/// the approver learns of the request's end.
pub fn has_dealt_with(event: &Event) -> Option<Id> {
    let decisions = [APPROVAL_APPROVED, APPROVAL_REJECTED, APPROVAL_REASSIGNED];
    event.actor_id.filter(|_| decisions.contains(&event.event_type))
}

/// Each function returns `None` while a user it needs is not known yet: the event about that user is in another
/// partition.
impl UserDirectory {
    /// Flow 2, a customer is created: the owner, and the owner's manager (every MANAGER if there is no manager), but
    /// never the creator.
    pub fn for_new_customer(&self, owner: Id, creator: Option<Id>) -> Option<BTreeSet<Id>> {
        let user = self.0.get(&owner)?;
        let mut recipients = BTreeSet::from([owner]);
        match user.manager_id.filter(|manager| self.live(*manager).is_some()) {
            Some(manager) => drop(recipients.insert(manager)),
            None => recipients.extend(self.managers()),
        }
        recipients.retain(|id| Some(*id) != creator && self.live(*id).is_some());
        Some(recipients)
    }

    /// Flow 4, an approval is requested: the approver, or every MANAGER if there is no approver, but never the
    /// requester.
    pub fn for_request(&self, approver: Option<Id>, requester: Id) -> Option<BTreeSet<Id>> {
        match approver {
            Some(approver) => self.one(approver, Some(requester)),
            None => Some(self.managers().filter(|id| *id != requester).collect()),
        }
    }

    /// A deal was made for somebody, or given to somebody: the owner, if this event made them the owner, and a person did it. One
    /// saga hands over many deals, which would be as many notifications.
    pub fn for_new_owner(
        &self,
        owner: Id,
        is_new: bool,
        actor: Option<Id>,
        causation: Option<Id>,
    ) -> Option<BTreeSet<Id>> {
        match is_new && causation.is_none() {
            true => self.one(owner, actor),
            false => Some(BTreeSet::new()),
        }
    }

    /// The one user whom the event concerns (an approval's requester or new approver, a task's assignee), unless that
    /// user caused it.
    pub fn one(&self, user: Id, actor: Option<Id>) -> Option<BTreeSet<Id>> {
        self.0.get(&user)?;
        let recipient = self.live(user).filter(|user| Some(user.id) != actor);
        Some(recipient.map(|user| user.id).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{APPROVAL_CANCELLED, APPROVAL_REQUESTED, CUSTOMER_CREATED};
    use crate::notification::user_directory::UserCopy;
    use kernel::caller::Role;
    use kernel::clock::Timestamp;
    use kernel::event::raw;
    use kernel::ids::new_id;

    fn user(role: Role, manager_id: Option<Id>) -> UserCopy {
        UserCopy {
            id: new_id(),
            version: 1,
            name: "佐藤".into(),
            role,
            manager_id,
            muted_notifications: BTreeSet::new(),
            deleted_at: None,
        }
    }

    fn gone(role: Role) -> UserCopy {
        UserCopy { deleted_at: Some(Timestamp::from_micros(0)), ..user(role, None) }
    }

    fn users<const N: usize>(all: [UserCopy; N]) -> (UserDirectory, [Id; N]) {
        let ids = all.each_ref().map(|user| user.id);
        (UserDirectory(all.into_iter().map(|user| (user.id, user)).collect()), ids)
    }

    #[test]
    fn owner_and_manager_are_notified_but_never_the_creator() {
        let (boss, other) = (user(Role::Manager, None), user(Role::Manager, None));
        let (sales, lonely) = (user(Role::Sales, Some(boss.id)), user(Role::Sales, None));
        let (users, [boss, other, sales, lonely]) = users([boss, other, sales, lonely]);
        let recipients = |owner, creator| users.for_new_customer(owner, creator).unwrap();
        assert_eq!(recipients(sales, Some(sales)), BTreeSet::from([boss]));
        assert_eq!(recipients(sales, Some(boss)), BTreeSet::from([sales]));
        assert_eq!(recipients(sales, Some(other)), BTreeSet::from([sales, boss]));
        assert_eq!(recipients(lonely, Some(lonely)), BTreeSet::from([boss, other]));
        assert_eq!(users.for_new_customer(new_id(), None), None);
    }

    #[test]
    fn a_deleted_manager_stands_for_every_manager() {
        let left = gone(Role::Manager);
        let sales = user(Role::Sales, Some(left.id));
        let (users, [_, boss, sales]) = users([left, user(Role::Manager, None), sales]);
        assert_eq!(users.for_new_customer(sales, Some(sales)), Some(BTreeSet::from([boss])));
    }

    #[test]
    fn the_approver_or_every_manager_is_notified_of_a_request_but_not_the_requester() {
        let all = [user(Role::Manager, None), user(Role::Manager, None), user(Role::Admin, None)];
        let (users, [one, two, admin]) = users(all);
        assert_eq!(users.for_request(Some(admin), one), Some(BTreeSet::from([admin])));
        assert_eq!(users.for_request(None, admin), Some(BTreeSet::from([one, two])));
        assert_eq!(users.for_request(None, one), Some(BTreeSet::from([two])));
        assert_eq!(users.for_request(Some(new_id()), one), None, "not known yet");
    }

    #[test]
    fn whoever_approves_rejects_or_reassigns_has_dealt_with_a_request() {
        let actor = new_id();
        let of = |event_type, actor_id| {
            let data = raw(&()).into();
            has_dealt_with(&Event {
                id: new_id(),
                event_type,
                subject: new_id(),
                sequence: 2,
                partition_key: new_id(),
                time: Timestamp::from_micros(0),
                data,
                traceparent: None,
                correlation_id: "one".into(),
                causation_id: None,
                actor_id,
                api_key_id: None,
            })
        };
        for decision in [APPROVAL_APPROVED, APPROVAL_REJECTED, APPROVAL_REASSIGNED] {
            assert_eq!(of(decision, Some(actor)), Some(actor), "{decision}");
            assert_eq!(of(decision, None), None, "Kizuna itself reads nothing");
        }
        for other in [APPROVAL_REQUESTED, APPROVAL_CANCELLED, CUSTOMER_CREATED] {
            assert_eq!(of(other, Some(actor)), None, "{other}");
        }
    }

    #[test]
    fn a_new_owner_is_notified_unless_many_records_change_hands_at_once() {
        let (users, [boss, sales]) = users([user(Role::Manager, None), user(Role::Sales, None)]);
        let told = |is_new, actor, saga| users.for_new_owner(sales, is_new, Some(actor), saga).unwrap();
        assert_eq!(told(true, boss, None), BTreeSet::from([sales]));
        assert_eq!(told(true, sales, None), BTreeSet::new());
        assert_eq!(told(false, boss, None), BTreeSet::new(), "another field changed");
        assert_eq!(told(true, boss, Some(new_id())), BTreeSet::new());
        assert_eq!(users.for_new_owner(new_id(), true, None, None), None, "not known yet");
    }

    #[test]
    fn one_user_is_notified_unless_deleted_or_the_actor() {
        let (users, [sales, left]) = users([user(Role::Sales, None), gone(Role::Sales)]);
        assert_eq!(users.one(sales, None), Some(BTreeSet::from([sales])));
        assert_eq!(users.one(sales, Some(left)), Some(BTreeSet::from([sales])));
        assert_eq!(users.one(sales, Some(sales)), Some(BTreeSet::new()));
        assert_eq!(users.one(left, None), Some(BTreeSet::new()));
        assert_eq!(users.one(new_id(), None), None, "not known yet");
    }
}
