//! The messages of the opportunity service about deals.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::deal::record::{DealChanges, NewDeal};
use crate::deal::stage::DealStage;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
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
    #[serde(default, deserialize_with = "flag")]
    pub open: bool,
    /// From the first moment on, and before the second.
    #[serde(default)]
    pub created_from: Option<Timestamp>,
    #[serde(default)]
    pub created_to: Option<Timestamp>,
    /// Those that were won or lost from the first moment on, and before the second.
    #[serde(default)]
    pub closed_from: Option<Timestamp>,
    #[serde(default)]
    pub closed_to: Option<Timestamp>,
    #[serde(default)]
    pub currency: Option<String>,
    /// The reason of the loss, of which the first [`REASON_SHOWN`] characters are compared.
    #[serde(default)]
    pub lost_reason: Option<String>,
    /// Those that have been in this stage, or in a later one.
    #[serde(default)]
    pub reached: Option<DealStage>,
}

/// Reads a truth value, also as the word of a query.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag<'a> {
        Value(bool),
        Word(&'a str),
        Text(String),
    }
    Ok(match Flag::deserialize(deserializer)? {
        Flag::Value(value) => value,
        Flag::Word(word) => word == "true",
        Flag::Text(word) => word == "true",
    })
}

/// Reports tell reasons apart by so many characters, and a list is narrowed by them.
pub const REASON_SHOWN: usize = 200;

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

/// The sums of shares of one currency: each amount by its probability, and what is less than a minor unit left out at the end.
pub fn sums<'a>(shares: impl IntoIterator<Item = &'a DealShare>) -> DealSums {
    let (mut count, mut amount, mut weighted) = (0, 0, 0);
    for share in shares {
        count += share.count;
        amount += share.amount;
        weighted += share.amount * i128::from(share.probability);
    }
    let cut = |sum: i128| i64::try_from(sum).unwrap_or(i64::MAX);
    DealSums { count, amount: cut(amount), weighted_amount: cut(weighted / 100) }
}

impl DealCounts {
    /// The sums of these shares.
    pub fn of(shares: impl IntoIterator<Item = DealShare>) -> Self {
        let mut parts: BTreeMap<(DealStage, String), Vec<DealShare>> = BTreeMap::new();
        for share in shares.into_iter().filter(|share| share.count != 0) {
            parts.entry((share.stage, share.currency.clone())).or_default().push(share);
        }
        let mut by_stage: BTreeMap<DealStage, BTreeMap<String, DealSums>> =
            DealStage::ALL.into_iter().map(|stage| (stage, BTreeMap::new())).collect();
        let mut total = 0;
        for ((stage, currency), shares) in parts {
            let sums = sums(&shares);
            total += sums.count;
            by_stage.entry(stage).or_default().insert(currency, sums);
        }
        Self { total, by_stage }
    }
}
