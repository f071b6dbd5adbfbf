//! Avatars: a person's initials on a colour that stays the person's.

use std::fmt;

use askama::filters::HtmlSafe;

use kernel::ids::Id;

/// The colours of avatars (`--person-0` … in `assets/tokens.css`).
const COLOURS: u8 = 8;

/// A person's avatar, as markup.
pub struct Avatar {
    initials: String,
    colour: u8,
}

impl Avatar {
    pub fn of(id: Id, name: &str) -> Self {
        Self { initials: initials(name), colour: colour(id) }
    }

    /// For what the system did by itself.
    pub fn of_system() -> Self {
        Self { initials: "·".to_owned(), colour: 0 }
    }
}

/// The letters are no text of the page: the name stands beside them.
impl fmt::Display for Avatar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped: String = self.initials.chars().filter(|c| !"&<>\"'".contains(*c)).collect();
        let colour = self.colour;
        write!(f, r#"<span class="avatar c{colour}" aria-hidden="true" data-initials="{escaped}"></span>"#)
    }
}

impl HtmlSafe for Avatar {}

/// The first character of a Japanese name, which is the family's; the first letters of the first and the last word of
/// another.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let Some(first) = words.next() else { return "?".to_owned() };
    // Scripts beyond Latin, Greek and Cyrillic.
    if first as u32 >= 0x1100 {
        return first.to_string();
    }
    let last = words.next_back().filter(|c| (*c as u32) < 0x1100);
    [Some(first), last].into_iter().flatten().flat_map(char::to_uppercase).take(2).collect()
}

/// The number of a colour, the same for an id on every node and after every start.
fn colour(id: Id) -> u8 {
    // FNV-1a. The last bytes of an id alone are random.
    let hash = id.to_string().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    u8::try_from((hash >> 32) % u64::from(COLOURS)).expect("less than the colours")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;
    use std::collections::HashMap;

    const TOKENS: &str = include_str!("../../../../assets/tokens.css");

    #[test]
    fn a_japanese_name_has_the_first_character_and_another_two_letters() {
        for (name, expected) in [
            ("佐藤 花子", "佐"),
            ("佐藤花子", "佐"),
            ("　田中　次郎", "田"),
            ("Grace Hopper", "GH"),
            ("Ludwig van Beethoven", "LB"),
            ("grace", "G"),
            ("Tanaka 次郎", "T"),
            ("(株) 青空", "株"),
            ("ßeta Ωmega", "SS"),
            ("김 민준", "김"),
            ("!? …", "?"),
            ("", "?"),
        ] {
            assert_eq!(initials(name), expected, "{name}");
        }
    }

    #[test]
    fn a_name_becomes_no_markup() {
        assert_eq!(initials("<b> \"x\""), "BX");
        let avatar = Avatar { initials: "\"><".to_owned(), colour: 1 };
        assert!(avatar.to_string().ends_with(r#"data-initials=""></span>"#));
    }

    #[test]
    fn an_id_keeps_its_colour_and_people_share_all_colours() {
        let id = new_id();
        assert_eq!(colour(id), colour(id));
        let mut counts: HashMap<u8, usize> = HashMap::new();
        (0..800).for_each(|_| *counts.entry(colour(new_id())).or_default() += 1);
        assert_eq!(counts.len(), usize::from(COLOURS));
        assert!(counts.values().all(|count| *count > 40), "{counts:?}");
    }

    /// The light and the dark colour of a token.
    fn token(name: &str) -> [f64; 2] {
        let line = TOKENS.lines().find(|line| line.trim().starts_with(&format!("{name}:"))).expect(name);
        let values = line.split('#').skip(1).map(|rest| luminance(&rest[..6]));
        let values: Vec<f64> = values.collect();
        values.try_into().expect("two colours")
    }

    /// WCAG's relative luminance.
    fn luminance(hex: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
    }

    fn contrast(one: f64, other: f64) -> f64 {
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn letters_stand_out_from_their_ground_in_both_themes() {
        let mut pairs: Vec<(String, String)> =
            (0..COLOURS).map(|n| (format!("--on-person-{n}"), format!("--person-{n}"))).collect();
        let texts = ["ink", "muted", "accent", "accent-strong"];
        let grounds = ["ground", "surface", "sunken"];
        pairs.extend(
            texts.iter().flat_map(|text| grounds.map(|ground| (format!("--{text}"), format!("--{ground}")))),
        );
        for name in ["good", "warn", "bad"] {
            pairs.push((format!("--{name}"), format!("--{name}-soft")));
        }
        pairs.push(("--on-accent".into(), "--accent".into()));
        pairs.push(("--accent-strong".into(), "--accent-soft".into()));
        for (letters, ground) in pairs {
            for (one, other) in token(&letters).into_iter().zip(token(&ground)) {
                assert!(contrast(one, other) >= 4.5, "{letters} on {ground}: {:.2}", contrast(one, other));
            }
        }
    }
}
