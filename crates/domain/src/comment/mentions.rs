//! Mentions in a text. Stored, a mention is `@[user id]`, so that a renamed user shows the new name; typed, it may also be
//! `@` and a whole e-mail address. Pure.

use std::collections::HashMap;

use kernel::ids::Id;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    Text(&'a str),
    Mention(Id),
}

/// The length of an id as text.
const ID: usize = 36;

/// The text in parts, in order. What only looks like a mention is text.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(found) = rest[from..].find("@[") {
        let at = from + found;
        match id_at(&rest[at..]) {
            Some((id, length)) => {
                if at > 0 {
                    parts.push(Part::Text(&rest[..at]));
                }
                parts.push(Part::Mention(id));
                (rest, from) = (&rest[at + length..], 0);
            }
            None => from = at + 2,
        }
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// The id of a text that begins with `@[id]`, and how long that is.
fn id_at(text: &str) -> Option<(Id, usize)> {
    let length = "@[".len() + ID + "]".len();
    let id = text.get(..length)?.strip_prefix("@[")?.strip_suffix(']')?;
    Id::parse(id).map(|id| (id, length))
}

/// How a mention is stored.
pub fn stored(id: Id) -> String {
    format!("@[{id}]")
}

/// The people whom the text mentions, each once, in the order of the text.
pub fn mentioned(text: &str) -> Vec<Id> {
    let mut ids = Vec::new();
    for part in parts(text) {
        if let Part::Mention(id) = part
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    }
    ids
}

/// The text with what `name` makes of each mention.
pub fn with_names(text: &str, name: impl Fn(Id) -> String) -> String {
    let part = |part| match part {
        Part::Text(text) => text.to_owned(),
        Part::Mention(id) => format!("@{}", name(id)),
    };
    parts(text).into_iter().map(part).collect()
}

/// The text with the mention of each of `people` where it has `@` and their name, as a field for people shows them. The
/// longest name that fits is meant.
pub fn from_names(text: &str, people: &[(Id, String)]) -> String {
    let mut people: Vec<_> = people.iter().filter(|(_, name)| !name.is_empty()).collect();
    people.sort_by_key(|(_, name)| std::cmp::Reverse(name.len()));
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        made.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        match people.iter().find(|(_, name)| after.starts_with(name.as_str())) {
            Some((id, name)) => {
                made.push_str(&stored(*id));
                rest = &after[name.len()..];
            }
            None => {
                made.push('@');
                rest = after;
            }
        }
    }
    made.push_str(rest);
    made
}

/// The text as a field for people shows it: the reverse of [`from_names`], to which the people in the answer are given. Of two
/// people of one name only the first is shown by it.
pub fn to_names(text: &str, name: impl Fn(Id) -> Option<String>) -> (String, Vec<(Id, String)>) {
    let mut people: Vec<(Id, String)> = Vec::new();
    for id in mentioned(text) {
        if let Some(name) = name(id).filter(|name| people.iter().all(|(_, other)| other != name)) {
            people.push((id, name));
        }
    }
    let part = |part| match part {
        Part::Text(text) => text.to_owned(),
        Part::Mention(id) => match people.iter().find(|(known, _)| *known == id) {
            Some((_, name)) => format!("@{name}"),
            None => stored(id),
        },
    };
    (parts(text).into_iter().map(part).collect(), people)
}

