//! Who receives a notification of what (SPEC §5). Pure.

use std::collections::BTreeSet;

use crate::domain::notification::user_directory::UserDirectory;
use kernel::ids::Id;

/// Each function returns `None` while a user it needs is not known yet: the event about that user is in another
/// partition.
impl UserDirectory {
    /// Flow 2, a customer is created: the owner, and the owner's manager (every MANAGER if there is no manager), but
    /// never the creator.
    pub fn for_new_customer(&self, owner: Id, creator: Option<Id>) -> Option<BTreeSet<Id>> {
        let person = self.0.get(&owner)?;
        let mut told = BTreeSet::from([owner]);
        match person.manager_id.filter(|manager| self.live(*manager).is_some()) {
            Some(manager) => drop(told.insert(manager)),
            None => told.extend(self.managers()),
        }
        told.retain(|id| Some(*id) != creator && self.live(*id).is_some());
        Some(told)
    }

    /// Flow 4, an approval is requested: the approver, or every MANAGER if there is no approver, but never the
    /// requester.
    pub fn for_request(&self, approver: Option<Id>, requester: Id) -> Option<BTreeSet<Id>> {
        match approver {
            Some(approver) => self.one(approver, Some(requester)),
            None => Some(self.managers().filter(|id| *id != requester).collect()),
        }
    }

    /// The one user whom the event concerns (an approval's requester or new approver, a task's assignee), unless that
    /// user caused it.
    pub fn one(&self, person: Id, actor: Option<Id>) -> Option<BTreeSet<Id>> {
        self.0.get(&person)?;
        let told = self.live(person).filter(|person| Some(person.id) != actor);
        Some(told.map(|person| person.id).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notification::user_directory::UserCopy;
    use kernel::caller::Role;
    use kernel::clock::Timestamp;
    use kernel::ids::new_id;

    fn person(role: Role, manager_id: Option<Id>) -> UserCopy {
        UserCopy { id: new_id(), version: 1, name: "佐藤".into(), role, manager_id, deleted_at: None }
    }

    fn gone(role: Role) -> UserCopy {
        UserCopy { deleted_at: Some(Timestamp::from_micros(0)), ..person(role, None) }
    }

    fn people<const N: usize>(all: [UserCopy; N]) -> (UserDirectory, [Id; N]) {
        let ids = all.each_ref().map(|person| person.id);
        (UserDirectory(all.into_iter().map(|person| (person.id, person)).collect()), ids)
    }

    #[test]
    fn owner_and_manager_are_told_but_never_who_did_it() {
        let (boss, other) = (person(Role::Manager, None), person(Role::Manager, None));
        let (sales, lonely) = (person(Role::Sales, Some(boss.id)), person(Role::Sales, None));
        let (people, [boss, other, sales, lonely]) = people([boss, other, sales, lonely]);
        let told = |owner, creator| people.for_new_customer(owner, creator).unwrap();
        assert_eq!(told(sales, Some(sales)), BTreeSet::from([boss]));
        assert_eq!(told(sales, Some(boss)), BTreeSet::from([sales]));
        assert_eq!(told(sales, Some(other)), BTreeSet::from([sales, boss]));
        assert_eq!(told(lonely, Some(lonely)), BTreeSet::from([boss, other]));
        assert_eq!(people.for_new_customer(new_id(), None), None);
    }

    #[test]
    fn a_deleted_manager_stands_for_every_manager() {
        let left = gone(Role::Manager);
        let sales = person(Role::Sales, Some(left.id));
        let (people, [_, boss, sales]) = people([left, person(Role::Manager, None), sales]);
        assert_eq!(people.for_new_customer(sales, Some(sales)), Some(BTreeSet::from([boss])));
    }

    #[test]
    fn a_request_is_told_to_its_approver_or_every_manager_but_not_to_who_requests() {
        let all = [person(Role::Manager, None), person(Role::Manager, None), person(Role::Admin, None)];
        let (people, [one, two, admin]) = people(all);
        assert_eq!(people.for_request(Some(admin), one), Some(BTreeSet::from([admin])));
        assert_eq!(people.for_request(None, admin), Some(BTreeSet::from([one, two])));
        assert_eq!(people.for_request(None, one), Some(BTreeSet::from([two])));
        assert_eq!(people.for_request(Some(new_id()), one), None, "not known yet");
    }

    #[test]
    fn one_person_is_told_unless_they_are_deleted_or_did_it_themselves() {
        let (people, [sales, left]) = people([person(Role::Sales, None), gone(Role::Sales)]);
        assert_eq!(people.one(sales, None), Some(BTreeSet::from([sales])));
        assert_eq!(people.one(sales, Some(left)), Some(BTreeSet::from([sales])));
        assert_eq!(people.one(sales, Some(sales)), Some(BTreeSet::new()));
        assert_eq!(people.one(left, None), Some(BTreeSet::new()));
        assert_eq!(people.one(new_id(), None), None, "not known yet");
    }
}
