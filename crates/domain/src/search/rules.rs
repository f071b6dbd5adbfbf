//! The order of what a search finds: by rank, then the newest first. Pure.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::record::{Candidate, Hit, RecordType};
use kernel::rank::Query;

/// The best of these records of one type; each once.
pub fn ranked(record_type: RecordType, query: &Query, candidates: Vec<Candidate>, limit: i64) -> Vec<Hit> {
    let mut seen = HashSet::new();
    let once = candidates.into_iter().filter(|candidate| seen.insert(candidate.id));
    let hits = once.map(|candidate| Hit {
        record_type,
        rank: query.rank(&candidate.line),
        id: candidate.id,
        title: candidate.title,
        subtitle: candidate.subtitle,
        created_at: candidate.created_at,
    });
    merged(hits.collect(), limit)
}

/// The best of the records that several services found.
pub fn merged(mut hits: Vec<Hit>, limit: i64) -> Vec<Hit> {
    hits.sort_by_key(|hit| (hit.rank, Reverse(hit.created_at), Reverse(hit.id)));
    hits.truncate(usize::try_from(limit).unwrap_or(0));
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::clock::Timestamp;
    use kernel::ids::Id;

    fn candidate(n: u32, title: &str) -> Candidate {
        Candidate {
            id: Id::parse(&format!("0198c0de-0000-7000-8000-{n:012}")).expect("an id"),
            title: title.to_owned(),
            subtitle: None,
            created_at: Timestamp::parse(&format!("2026-03-{n:02}T00:00:00Z")).expect("a time"),
            line: format!("\u{1}{title}"),
        }
    }

    #[test]
    fn the_best_come_first_and_of_equals_the_newest() {
        let query = Query::parse("ab").expect("a search");
        let found = ["x", "ab c", "ab", "c ab", "cab", "ab d"];
        let mut all: Vec<Candidate> = (1..).zip(found).map(|(n, title)| candidate(n, title)).collect();
        all.push(all[2].clone());
        let hits = ranked(RecordType::Task, &query, all, 5);
        let titles: Vec<&str> = hits.iter().map(|hit| hit.title.as_str()).collect();
        assert_eq!(titles, ["ab", "ab d", "ab c", "c ab", "cab"]);
        assert!(ranked(RecordType::Task, &query, vec![], 5).is_empty());
    }

    #[test]
    fn what_services_found_is_ordered_as_one() {
        let query = Query::parse("ab").expect("a search");
        let of = |record_type, n, title| ranked(record_type, &query, vec![candidate(n, title)], 9);
        let all = [
            of(RecordType::Approval, 3, "cab"),
            of(RecordType::Customer, 1, "ab"),
            of(RecordType::Meeting, 2, "ab"),
        ];
        let hits = merged(all.into_iter().flatten().collect(), 2);
        let types: Vec<RecordType> = hits.iter().map(|hit| hit.record_type).collect();
        assert_eq!(types, [RecordType::Meeting, RecordType::Customer]);
    }
}
