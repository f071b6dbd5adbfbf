//! Reports of deals: how far they have come, what is expected, and what became of them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::persistence::deals::{reason, share};
use crate::persistence::tallies::{Sum, only, summed};
use domain::deal::messages::DealShare;
use domain::deal::progress::DealProgress;
use domain::deal::reports::{FunnelCounts, OutcomeShare, REASONS_MAX};
use domain::deal::stage::DealStage;
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::ids::Id;
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};

/// The progress of deals, which the consumer of their events writes.
pub static DEAL_PROGRESS: Table = Table {
    name: "deal_progress",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("furthest", Kind::Int),
        ("stage", Kind::Text),
        ("since", Kind::Int),
        ("qualify", Kind::Int),
        ("propose", Kind::Int),
        ("negotiate", Kind::Int),
    ],
    on_conflict: OnConflict::Newer,
    fence: "version",
};

/// The condition that a deal has come as far as `?`, a [`DealStage::rank`]. Every deal has reached the first stage.
pub const REACHED: &str =
    "coalesce((SELECT p.furthest FROM deal_progress AS p WHERE p.id = deals.id), 0) >= ?";

/// Every stage: the indexes of deals begin with it.
const ANY_STAGE: &str = "stage IN ('QUALIFY', 'PROPOSE', 'NEGOTIATE', 'WON', 'LOST')";

/// Whose deals, and when they were created or closed.
#[derive(Clone, Copy)]
pub struct Cohort {
    /// The one whose deals the caller sees; `None`: everybody's.
    pub owner: Option<Id>,
    /// The one whose deals are wanted.
    pub wanted: Option<Id>,
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Cohort {
    /// The rows of deals by the time in `column`; `None` if nobody's.
    fn rows(&self, select: &str, stages: &str, column: &str) -> Option<Sql> {
        let owner = only(self.owner, self.wanted)?;
        let sql = Sql::new(select)
            .filter("deleted_at IS NULL", [])
            .filter(stages, [])
            .filter(&format!("{column} >= ?"), [self.from.into()])
            .filter(&format!("{column} < ?"), [self.to.into()]);
        Some(sql.filter_some("owner_id = ?", owner))
    }
}

/// How far the deals that were created then have come; stays under way last until `now`.
///
/// # Errors
/// The database's.
pub async fn funnel(db: &Db, cohort: &Cohort, now: Timestamp) -> Result<FunnelCounts, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        value: i64,
    }
    static ROWS: Table = Table {
        name: "funnel",
        columns: &[("name", Kind::Text), ("value", Kind::Int)],
        on_conflict: OnConflict::Fail,
        fence: "value",
    };
    let Some(cohort) = cohort.rows("SELECT id FROM deals", ANY_STAGE, "created_at") else {
        return Ok(FunnelCounts::default());
    };
    let progress = "qualify, p.propose, p.negotiate, CASE WHEN p.since < ? THEN ? - p.since ELSE 0 END AS stay \
        FROM cohort AS c LEFT JOIN deal_progress AS p ON p.id = c.id), ages AS (";
    let sql = cohort
        .wrapped(|cohort| format!("WITH cohort AS ({cohort}), come AS (SELECT coalesce(p.furthest, 0) AS furthest, p.stage, p."))
        .push(progress, [now.seconds().into(), now.seconds().into()])
        .push(&AGED.map(age).join(" UNION ALL "), [])
        // The two rows in the midst of each stage, or the one: their mean is the median.
        .push(
            "), placed AS (SELECT name, age, row_number() OVER (PARTITION BY name ORDER BY age) AS place, \
             count(*) OVER (PARTITION BY name) AS deals FROM ages) \
             SELECT name, CAST(sum(age) AS BIGINT) / count(*) AS value FROM placed \
             WHERE place IN ((deals + 1) / 2, (deals + 2) / 2) GROUP BY name \
             UNION ALL SELECT CAST(furthest AS TEXT), count(*) FROM come GROUP BY furthest",
            [],
        );
    let rows: Vec<Row> = db.rows_of(&ROWS, sql).await?;
    let mut counts = FunnelCounts::default();
    for Row { name, value } in rows {
        match (DealStage::parse(&name), name.parse()) {
            (Some(stage), _) => drop(counts.ages.insert(stage, value)),
            (None, Ok(rank)) => drop(counts.furthest.insert(rank, value)),
            (None, Err(_)) => {}
        }
    }
    Ok(counts)
}

/// The stages that deals grow old in, and their columns.
const AGED: [(&str, &str); 3] = [("QUALIFY", "qualify"), ("PROPOSE", "propose"), ("NEGOTIATE", "negotiate")];

/// The age in a stage of the deals that were there.
fn age((stage, column): (&str, &str)) -> String {
    format!(
        "SELECT '{stage}' AS name, {column} + CASE WHEN stage = '{stage}' THEN stay ELSE 0 END AS age \
         FROM come WHERE {column} IS NOT NULL"
    )
}

