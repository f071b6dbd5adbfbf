//! Tests of the rules of deals, one by one and in any order.

use kernel::event::StateAfter;
use proptest::prelude::*;

use crate::deal::messages::{DealCounts, DealShare, DealSums};
use crate::deal::record::{Deal, DealChanges, NewDeal};
use crate::deal::rules::{CUSTOMER_DELETED, DealCommand, DealEvent, decide};
use crate::deal::stage::DealStage;
use crate::deal::stage::DealStage::{Lost, Negotiate, Propose, Qualify, Won};
use crate::deal::validation::{check_changes, check_new};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::error::Error;
use kernel::ids::{Id, new_id};
use kernel::scopes::Scopes;
use kernel::whole_number::Whole;

fn caller(role: Role, user_id: Id) -> Caller {
    Caller { user_id, role, session_id: Id::nil(), scopes: Scopes::ALL }
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn new(stage: Option<DealStage>) -> NewDeal {
    NewDeal {
        customer_id: new_id(),
        title: "年間保守契約".to_owned(),
        amount: Whole(1_200_000),
        currency: None,
        stage,
        probability: None,
        expected_on: None,
        lost_reason: (stage == Some(Lost)).then(|| "価格".to_owned()),
        owner_id: None,
    }
}

fn created(new: NewDeal) -> Vec<DealEvent> {
    let create = DealCommand::Create(check_new(new).expect("a right deal"));
    decide(None, &create, &caller(Role::Sales, new_id()), new_id(), at(0)).expect("a deal")
}

fn deal(stage: DealStage) -> Deal {
    created(new(Some(stage))).pop().expect("an event").after().clone()
}

fn changed(deal: &Deal, changes: DealChanges) -> Result<Vec<DealEvent>, Error> {
    let change = DealCommand::Change(check_changes(changes)?);
    decide(Some(deal), &change, &caller(Role::Sales, deal.owner_id), deal.id, at(1))
}

fn moved(deal: &Deal, stage: DealStage, reason: Option<&str>) -> Result<Vec<DealEvent>, Error> {
    let lost_reason = reason.map(|reason| Some(reason.to_owned()));
    changed(deal, DealChanges { stage: Some(stage), lost_reason, ..DealChanges::default() })
}

fn fault(error: &Error) -> (&str, &str) {
    let fault = error.fields.first().expect("a field");
    (fault.field.as_str(), &*fault.code)
}

#[test]
fn a_new_deal_qualifies_in_yen_with_the_probability_of_its_stage() {
    let [DealEvent::Created(deal)] = &created(new(None))[..] else { panic!("one event") };
    assert_eq!((deal.stage, deal.probability, deal.currency.as_str()), (Qualify, 10, "JPY"));
    assert_eq!((deal.version, deal.closed_at, &deal.lost_reason), (1, None, &None));
    let defaults = DealStage::ALL.map(|stage| self::deal(stage).probability);
    assert_eq!(defaults, [10, 40, 70, 100, 0]);
    let given = NewDeal { probability: Some(Whole(55)), ..new(Some(Propose)) };
    assert_eq!(created(given)[0].after().probability, 55);
}

#[test]
fn a_deal_that_is_created_closed_was_open_for_a_moment() {
    let [DealEvent::Created(open), DealEvent::Won(won, by)] = &created(new(Some(Won)))[..] else {
        panic!("two events")
    };
    assert_eq!((open.stage, open.version, won.version), (Qualify, 1, 2));
    assert_eq!((won.stage, won.probability, won.closed_at), (Won, 100, Some(at(0))));
    assert_eq!(by.previous_stage, Some(Qualify));
    let given = NewDeal { probability: Some(Whole(5)), ..new(Some(Lost)) };
    let [DealEvent::Created(open), DealEvent::Lost(lost, _)] = &created(given)[..] else {
        panic!("two events")
    };
    assert_eq!((open.probability, lost.probability), (10, 5));
    assert_eq!(lost.lost_reason.as_deref(), Some("価格"));
}

#[test]
fn closed_deals_reopen_only_to_an_open_stage() {
    for from in DealStage::ALL {
        for to in DealStage::ALL {
            let reason = (to == Lost).then_some("予算");
            let answer = moved(&deal(from), to, reason);
            let is_right = from == to || from.is_open() || to.is_open();
            assert_eq!(answer.is_ok(), is_right, "{from:?} to {to:?}");
            match answer {
                Err(error) => assert_eq!(error.code.as_str(), "deal_closed"),
                Ok(events) => {
                    let Some(event) = events.first() else { continue };
                    let after = event.after();
                    assert_eq!((after.stage, after.closed_at.is_some()), (to, !to.is_open()));
                    assert_eq!(after.lost_reason.is_some(), to == Lost);
                }
            }
        }
    }
}

#[test]
fn a_lost_deal_has_a_reason_and_no_other_has() {
    let missing = check_new(NewDeal { lost_reason: Some(" ".to_owned()), ..new(Some(Lost)) }).unwrap_err();
    assert_eq!(fault(&missing), ("lost_reason", "required"));
    let wrong = check_new(NewDeal { lost_reason: Some("価格".to_owned()), ..new(Some(Won)) }).unwrap_err();
    assert_eq!(fault(&wrong), ("lost_reason", "not_lost"));
    assert_eq!(fault(&moved(&deal(Propose), Lost, None).unwrap_err()), ("lost_reason", "required"));
    assert_eq!(fault(&moved(&deal(Propose), Won, Some("価格")).unwrap_err()), ("lost_reason", "not_lost"));
    let lost = deal(Lost);
    assert!(moved(&lost, Lost, None).expect("its reason stays").is_empty());
    let cleared = DealChanges { lost_reason: Some(None), ..DealChanges::default() };
    assert_eq!(fault(&changed(&lost, cleared.clone()).unwrap_err()), ("lost_reason", "required"));
    assert!(changed(&deal(Won), cleared).expect("a change that changes nothing").is_empty());
    let [DealEvent::Updated(open, by)] = &moved(&lost, Negotiate, None).expect("open again")[..] else {
        panic!("one event")
    };
    assert_eq!((open.lost_reason.as_deref(), open.probability), (None, 70));
    assert_eq!(by.fields, ["stage", "probability", "lost_reason", "closed_at"]);
}

#[test]
fn a_move_takes_the_probability_of_the_stage_unless_another_is_given() {
    let of = |stage, probability: Option<i64>| {
        let probability = probability.map(Whole);
        let changes = DealChanges { stage, probability, ..DealChanges::default() };
        changed(&deal(Qualify), changes).expect("a change").pop().map(|event| event.after().probability)
    };
    assert_eq!(of(Some(Propose), None), Some(40));
    assert_eq!(of(Some(Propose), Some(90)), Some(90));
    assert_eq!(of(None, Some(15)), Some(15));
    assert_eq!(of(Some(Qualify), None), None, "nothing changes");
}

#[test]
fn the_fields_are_those_of_the_contract() {
    let check = |new: NewDeal| check_new(new).err().map(|error| fault(&error).1.to_owned());
    assert_eq!(check(NewDeal { amount: Whole(0), ..new(None) }), None);
    assert_eq!(check(NewDeal { amount: Whole(-1), ..new(None) }).as_deref(), Some("too_small"));
    assert_eq!(check(NewDeal { amount: Whole(1 << 53), ..new(None) }).as_deref(), Some("too_large"));
    assert_eq!(
        check(NewDeal { currency: Some("円".into()), ..new(None) }).as_deref(),
        Some("invalid_currency")
    );
    assert_eq!(check(NewDeal { probability: Some(Whole(101)), ..new(None) }).as_deref(), Some("too_large"));
    assert_eq!(check(NewDeal { title: " ".into(), ..new(None) }).as_deref(), Some("required"));
}

#[test]
fn sales_see_and_change_their_own_and_name_no_other_owner() {
    let (mine, other) = (deal(Propose), new_id());
    let code = |by: &Caller, command: &DealCommand| {
        decide(Some(&mine), command, by, mine.id, at(1)).map_or_else(|error| error.code.as_str(), |_| "ok")
    };
    let (owner, stranger) = (caller(Role::Sales, mine.owner_id), caller(Role::Sales, other));
    assert_eq!(code(&owner, &DealCommand::Delete), "ok");
    assert_eq!(code(&stranger, &DealCommand::Delete), "not_found");
    assert_eq!(code(&caller(Role::Manager, other), &DealCommand::Delete), "ok");
    let give = || {
        let changes = DealChanges { owner_id: Some(other), ..DealChanges::default() };
        DealCommand::Change(check_changes(changes).expect("a right change"))
    };
    assert_eq!(code(&owner, &give()), "forbidden");
    assert_eq!(code(&caller(Role::Admin, other), &give()), "ok");
}

#[test]
fn a_deletion_hands_over_every_deal_and_loses_only_open_ones() {
    let (system, to) = (Caller::system(), new_id());
    for stage in DealStage::ALL {
        let deal = deal(stage);
        let run = |command| decide(Some(&deal), &command, &system, deal.id, at(1)).expect("allowed");
        let [DealEvent::Updated(after, by)] = &run(DealCommand::HandOver { from: deal.owner_id, to })[..]
        else {
            panic!("one event")
        };
        assert_eq!((after.owner_id, by.previous_owner_id), (to, Some(deal.owner_id)));
        assert!(run(DealCommand::HandOver { from: new_id(), to }).is_empty());
        assert!(run(DealCommand::Close { customer_id: new_id() }).is_empty(), "another's deal stays");
        match &run(DealCommand::Close { customer_id: deal.customer_id })[..] {
            [DealEvent::Lost(after, by)] if stage.is_open() => {
                assert_eq!(after.lost_reason.as_deref(), Some(CUSTOMER_DELETED));
                assert_eq!(by.previous_stage, Some(stage));
            }
            events => assert!(events.is_empty() && !stage.is_open(), "{stage:?}"),
        }
    }
}

#[test]
fn sums_are_exact_and_weighted_by_probability() {
    let share = |stage, currency: &str, probability, count, amount| DealShare {
        stage,
        currency: currency.to_owned(),
        probability,
        count,
        amount,
    };
    let counts = DealCounts::of([
        share(Qualify, "JPY", 10, 2, 1_005),
        share(Qualify, "JPY", 50, 1, 3),
        share(Qualify, "USD", 10, 1, 9),
        share(Won, "JPY", 100, 3, i128::from(i64::MAX) * 2),
        share(Propose, "JPY", 40, 0, 0),
    ]);
    let sums = |count, amount, weighted_amount| DealSums { count, amount, weighted_amount };
    assert_eq!(counts.total, 7);
    assert_eq!(counts.by_stage[&Qualify]["JPY"], sums(3, 1_008, 102), "100.5 and 1.5");
    assert_eq!(counts.by_stage[&Qualify]["USD"], sums(1, 9, 0));
    assert_eq!(counts.by_stage[&Won]["JPY"], sums(3, i64::MAX, i64::MAX));
    assert!(counts.by_stage[&Propose].is_empty() && counts.by_stage.len() == 5);
}

proptest! {
    /// In any order of moves the deal is closed exactly while it is won or lost, and has a reason exactly while it is lost.
    #[test]
    fn a_deal_keeps_to_its_stage_whatever_is_done_to_it(
        steps in proptest::collection::vec((0_usize..5, any::<bool>(), 0_i64..120), 1..40),
    ) {
        let mut now = deal(Qualify);
        for (step, (stage, has_reason, probability)) in steps.into_iter().enumerate() {
            let changes = DealChanges {
                stage: Some(DealStage::ALL[stage]),
                lost_reason: has_reason.then(|| Some("価格".to_owned())),
                probability: (probability <= 100).then_some(Whole(probability)),
                expected_on: (step % 2 == 0).then(|| Day::parse("2026-12-01")),
                ..DealChanges::default()
            };
            let Ok(events) = changed(&now, changes) else { continue };
            prop_assert!(events.len() <= 1);
            let Some(event) = events.first() else { continue };
            let after = event.after();
            prop_assert!(now.stage.check_move(after.stage).is_ok());
            prop_assert_eq!(after.version, now.version + 1);
            prop_assert_eq!(after.closed_at.is_some(), !after.stage.is_open());
            prop_assert_eq!(after.lost_reason.is_some(), after.stage == Lost);
            prop_assert!((0..=100).contains(&after.probability));
            let is_moved = after.stage != now.stage;
            prop_assert_eq!(matches!(event, DealEvent::Won(..)), is_moved && after.stage == Won);
            prop_assert_eq!(matches!(event, DealEvent::Lost(..)), is_moved && after.stage == Lost);
            now = after.clone();
        }
    }
}
