//! Texts that people type: their keys, words of a search, mentions, names of files.

use domain::attachment::file_name;
use domain::comment::mentions::{self, Part};
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::duration::duration;
use kernel::ids::Id;
use kernel::name_order::{is_order, name_order};
use kernel::rank::Query;
use kernel::search::Words;
use kernel::text_key::{alike, key};

use crate::refused;

/// A text of any kind.
pub fn text(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let of_text = key(text);
    assert_eq!(key(&of_text), of_text, "the key of a key is the key: {text:?}");
    assert!(alike(text, &of_text), "{text:?}");
    assert!(is_order(&name_order(&of_text)), "{text:?}");
    match Words::parse(Some(text)) {
        Ok(words) => words.iter().for_each(|word| assert!(!word.is_empty(), "{text:?}")),
        Err(error) => refused(&error),
    }
    if let Err(error) = Query::parse(text) {
        refused(&error);
    }
    mentioned(text);
    match file_name::cleaned(text) {
        Ok(name) => {
            assert!(!name.contains(['/', '\\', '\0', '\r', '\n']), "{name:?}");
            assert_eq!(file_name::cleaned(&name).as_deref(), Ok(name.as_str()), "{text:?}");
        }
        Err(error) => refused(&error),
    }
    plain(text);
}

fn mentioned(text: &str) {
    let whole: String = mentions::parts(text)
        .iter()
        .map(|part| match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Mention(id) => mentions::stored(*id),
        })
        .collect();
    assert!(whole.eq_ignore_ascii_case(text), "{text:?} has the parts {whole:?}");
    assert!(mentions::addresses(text).len() <= text.len());
    // A name that was typed is a mention, too, once it is somebody's.
    if text.contains("@u") {
        return;
    }
    let name = |id: Id| Some(format!("u{id}"));
    let (shown, people) = mentions::to_names(text, name);
    assert_eq!(
        mentions::mentioned(&mentions::from_names(&shown, &people)),
        mentions::mentioned(text),
        "{text:?}"
    );
}

/// Values with one plain spelling.
fn plain(text: &str) {
    if let Some(time) = Timestamp::parse(text) {
        assert_eq!(Timestamp::parse(&time.to_string()), Some(time), "{text}");
    }
    if let Some(day) = Day::parse(text) {
        assert_eq!(day.to_string(), text);
    }
    if let Some(id) = Id::parse(text) {
        assert!(id.to_string().eq_ignore_ascii_case(text), "{text}");
    }
    let _ = duration(text);
}