/// What the deals that are expected in these days add to each month: `2026-11` with a share.
///
/// # Errors
/// The database's.
pub async fn forecast(
    db: &Db,
    owner: Option<Id>,
    wanted: Option<Id>,
    (from, to): (Day, Day),
) -> Result<Vec<(String, DealShare)>, StoreError> {
    let Some(owner) = only(owner, wanted) else { return Ok(Vec::new()) };
    let select = "SELECT substr(expected_on, 1, 7) || '/' || stage || '/' || currency || '/' || probability AS value, \
        1 AS count, amount >> 32 AS high, amount & 4294967295 AS low FROM deals";
    let sql = Sql::new(select)
        .filter("deleted_at IS NULL", [])
        .filter("stage IN ('QUALIFY', 'PROPOSE', 'NEGOTIATE', 'WON')", [])
        .filter("expected_day >= ?", [from.number().into()])
        .filter("expected_day <= ?", [to.number().into()])
        .filter_some("owner_id = ?", owner);
    let sums = summed(db, sql, "value").await?;
    let of_month = |(value, sum): (String, Sum)| {
        let (month, rest) = value.split_once('/')?;
        Some((month.to_owned(), share(rest, sum)?))
    };
    Ok(sums.into_iter().filter_map(of_month).collect())
}

/// What became of the deals that were closed then: by owner, and by reason.
pub type Outcomes = (Vec<OutcomeShare<Id>>, Vec<OutcomeShare<String>>);

/// Adds up the deals that were won or lost then.
///
/// # Errors
/// The database's.
pub async fn outcomes(db: &Db, cohort: &Cohort) -> Result<Outcomes, StoreError> {
    #[derive(Deserialize)]
    struct Reason {
        reason: String,
        currency: String,
        count: i64,
        high: i64,
        low: i64,
    }
    static REASONS: Table = Table {
        name: "reasons",
        columns: &[
            ("reason", Kind::Text),
            ("currency", Kind::Text),
            ("count", Kind::Int),
            ("high", Kind::Int),
            ("low", Kind::Int),
        ],
        on_conflict: OnConflict::Fail,
        fence: "count",
    };
    let amounts = "1 AS count, amount >> 32 AS high, amount & 4294967295 AS low FROM deals";
    let by_owner =
        format!("SELECT CAST(owner_id AS TEXT) || '/' || stage || '/' || currency AS value, {amounts}");
    let by_reason = format!("SELECT {} AS reason, currency, {amounts}", reason());
    let Some(owners) = cohort.rows(&by_owner, "stage IN ('WON', 'LOST')", "closed_at") else {
        return Ok(Outcomes::default());
    };
    let owners = summed(db, owners, "value").await?;
    let owners = owners.into_iter().filter_map(|(value, sum)| {
        let mut parts = value.split('/');
        let (of, stage, currency) = (Id::parse(parts.next()?)?, parts.next()?, parts.next()?.to_owned());
        Some(OutcomeShare { of, is_won: stage == "WON", currency, count: sum.count, amount: sum.amount })
    });
    let Some(lost) = cohort.rows(&by_reason, "stage = 'LOST'", "closed_at") else {
        return Ok(Outcomes::default());
    };
    let lost = lost.filter("lost_reason IS NOT NULL", []);
    // The currencies of the most frequent reasons.
    let sql = lost.wrapped(|lost| {
        format!(
            "WITH lost AS ({lost}), most AS (SELECT reason FROM lost GROUP BY reason ORDER BY count(*) DESC, reason LIMIT {REASONS_MAX}) \
             SELECT reason, currency, count(*) AS count, CAST(sum(high) AS BIGINT) AS high, CAST(sum(low) AS BIGINT) AS low \
             FROM lost WHERE reason IN (SELECT reason FROM most) GROUP BY reason, currency"
        )
    });
    let reasons: Vec<Reason> = db.rows_of(&REASONS, sql).await?;
    let reasons = reasons.into_iter().map(|row| OutcomeShare {
        of: row.reason,
        is_won: false,
        currency: row.currency,
        count: row.count,
        amount: (i128::from(row.high) << 32) + i128::from(row.low),
    });
    Ok((owners.collect(), reasons.collect()))
}

/// The stored progress of these deals.
///
/// # Errors
/// The database's.
pub async fn progress(db: &Db, deals: &[Id]) -> Result<BTreeMap<Id, DealProgress>, StoreError> {
    let chosen = format!("id IN ({})", db.dialect().ids());
    let tail = Sql::default().filter(&chosen, [serde_json::to_string(deals)?.into()]);
    let rows: Vec<DealProgress> = db.rows(&DEAL_PROGRESS, tail).await?;
    Ok(rows.into_iter().map(|progress| (progress.id, progress)).collect())
}
