//! Reports of deals: the funnel, the forecast, and what became of them. Pure, with the messages that ask for them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::deal::messages::{DealShare, DealSums, sums};
use crate::deal::stage::DealStage;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::ids::Id;

/// The stages of the funnel, in their order.
pub const FUNNEL: [DealStage; 4] =
    [DealStage::Qualify, DealStage::Propose, DealStage::Negotiate, DealStage::Won];

/// The reasons that a report names, at most: those of the most deals.
pub const REASONS_MAX: i64 = 50;

/// How far the deals have come that were created from `from` up to, but not including, `to`: those that the caller may see, or
/// one owner's.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct ReadDealFunnel {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// What deals do that were won or lost from `from` up to, but not including, `to`.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct ReadDealOutcomes {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// What is expected from the first to the last day, both included.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct ReadDealForecast {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub from: Day,
    pub to: Day,
}

/// A stage of the funnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FunnelStage {
    pub stage: DealStage,
    /// The deals that have been in this stage or a later one; LOST is none.
    pub reached: i64,
    /// How many of 1,000 of them have reached the next stage; null for the last stage, or without a deal.
    #[schema(required)]
    pub conversion_permille: Option<i64>,
    /// The median of the time that deals were in this stage, in seconds, with the present stay of those that are there; null for
    /// WON, or if no deal was there.
    #[schema(required)]
    pub median_age_seconds: Option<i64>,
}

/// How many deals came how far at the furthest (by [`DealStage::rank`]), and the median age of each stage.
#[derive(Clone, Debug, Default)]
pub struct FunnelCounts {
    pub furthest: BTreeMap<i64, i64>,
    pub ages: BTreeMap<DealStage, i64>,
}

/// The funnel of these counts.
pub fn funnel(counts: &FunnelCounts) -> Vec<FunnelStage> {
    let reached =
        |stage: DealStage| -> i64 { counts.furthest.range(stage.rank()..).map(|(_, deals)| deals).sum() };
    let stage = |(place, stage): (usize, &DealStage)| {
        let here = reached(*stage);
        let next = FUNNEL.get(place + 1).filter(|_| here > 0).map(|next| reached(*next));
        FunnelStage {
            stage: *stage,
            reached: here,
            conversion_permille: next.map(|next| (next * 1_000 + here / 2) / here),
            median_age_seconds: counts.ages.get(stage).copied(),
        }
    };
    FUNNEL.iter().enumerate().map(stage).collect()
}

/// What is expected in a month, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForecastMonth {
    /// As `2026-11`.
    pub month: String,
    pub currency: String,
    /// Deals that are neither won nor lost, also weighted by their probability.
    pub open: DealSums,
    /// Deals that are won.
    pub committed: DealSums,
}

/// The forecast of these shares, each with its month (`2026-11`): by month, then by currency.
pub fn forecast(shares: impl IntoIterator<Item = (String, DealShare)>) -> Vec<ForecastMonth> {
    let mut months: BTreeMap<(String, String), [Vec<DealShare>; 2]> = BTreeMap::new();
    for (month, share) in shares {
        let place = match share.stage {
            DealStage::Lost => continue,
            DealStage::Won => 1,
            _ => 0,
        };
        months.entry((month, share.currency.clone())).or_default()[place].push(share);
    }
    let month = |((month, currency), [open, won]): ((String, String), [Vec<DealShare>; 2])| ForecastMonth {
        month,
        currency,
        open: sums(&open),
        committed: sums(&won),
    };
    months.into_iter().map(month).collect()
}

/// A number of deals and the sum of their amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    pub count: i64,
    /// In the currency's minor unit; cut to the greatest value of `i64`.
    pub amount: i64,
}

/// By currency.
pub type OutcomesByCurrency = BTreeMap<String, Outcome>;

/// What became of a person's deals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnerOutcome {
    pub owner_id: Id,
    /// Won deals, by currency.
    #[schema(value_type = BTreeMap<String, Outcome>)]
    pub won: OutcomesByCurrency,
    /// Lost deals, by currency.
    #[schema(value_type = BTreeMap<String, Outcome>)]
    pub lost: OutcomesByCurrency,
}

/// The deals that were lost for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonOutcome {
    pub reason: String,
    pub count: i64,
    /// By currency.
    #[schema(value_type = BTreeMap<String, Outcome>)]
    pub lost: OutcomesByCurrency,
}

/// What became of the deals that were won or lost in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DealOutcomes {
    /// All of them, by currency.
    #[schema(value_type = BTreeMap<String, Outcome>)]
    pub won: OutcomesByCurrency,
    #[schema(value_type = BTreeMap<String, Outcome>)]
    pub lost: OutcomesByCurrency,
    /// By their present owners, those who have won most deals first.
    pub by_owner: Vec<OwnerOutcome>,
    /// The most frequent reasons first, 50 at most.
    pub by_reason: Vec<ReasonOutcome>,
}

/// What the deals of an owner, or of a reason, that were won or lost add in one currency.
#[derive(Clone, Debug)]
pub struct OutcomeShare<K> {
    pub of: K,
    pub is_won: bool,
    pub currency: String,
    pub count: i64,
    pub amount: i128,
}

/// How many deals these are.
pub fn count(outcomes: &OutcomesByCurrency) -> i64 {
    outcomes.values().map(|outcome| outcome.count).sum()
}

