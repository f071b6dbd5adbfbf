//! The messages about merges, possible doubles, and undoing.

use super::*;
use domain::customer::matching as matches;
use domain::customer::matching::{MatchBy, MatchGroup, MatchingCustomer};
use domain::customer::merge as merges;
use domain::customer::merge::{Merge, MergeChoice, Side};
use domain::saga::record::Saga;
use domain::saga::rules::begin as begin_saga;
use domain::undo::messages as undo;
use domain::undo::record::{FoundChanges, LeftRecord};

/// A saga that was undone, with every field.
pub fn saga() -> Saga {
    let saga = begin_saga(SagaKind::CustomerMerge, new_id(), new_id(), &caller(), moment());
    let mut steps = saga.steps.clone();
    (steps[0].left, steps[0].left_count) = (vec![new_id()], 7);
    Saga { steps, undoes: Some(new_id()), undone_by: Some(new_id()), ..saga }
}

fn found() -> FoundChanges {
    let mut found = FoundChanges::default();
    found.add(Counted::Deals);
    found.leave(LeftRecord { kind: Counted::Tasks, id: new_id() });
    found
}

pub fn of_customers(tried: &mut Tried<CustomerService>) {
    let one = || a_customer(LINE);
    let keep = MergeChoice { name: Some(Side::Other), owner_id: Some(Side::This), ..MergeChoice::default() };
    let merge = Merge { other_id: new_id(), keep };
    tried.call(merges::MergeCustomers { id: new_id(), merge, context: context() }, [new_id()]);
    let pair = merges::FindMerged { id: new_id(), other_id: new_id(), caller: caller() };
    tried.call(pair, [(one(), one())]);
    tried.call(undo::RevertCustomer { saga: saga(), context: context() }, [new_id()]);
    tried.call(undo::FindCreated { saga: new_id() }, [vec![new_id()]]);
    let matching = || MatchingCustomer { customer: one(), matches: MatchBy::ALL.into() };
    tried.call(matches::FindMatches { id: new_id(), caller: caller() }, [vec![matching()]]);
    let text = || Some(TEXT.to_owned());
    let new = matches::FindMatchesOf {
        name: TEXT.into(),
        kana: text(),
        email: text(),
        phone: text(),
        caller: caller(),
    };
    tried.call(new, [vec![matching()]]);
    let list = matches::ListMatches { by: MatchBy::Phone, after: text(), limit: 9, caller: caller() };
    tried.call(
        list,
        [vec![MatchGroup { by: MatchBy::Kana, key: TEXT.into(), customers: vec![one()], count: 3 }]],
    );
    changes(tried);
    let left = LeftRecord { kind: Counted::Customers, id: new_id() };
    tried.call(undo::RevertMany { saga: saga(), except: vec![left], context: context() }, [new_id()]);
}

pub fn changes<D: Hosted>(tried: &mut Tried<D>)
where
    undo::FindChanges: Call<D, Answer = FoundChanges>,
{
    tried.call(undo::FindChanges { saga: saga(), caller: caller() }, [found()]);
}

pub fn of_records<D: Hosted>(tried: &mut Tried<D>)
where
    undo::FindChanges: Call<D, Answer = FoundChanges>,
    undo::FindInUse: Call<D, Answer = Vec<Id>>,
    undo::RevertMany: Call<D, Answer = Id>,
{
    changes(tried);
    tried.call(undo::FindInUse { ids: vec![new_id()] }, [vec![new_id()]]);
    tried.call(undo::RevertMany { saga: saga(), except: Vec::new(), context: context() }, [new_id()]);
}
