//! Who is told of what. Pure.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::actors::context::Role;
use crate::clock::Timestamp;
use crate::ids::Id;

/// A user as analytics knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: Id,
    pub version: i64,
    pub role: Role,
    pub manager_id: Option<Id>,
    pub deleted_at: Option<Timestamp>,
}

/// The people an effect may tell.
#[derive(Debug, Default)]
pub struct People(pub HashMap<Id, Person>);

impl People {
    fn live(&self, id: Id) -> Option<&Person> {
        self.0.get(&id).filter(|person| person.deleted_at.is_none())
    }

    fn managers(&self) -> impl Iterator<Item = Id> {
        let live =
            self.0.values().filter(|person| person.deleted_at.is_none() && person.role == Role::Manager);
        live.map(|person| person.id)
    }

    /// SPEC §5.2, a customer created: the owner, and the owner's manager (every MANAGER if none), but never
    /// who did it. None if the owner isn't known yet.
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::new_id;

    fn person(role: Role, manager_id: Option<Id>) -> Person {
        Person { id: new_id(), version: 1, role, manager_id, deleted_at: None }
    }

    #[test]
    fn owner_and_manager_are_told_but_never_who_did_it() {
        let boss = person(Role::Manager, None);
        let other = person(Role::Manager, None);
        let sales = person(Role::Sales, Some(boss.id));
        let lonely = person(Role::Sales, None);
        let ids = [boss.id, other.id, sales.id, lonely.id];
        let people = People([boss, other, sales, lonely].into_iter().map(|p| (p.id, p)).collect());
        let [boss, other, sales, lonely] = ids;
        let told = |owner, creator| people.for_new_customer(owner, creator).unwrap();
        assert_eq!(told(sales, Some(sales)), BTreeSet::from([boss]));
        assert_eq!(told(sales, Some(boss)), BTreeSet::from([sales]));
        assert_eq!(told(sales, Some(other)), BTreeSet::from([sales, boss]));
        assert_eq!(told(lonely, Some(lonely)), BTreeSet::from([boss, other]));
        assert_eq!(people.for_new_customer(new_id(), None), None);
    }

    #[test]
    fn a_deleted_manager_stands_for_every_manager() {
        let mut gone = person(Role::Manager, None);
        gone.deleted_at = Some(Timestamp::from_micros(0));
        let (boss, sales) = (person(Role::Manager, None), person(Role::Sales, Some(gone.id)));
        let (boss_id, sales_id) = (boss.id, sales.id);
        let people = People([gone, boss, sales].into_iter().map(|p| (p.id, p)).collect());
        assert_eq!(people.for_new_customer(sales_id, Some(sales_id)), Some(BTreeSet::from([boss_id])));
    }
}
