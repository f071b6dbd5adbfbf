//! The messages about deals.

use super::*;
use domain::deal::messages as deals;
use domain::deal::messages::{DealCounts, DealSums};
use domain::deal::record::{Deal, DealChanges, NewDeal};
use domain::deal::reports::{
    DealOutcomes, ForecastMonth, FunnelStage, Outcome, OwnerOutcome, ReadDealForecast, ReadDealFunnel,
    ReadDealOutcomes, ReasonOutcome,
};
use domain::deal::stage::DealStage;
use kernel::day::Day;

pub fn of_opportunity(tried: &mut Tried<OpportunityService>) {
    let day = || Day::parse("2026-12-31");
    let deal = || Deal {
        id: new_id(),
        version: 2,
        created_at: begin(),
        updated_at: moment(),
        customer_id: new_id(),
        title: TEXT.into(),
        amount: 9_007_199_254_740_991,
        currency: "JPY".into(),
        stage: DealStage::Lost,
        probability: 0,
        expected_on: day(),
        lost_reason: Some(TEXT.into()),
        closed_at: Some(moment()),
        owner_id: new_id(),
        deleted_at: Some(moment()),
    };
    let new = NewDeal {
        customer_id: new_id(),
        title: TEXT.into(),
        amount: Whole(0),
        currency: Some("USD".into()),
        stage: Some(DealStage::Won),
        probability: Some(Whole(100)),
        expected_on: None,
        lost_reason: None,
        owner_id: Some(new_id()),
    };
    tried.call(deals::CreateDeal { deal: new, context: context() }, [Arc::new(deal())]);
    let all = DealChanges {
        customer_id: Some(new_id()),
        title: Some(TEXT.into()),
        amount: Some(Whole(1)),
        currency: Some("EUR".into()),
        stage: Some(DealStage::Propose),
        probability: Some(Whole(55)),
        expected_on: Some(None),
        lost_reason: Some(Some(TEXT.into())),
        owner_id: Some(new_id()),
    };
    for changes in [DealChanges::default(), DealChanges { expected_on: Some(day()), ..all.clone() }, all] {
        tried.call(deals::ChangeDeal { id: new_id(), changes, context: context() }, [Arc::new(deal())]);
    }
    tried.call(deals::DeleteDeal { id: new_id(), context: context() }, [Arc::new(deal())]);
    tried.call(deals::FindDeal { id: new_id(), caller: caller() }, [Arc::new(deal())]);
    let read = deals::ReadDealActivity { id: new_id(), caller: caller(), page: page() };
    tried.call(read, pages(an_event()));
    let filter = || deals::DealFilter {
        q: Some(TEXT.into()),
        stage: Some(DealStage::Negotiate),
        customer_id: Some(new_id()),
        owner_id: None,
        expected_from: day(),
        expected_to: None,
        open: true,
        created_from: Some(begin()),
        created_to: None,
        closed_from: None,
        closed_to: Some(moment()),
        currency: Some("JPY".into()),
        lost_reason: Some(TEXT.into()),
        reached: Some(DealStage::Won),
    };
    let list = deals::ListDeals { caller: caller(), filter: filter(), sort: deals::SORTS[4], page: page() };
    tried.call(list, pages(deal()));
    let sums = DealSums { count: 1, amount: i64::MAX, weighted_amount: 2 };
    let by_stage = BTreeMap::from([(DealStage::Won, BTreeMap::from([("JPY".to_owned(), sums)]))]);
    let counts = DealCounts { total: 1, by_stage };
    tried.call(deals::DealStats { caller: caller(), filter: filter() }, [counts]);
    of_reports(tried, sums);
}

fn of_reports(tried: &mut Tried<OpportunityService>, sums: DealSums) {
    let (caller, owner_id, from, to) = (caller(), Some(new_id()), begin(), moment());
    let stage = FunnelStage {
        stage: DealStage::Propose,
        reached: 3,
        conversion_permille: Some(667),
        median_age_seconds: None,
    };
    tried.call(ReadDealFunnel { caller, owner_id, from, to }, [vec![stage]]);
    let month =
        ForecastMonth { month: "2026-11".into(), currency: "JPY".into(), open: sums, committed: sums };
    let day = || Day::parse("2026-12-31").expect("a day");
    tried.call(ReadDealForecast { caller, owner_id, from: day(), to: day() }, [vec![month]]);
    let by_currency = || BTreeMap::from([("JPY".to_owned(), Outcome { count: 1, amount: 2 })]);
    let outcomes = DealOutcomes {
        won: by_currency(),
        lost: BTreeMap::new(),
        by_owner: vec![OwnerOutcome { owner_id: new_id(), won: by_currency(), lost: by_currency() }],
        by_reason: vec![ReasonOutcome { reason: TEXT.into(), count: 1, lost: by_currency() }],
    };
    tried.call(ReadDealOutcomes { caller, owner_id: None, from, to }, [outcomes]);
}