/// Puts together what became of deals.
pub fn outcomes(owners: Vec<OutcomeShare<Id>>, reasons: Vec<OutcomeShare<String>>) -> DealOutcomes {
    let all: Vec<_> = owners.iter().map(|share| (share.is_won, share)).collect();
    let of =
        |won: bool| by_currency(all.iter().filter(|(is_won, _)| *is_won == won).map(|(_, share)| *share));
    let (won, lost) = (of(true), of(false));
    let mut by_owner: BTreeMap<Id, Vec<OutcomeShare<Id>>> = BTreeMap::new();
    for share in owners {
        by_owner.entry(share.of).or_default().push(share);
    }
    let mut by_owner: Vec<OwnerOutcome> = by_owner
        .into_iter()
        .map(|(owner_id, shares)| OwnerOutcome {
            owner_id,
            won: by_currency(shares.iter().filter(|share| share.is_won)),
            lost: by_currency(shares.iter().filter(|share| !share.is_won)),
        })
        .collect();
    by_owner.sort_by_key(|owner| (-count(&owner.won), -count(&owner.lost), owner.owner_id));
    let mut by_reason: BTreeMap<String, Vec<OutcomeShare<String>>> = BTreeMap::new();
    for share in reasons {
        by_reason.entry(share.of.clone()).or_default().push(share);
    }
    let mut by_reason: Vec<ReasonOutcome> = by_reason
        .into_iter()
        .map(|(reason, shares)| {
            let lost = by_currency(&shares);
            ReasonOutcome { reason, count: count(&lost), lost }
        })
        .collect();
    by_reason.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
    by_reason.truncate(REASONS_MAX as usize);
    DealOutcomes { won, lost, by_owner, by_reason }
}

fn by_currency<'a, K: 'a>(shares: impl IntoIterator<Item = &'a OutcomeShare<K>>) -> OutcomesByCurrency {
    let mut sums: BTreeMap<String, (i64, i128)> = BTreeMap::new();
    for share in shares {
        let sum = sums.entry(share.currency.clone()).or_default();
        *sum = (sum.0 + share.count, sum.1 + share.amount);
    }
    let outcome = |(count, amount)| Outcome { count, amount: i64::try_from(amount).unwrap_or(i64::MAX) };
    sums.into_iter().map(|(currency, sum)| (currency, outcome(sum))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(stage: DealStage, currency: &str, probability: i64, count: i64, amount: i128) -> DealShare {
        DealShare { stage, currency: currency.into(), probability, count, amount }
    }

    #[test]
    fn a_stage_is_reached_by_those_that_came_further_too() {
        let counts = FunnelCounts {
            furthest: BTreeMap::from([(0, 4), (1, 3), (3, 2)]),
            ages: BTreeMap::from([(DealStage::Qualify, 60)]),
        };
        let stages = funnel(&counts);
        let reached: Vec<_> = stages.iter().map(|stage| (stage.reached, stage.conversion_permille)).collect();
        assert_eq!(reached, [(9, Some(556)), (5, Some(400)), (2, Some(1_000)), (2, None)]);
        assert_eq!((stages[0].median_age_seconds, stages[1].median_age_seconds), (Some(60), None));
        assert!(funnel(&FunnelCounts::default()).iter().all(|stage| stage.conversion_permille.is_none()));
    }

    #[test]
    fn a_forecast_has_a_row_for_each_month_and_currency() {
        let rows = forecast([
            ("2026-12".into(), share(DealStage::Qualify, "JPY", 10, 1, 1_005)),
            ("2026-12".into(), share(DealStage::Negotiate, "JPY", 70, 2, 1_000)),
            ("2026-12".into(), share(DealStage::Won, "JPY", 100, 1, 7)),
            ("2026-11".into(), share(DealStage::Won, "USD", 100, 1, 9)),
            ("2026-11".into(), share(DealStage::Lost, "EUR", 0, 1, 9)),
        ]);
        let of: Vec<_> = rows.iter().map(|row| (row.month.as_str(), row.currency.as_str())).collect();
        assert_eq!(of, [("2026-11", "USD"), ("2026-12", "JPY")]);
        // 100.5 and 700: what is less than a minor unit falls away at the end only.
        let open = DealSums { count: 3, amount: 2_005, weighted_amount: 800 };
        assert_eq!((rows[1].open, rows[1].committed.amount), (open, 7));
    }

    #[test]
    fn outcomes_are_told_apart_by_person_reason_and_currency() {
        let (one, two) = (Id::nil(), kernel::ids::new_id());
        let of = |of, is_won, currency: &str, count| OutcomeShare {
            of,
            is_won,
            currency: currency.into(),
            count,
            amount: i128::from(count) * 10,
        };
        let owners = vec![
            of(one, true, "JPY", 1),
            of(two, true, "JPY", 2),
            of(two, true, "USD", 1),
            of(one, false, "JPY", 3),
        ];
        let reason = |reason: &str, count| OutcomeShare {
            of: reason.to_owned(),
            is_won: false,
            currency: "JPY".into(),
            count,
            amount: 1,
        };
        let report = outcomes(owners, vec![reason("価格", 1), reason("時期", 2)]);
        assert_eq!((count(&report.won), count(&report.lost)), (4, 3));
        assert_eq!(report.by_owner.iter().map(|owner| owner.owner_id).collect::<Vec<_>>(), [two, one]);
        assert_eq!(report.by_owner[0].won["JPY"], Outcome { count: 2, amount: 20 });
        assert_eq!(
            report.by_reason.iter().map(|it| it.reason.as_str()).collect::<Vec<_>>(),
            ["時期", "価格"]
        );
    }
}
