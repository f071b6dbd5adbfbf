//! Where a form leads when it has been carried out, and what the page there should show of it.

use crate::http::console::kit::form_data::Fields;
use kernel::ids::Id;

/// The parameter that says what was done.
const DONE: &str = "done";
/// The parameter that names the rows which a list keeps.
const KEPT: &str = "kept";
/// Rows that a list keeps, at most: the latest.
const KEPT_MAX: usize = 20;
/// Lists that show some of the tasks by their status.
const LISTS: [&str; 2] = ["/", "/tasks"];

/// An address with the word of what was done there.
pub fn done_at(address: &str, word: &str) -> String {
    with(address, &[], word)
}

/// The address of a page on which a task was completed or opened again. A list keeps the task until it is left, though its
/// filter fits no longer: the button that was pressed takes back what it did.
pub fn keeping(address: &str, id: Id, word: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    if !LISTS.contains(&path) {
        return done_at(address, word);
    }
    let mut rows = kept(&Fields::parsed(query.as_bytes()));
    rows.retain(|row| *row != id);
    rows.push(id);
    let first = rows.len().saturating_sub(KEPT_MAX);
    format!("{}#task-{id}", with(address, &rows[first..], word))
}

fn with(address: &str, rows: &[Id], word: &str) -> String {
    let address = address.split('#').next().unwrap_or_default();
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let given = form_urlencoded::parse(query.as_bytes());
    let others = given.filter(|(name, _)| name != DONE && (name != KEPT || rows.is_empty()));
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(others);
    query.extend_pairs(rows.iter().map(|row| (KEPT, row.to_string())));
    query.append_pair(DONE, word);
    format!("{path}?{}", query.finish())
}

/// The rows that a list keeps.
pub fn kept(given: &Fields) -> Vec<Id> {
    let rows = given.pairs().filter(|(name, _)| *name == KEPT);
    rows.filter_map(|(_, value)| Id::parse(value)).take(KEPT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    #[test]
    fn an_address_says_what_was_done_last() {
        assert_eq!(done_at("/tasks", "added"), "/tasks?done=added");
        assert_eq!(done_at("/tasks?q=a+b&done=saved#x", "added"), "/tasks?q=a+b&done=added");
    }

    #[test]
    fn a_list_keeps_each_row_once_and_the_latest_of_many() {
        let ids: Vec<Id> = (0..KEPT_MAX + 2).map(|_| new_id()).collect();
        let mut address = "/tasks?status=OPEN".to_owned();
        for id in &ids {
            address = keeping(&address, *id, "completed");
        }
        let query = |address: &str| {
            let query = address.split('?').nth(1).and_then(|it| it.split('#').next()).unwrap_or_default();
            Fields::parsed(query.as_bytes())
        };
        assert_eq!(kept(&query(&address)), ids[2..]);
        let again = keeping(&address, ids[2], "reopened");
        assert_eq!(kept(&query(&again)).last(), Some(&ids[2]));
        assert_eq!(
            (query(&again).get("status"), query(&again).get("done")),
            (Some("OPEN"), Some("reopened"))
        );
        assert!(again.ends_with(&format!("#task-{}", ids[2])));
    }

    #[test]
    fn a_page_that_shows_every_task_keeps_none() {
        let id = new_id();
        assert_eq!(keeping("/customers/1", id, "completed"), "/customers/1?done=completed");
    }
}
