//! The messages of the opportunity service about deals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::deal::record::{DealChanges, NewDeal};
use crate::deal::stage::DealStage;
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::day::Day;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};

#[derive(Clone, Serialize, Deserialize)]
pub struct CreateDeal {
    pub deal: NewDeal,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeDeal {
    pub id: Id,
    pub changes: DealChanges,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct DeleteDeal {
    pub id: Id,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct FindDeal {
    pub id: Id,
    pub caller: Caller,
}

/// The events about a deal that the caller may see, newest first: those that the live feed would show the caller.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadDealActivity {
    pub id: Id,
    pub caller: Caller,
    pub page: PageRequest,
}

/// The filter of a list of deals.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DealFilter {
    /// Words of the title or the reason, or of the customer's name (see [`Words`](kernel::search::Words)).
    #[serde(default)]
    pub q: Option<String>,
    pub stage: Option<DealStage>,
    pub customer_id: Option<Id>,
    pub owner_id: Option<Id>,
    /// The first and the last day on which they are expected, both included.
    pub expected_from: Option<Day>,
    pub expected_to: Option<Day>,
    /// Only those that are neither won nor lost.
    #[serde(default)]
    pub open: bool,
}

/// The number of the day of deals that are expected on no day: they come after all others.
pub const NO_DAY: i64 = 9_999_999;

/// The orders that `?sort=` may name; the first is the default. Amounts are compared in their currency's minor unit,
/// whatever the currency.
pub const SORTS: [Sort; 6] = [
    Sort::time("-created_at", "created_at", true),
    Sort::time("created_at", "created_at", false),
    Sort::number("-amount", "amount", true),
    Sort::number("amount", "amount", false),
    Sort::number("-expected_on", "expected_day", true),
    Sort::number("expected_on", "expected_day", false),
];

kernel::sort_names!(SORTS);

#[derive(Clone, Serialize, Deserialize)]
pub struct ListDeals {
    pub caller: Caller,
    pub filter: DealFilter,
    #[serde(with = "sort_name", default = "sort_name::first")]
    pub sort: Sort,
    pub page: PageRequest,
}

/// Statistics of the deals that the caller may see and that the filter leaves.
#[derive(Clone, Serialize, Deserialize)]
pub struct DealStats {
    pub caller: Caller,
    pub filter: DealFilter,
}

/// The sums of deals in one currency, in its minor unit; a sum beyond the range of `i64` is cut to its greatest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DealSums {
    pub count: i64,
    pub amount: i64,
    /// Each amount by its probability; a fraction of the minor unit is left out of the sum.
    pub weighted_amount: i64,
}

/// The sums of deals by stage and currency. Every stage is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealCounts {
    pub total: i64,
    pub by_stage: BTreeMap<DealStage, BTreeMap<String, DealSums>>,
}

/// What deals of one stage, currency and probability add to the sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DealShare {
    pub stage: DealStage,
    pub currency: String,
    pub probability: i64,
    pub count: i64,
    pub amount: i128,
}

impl DealCounts {
    /// The sums of these shares.
    pub fn of(shares: impl IntoIterator<Item = DealShare>) -> Self {
        let mut sums: BTreeMap<(DealStage, String), (i64, i128, i128)> = BTreeMap::new();
        for share in shares.into_iter().filter(|share| share.count != 0) {
            let (count, amount, weighted) = sums.entry((share.stage, share.currency)).or_default();
            *count += share.count;
            *amount += share.amount;
            *weighted += share.amount * i128::from(share.probability);
        }
        let cut = |sum: i128| i64::try_from(sum).unwrap_or(i64::MAX);
        let mut by_stage: BTreeMap<DealStage, BTreeMap<String, DealSums>> =
            DealStage::ALL.into_iter().map(|stage| (stage, BTreeMap::new())).collect();
        let mut total = 0;
        for ((stage, currency), (count, amount, weighted)) in sums {
            total += count;
            let sums = DealSums { count, amount: cut(amount), weighted_amount: cut(weighted / 100) };
            by_stage.entry(stage).or_default().insert(currency, sums);
        }
        Self { total, by_stage }
    }
}
