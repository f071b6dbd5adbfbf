//! How far a deal has come, and how long it was in each stage: folded from its events. Pure.

use serde::{Deserialize, Serialize};

use crate::deal::record::DealPayload;
use crate::deal::stage::DealStage;
use kernel::clock::Timestamp;
use kernel::ids::Id;

/// The progress of a deal, as its events up to `version` tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealProgress {
    /// The deal's.
    pub id: Id,
    pub version: i64,
    /// The greatest [`DealStage::rank`] that it ever had.
    pub furthest: i64,
    pub stage: DealStage,
    /// When it came to its stage, in seconds since 1970.
    pub since: i64,
    /// The seconds that it was in each open stage, without the present stay; `None` if it never was there.
    pub qualify: Option<i64>,
    pub propose: Option<i64>,
    pub negotiate: Option<i64>,
}

impl DealProgress {
    /// The progress after an event; events that are known already change nothing.
    pub fn after(before: Option<Self>, payload: &DealPayload, time: Timestamp) -> Self {
        let (deal, now) = (&payload.deal, time.seconds());
        let mut progress = before.unwrap_or_else(|| {
            let stage = payload.previous_stage.unwrap_or(deal.stage);
            Self::begun(deal.id, stage, deal.created_at.seconds())
        });
        if deal.version <= progress.version {
            return progress;
        }
        progress.version = deal.version;
        if deal.stage != progress.stage {
            let stayed = now.saturating_sub(progress.since).max(0);
            if let Some(spent) = progress.spent_mut(progress.stage) {
                *spent = Some(spent.unwrap_or(0) + stayed);
            }
            progress.enter(deal.stage, now);
        }
        progress
    }

    fn begun(id: Id, stage: DealStage, since: i64) -> Self {
        let mut progress =
            Self { id, version: 0, furthest: 0, stage, since, qualify: None, propose: None, negotiate: None };
        progress.enter(stage, since);
        progress
    }

    fn enter(&mut self, stage: DealStage, at: i64) {
        self.stage = stage;
        self.since = at;
        self.furthest = self.furthest.max(stage.rank());
        if let Some(spent) = self.spent_mut(stage) {
            *spent = Some(spent.unwrap_or(0));
        }
    }

    fn spent_mut(&mut self, stage: DealStage) -> Option<&mut Option<i64>> {
        match stage {
            DealStage::Qualify => Some(&mut self.qualify),
            DealStage::Propose => Some(&mut self.propose),
            DealStage::Negotiate => Some(&mut self.negotiate),
            DealStage::Won | DealStage::Lost => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deal::record::Deal;
    use kernel::ids::Id;

    fn payload(version: i64, stage: DealStage, previous: Option<DealStage>) -> DealPayload {
        let deal = Deal {
            id: Id::nil(),
            version,
            created_at: at(100),
            updated_at: at(100),
            customer_id: Id::nil(),
            title: "更新".into(),
            amount: 1,
            currency: "JPY".into(),
            stage,
            probability: 10,
            expected_on: None,
            lost_reason: None,
            closed_at: None,
            owner_id: Id::nil(),
            deleted_at: None,
        };
        DealPayload { deal, changed: Vec::new(), previous_owner_id: None, previous_stage: previous }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn of(moves: &[(i64, DealStage)]) -> DealProgress {
        let (mut progress, mut before, mut version) = (None, None, 0);
        for (seconds, stage) in moves {
            version += 1;
            let previous = before.filter(|before| before != stage);
            progress = Some(DealProgress::after(progress, &payload(version, *stage, previous), at(*seconds)));
            before = Some(*stage);
        }
        progress.expect("a move")
    }

    #[test]
    fn each_stay_adds_to_its_stage_and_a_stage_that_was_skipped_has_none() {
        use DealStage::{Lost, Negotiate, Propose, Qualify, Won};
        let deal = of(&[(100, Qualify), (130, Qualify), (150, Negotiate), (170, Qualify), (175, Won)]);
        assert_eq!((deal.qualify, deal.propose, deal.negotiate), (Some(55), None, Some(20)));
        assert_eq!((deal.furthest, deal.stage, deal.since), (Won.rank(), Won, 175));
        let open = of(&[(100, Qualify), (160, Propose)]);
        assert_eq!((open.qualify, open.propose, open.since), (Some(60), Some(0), 160));
        let lost = of(&[(100, Qualify), (160, Propose), (161, Lost), (200, Qualify)]);
        assert_eq!((lost.furthest, lost.qualify, lost.propose), (Propose.rank(), Some(60), Some(1)));
    }

    #[test]
    fn a_known_event_and_an_event_out_of_time_change_nothing_for_the_worse() {
        let won = of(&[(100, DealStage::Qualify), (150, DealStage::Won)]);
        let again = payload(1, DealStage::Qualify, None);
        assert_eq!(DealProgress::after(Some(won.clone()), &again, at(900)), won);
        let clocks = of(&[(100, DealStage::Qualify), (90, DealStage::Propose)]);
        assert_eq!(clocks.qualify, Some(0));
    }

    #[test]
    fn a_deal_whose_beginning_is_unknown_began_in_the_stage_before() {
        let moved = payload(4, DealStage::Propose, Some(DealStage::Qualify));
        let progress = DealProgress::after(None, &moved, at(130));
        assert_eq!((progress.qualify, progress.furthest, progress.version), (Some(30), 1, 4));
    }
}
