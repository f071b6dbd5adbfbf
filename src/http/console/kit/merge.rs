//! What two people have made of one record at the same time, field by field. A form tells what each field held when it
//! was made; where one of the two left a field as it was, the other's value holds, and where both changed it, the user
//! chooses.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::http::console::kit::field::{Field, Kind, Theirs};
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::typed::moment;
use kernel::day::Day;

/// A hash of what a field holds, for a form to carry: the text itself may be long. Browsers end lines in their own way.
pub fn mark(value: &str) -> String {
    let plain = value.replace("\r\n", "\n").replace('\r', "\n");
    Sha256::digest(plain).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Who has changed a field since the form was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Nobody,
    Mine,
    Theirs,
    Both,
}

/// `is_current`: nobody has changed the record since the form was made.
fn change(field: &Field, typed: &str, posted: &Fields, is_current: bool) -> Change {
    let (now, typed) = (mark(&field.value), mark(typed));
    // A form that does not tell what a field held: whatever differs may be somebody else's change.
    let was = posted.get(&format!("was_{}", field.name)).unwrap_or(if is_current { &now } else { "" });
    match (typed != was && typed != now, now != was) {
        (true, _) if gives_way(field, posted) => Change::Theirs,
        (false, false) => Change::Nobody,
        (false, true) => Change::Theirs,
        (true, false) => Change::Mine,
        // Also where the user has chosen between both: the record has a third value now.
        (true, true) => Change::Both,
    }
}

/// Whether the page showed both values of a field, and the user chose the one that is not the user's own.
pub fn gives_way(field: &Field, posted: &Fields) -> bool {
    posted.get(&format!("pick_{}", field.name)) == Some("theirs")
}

fn changes<'a>(
    fields: &'a [Field],
    posted: &'a Fields,
    version: i64,
) -> impl Iterator<Item = (&'a Field, &'a str, Change)> {
    let is_current = posted.version().is_none_or(|made_of| made_of == version);
    fields.iter().filter_map(move |field| {
        let typed = posted.get(field.name)?;
        Some((field, typed, change(field, typed, posted, is_current)))
    })
}

/// The fields to change, of a form whose fields hold the record as it is in `version`; `None` if the user must choose
/// first.
pub fn settled(fields: &[Field], posted: &Fields, version: i64) -> Option<BTreeSet<&'static str>> {
    let mut mine = BTreeSet::new();
    for (field, _, change) in changes(fields, posted, version) {
        match change {
            Change::Mine => drop(mine.insert(field.name)),
            Change::Both => return None,
            Change::Nobody | Change::Theirs => {}
        }
    }
    Some(mine)
}

/// Puts what was typed beside what somebody else has changed.
pub fn oppose(fields: &mut [Field], posted: &Fields, version: i64, f: &Frame) {
    let changes: Vec<Option<Change>> = fields
        .iter()
        .map(|field| changes(std::slice::from_ref(field), posted, version).map(|(_, _, it)| it).next())
        .collect();
    for (field, change) in fields.iter_mut().zip(changes) {
        let typed = posted.get(field.name).unwrap_or_default().to_owned();
        match change {
            Some(Change::Both) => field.theirs = Some(Theirs::Collides(shown(field, f))),
            Some(Change::Theirs) => {
                field.theirs = Some(Theirs::TakenOver);
                continue;
            }
            Some(Change::Mine) => {}
            Some(Change::Nobody) | None => continue,
        }
        if !field.is_secret() {
            field.value = typed;
        }
    }
}

/// What a field holds, as people read it.
fn shown(field: &Field, f: &Frame) -> String {
    let label = |choice: Option<&str>| choice.map(str::to_owned);
    let text = match &field.kind {
        _ if field.value.is_empty() => None,
        Kind::Choice(choices) => {
            label(choices.iter().find(|choice| field.chose(choice)).map(|choice| choice.label.as_str()))
        }
        Kind::Search(search) => label(search.chosen.as_ref().map(|choice| choice.label.as_str())),
        Kind::Moment => moment(&field.value, f.zone).map(|time| f.time(&time)),
        Kind::Day => Day::parse(&field.value).map(|day| f.day(&day.date())),
        Kind::Line(_) | Kind::Area | Kind::Number | Kind::Amount => Some(field.value.clone()),
    };
    text.unwrap_or_else(|| "–".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::clock::Timestamp;
    use kernel::locale::Locale;

    fn fields() -> Vec<Field> {
        vec![
            Field::text("name").holding("絆"),
            Field::text("phone").holding("03"),
            Field::area("notes").holding("一\r\n二"),
        ]
    }

    fn posted(pairs: &[(&str, &str)]) -> Fields {
        let mut query = form_urlencoded::Serializer::new(String::new());
        Fields::parsed(query.extend_pairs(pairs).finish().as_bytes())
    }

    #[test]
    fn what_one_alone_changed_holds() {
        let (old, name, notes) = (mark("01"), mark("絆"), mark("一\n二"));
        let sent = posted(&[
            ("version", "1"),
            ("name", "絆商店"),
            ("was_name", &name),
            ("phone", "01"),
            ("was_phone", &old),
            ("notes", "一\n二"),
            ("was_notes", &notes),
        ]);
        assert_eq!(settled(&fields(), &sent, 2), Some(BTreeSet::from(["name"])));
    }

    #[test]
    fn who_changed_the_same_field_chooses() {
        let (old, now) = (mark("01"), mark("03"));
        let sent = [("version", "1"), ("phone", "02"), ("was_phone", old.as_str())];
        assert_eq!(settled(&fields(), &posted(&sent), 2), None);
        // The page that asks is made of the record as it is.
        let picked = |was, pick| {
            let sent = [("version", "1"), ("phone", "02"), ("was_phone", was), ("pick_phone", pick)];
            settled(&fields(), &posted(&sent), 2)
        };
        assert_eq!(picked(&now, "mine"), Some(BTreeSet::from(["phone"])));
        assert_eq!(picked(&now, "theirs"), Some(BTreeSet::new()));
        // Somebody has changed it once more since.
        assert_eq!(picked(&old, "mine"), None);
        assert_eq!(picked(&old, "theirs"), Some(BTreeSet::new()));
        let agreed = [("version", "1"), ("phone", "03"), ("was_phone", old.as_str())];
        assert_eq!(settled(&fields(), &posted(&agreed), 2), Some(BTreeSet::new()), "both wrote the same");
    }

    #[test]
    fn a_form_that_does_not_tell_what_it_was_made_of_is_compared_by_its_version() {
        let at = |version| posted(&[("version", version), ("name", "別")]);
        assert_eq!(settled(&fields(), &at("2"), 2), Some(BTreeSet::from(["name"])));
        assert_eq!(settled(&fields(), &at("1"), 2), None);
    }

    #[test]
    fn both_values_are_shown() {
        let (name, old) = (mark("古い"), mark("01"));
        let sent = posted(&[
            ("version", "1"),
            ("name", "私"),
            ("was_name", &name),
            ("phone", "01"),
            ("was_phone", &old),
        ]);
        let mut fields = fields();
        let f = Frame::nobodys(Locale::Ja, Timestamp::from_micros(0));
        oppose(&mut fields, &sent, 2, &f);
        assert_eq!((fields[0].value.as_str(), fields[0].collision()), ("私", Some("絆")));
        assert_eq!((fields[1].value.as_str(), fields[1].is_taken_over()), ("03", true));
        assert!(fields[2].theirs.is_none());
    }
}