/// The addresses that the text mentions, in lower case, each once.
pub fn addresses(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, address) in typed(text) {
        let address = address.to_ascii_lowercase();
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// The text with each mentioned address replaced by the user who has it.
pub fn resolved(text: &str, users: &HashMap<String, Id>) -> String {
    let mut made = String::with_capacity(text.len());
    let mut from = 0;
    for (at, address) in typed(text) {
        if let Some(id) = users.get(&address.to_ascii_lowercase()) {
            made.push_str(&text[from..at]);
            made.push_str(&stored(*id));
            from = at + 1 + address.len();
        }
    }
    made.push_str(&text[from..]);
    made
}

/// Each `@address` of the text: where it begins, and the address.
fn typed(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('@').filter_map(|(at, _)| {
        // `name@host` and `@@` are no mentions.
        let before = text[..at].chars().next_back();
        if before.is_some_and(|before| is_local(before) || before == '@') {
            return None;
        }
        let rest = &text[at + 1..];
        let local = rest.find(|sign| !is_local(sign)).filter(|length| *length > 0)?;
        let host = rest[local..].strip_prefix('@')?;
        let end = host.find(|sign| !is_host(sign)).unwrap_or(host.len());
        // A full stop ends the sentence.
        let host = host[..end].trim_end_matches(['.', '-']);
        (!host.is_empty()).then(|| (at, &rest[..local + 1 + host.len()]))
    })
}

/// Characters before the `@` of an address (RFC 5322 §3.2.3, and the full stop).
fn is_local(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(sign)
}

fn is_host(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || sign == '.' || sign == '-'
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    #[test]
    fn mentions_are_told_from_what_only_looks_like_them() {
        let (one, other) = (new_id(), new_id());
        let text = format!("@[{one}]さん、@[{other}] @[x] @[{one}]@[");
        let wanted = [
            Part::Mention(one),
            Part::Text("さん、"),
            Part::Mention(other),
            Part::Text(" @[x] "),
            Part::Mention(one),
            Part::Text("@["),
        ];
        assert_eq!(parts(&text), wanted);
        assert_eq!(mentioned(&text), [one, other]);
        assert_eq!(parts(""), []);
        assert_eq!(parts("@[絆絆絆絆絆絆絆絆絆絆絆絆絆]").len(), 1, "a cut inside a character");
        assert_eq!(with_names(&format!("a @[{one}]"), |_| "佐藤".into()), "a @佐藤");
    }

    #[test]
    fn an_address_is_mentioned_by_a_sign_of_its_own() {
        let found = |text: &str| addresses(text);
        assert_eq!(found("@Sato@example.com, look"), ["sato@example.com"]);
        assert_eq!(found("見て@sato@example.com。"), ["sato@example.com"]);
        assert_eq!(found("(@a.b+c@x-y.example.) @a.b+c@x-y.example"), ["a.b+c@x-y.example"]);
        for none in
            ["sato@example.com", "mail to sato@example.com@", "@sato", "@@a@b", "@@", "@", "@a@", "@a@."]
        {
            assert_eq!(found(none), Vec::<String>::new(), "{none}");
        }
    }

    #[test]
    fn a_field_shows_names_and_takes_them_back() {
        let (sato, satoko, twin) = (new_id(), new_id(), new_id());
        let names = |id: Id| Some(if id == satoko { "佐藤子" } else { "佐藤" }.to_owned());
        let text = format!("@[{sato}]@[{satoko}]、@[{twin}] a@b @");
        let (shown, people) = to_names(&text, names);
        assert_eq!(shown, format!("@佐藤@佐藤子、@[{twin}] a@b @"));
        assert_eq!(from_names(&shown, &people), text);
        assert_eq!(from_names("@佐藤", &[]), "@佐藤");
        assert_eq!(from_names("@佐藤", &[(sato, String::new())]), "@佐藤");
        let (unnamed, none) = to_names(&text, |_| None);
        assert_eq!((unnamed, none.len()), (text, 0));
    }

    #[test]
    fn addresses_become_the_users_who_have_them() {
        let sato = new_id();
        let users = HashMap::from([("sato@example.com".to_owned(), sato)]);
        let made = resolved("@sato@example.com and @SATO@Example.com. @nobody@example.com", &users);
        assert_eq!(made, format!("@[{sato}] and @[{sato}]. @nobody@example.com"));
        assert_eq!(resolved("none", &users), "none");
    }
}
