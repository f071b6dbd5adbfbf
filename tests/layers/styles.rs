//! The stylesheets name tokens: a colour, a space, a size of type, a radius, a shadow or a duration stands in
//! `assets/tokens.css` only.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Properties whose every value is a token, nothing, or one of these words.
const OF_TOKENS: [&str; 8] =
    ["padding", "margin", "gap", "row-gap", "column-gap", "border-radius", "box-shadow", "font-size"];

/// What stands beside tokens in a value.
const WORDS: [&str; 6] = ["0", "auto", "inherit", "none", "50%", "calc(-1"];

/// What a value never has outside of the tokens.
const RAW: [&str; 6] = ["#", "rgb(", "rgba(", "hsl(", "light-dark(", "oklch("];

/// Colours by name; `transparent` and `currentcolor` are none.
const NAMED: [&str; 8] = ["white", "black", "red", "green", "blue", "gray", "grey", "orange"];

fn stylesheets() -> Vec<(String, String)> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let files = fs::read_dir(assets).expect("our assets").map(|entry| entry.expect("a file").path());
    let styles = files.filter(|path| path.extension().is_some_and(|it| it == "css"));
    styles
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("text"))
        })
        .collect()
}

/// The text without comments.
fn bare(text: &str) -> String {
    let mut rest = text;
    let mut bare = String::new();
    while let Some((before, after)) = rest.split_once("/*") {
        bare.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    bare + rest
}

/// The declarations of a stylesheet: a property and its value.
fn declarations(text: &str) -> Vec<(String, String)> {
    let bare = bare(text);
    let parts = bare.split(['{', '}', ';']).map(str::trim);
    let pairs = parts.filter_map(|part| part.split_once(':')).filter(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit())
    });
    pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

fn is_of_tokens(property: &str) -> bool {
    OF_TOKENS.contains(&property) || property.starts_with("padding-") || property.starts_with("margin-")
}

/// Whether a value is made of tokens. A part of the screen that a device keeps for itself is added to one.
fn has_tokens_only(value: &str) -> bool {
    let parts = value.split_whitespace().filter(|part| !["*", "+"].contains(part));
    parts.map(|part| part.trim_end_matches(',')).all(|part| {
        let part = part.strip_prefix("calc(").unwrap_or(part);
        part == "-1"
            || WORDS.contains(&part)
            || part.starts_with("var(--")
            || part.starts_with("env(safe-area-inset-")
    })
}

fn fault(property: &str, value: &str) -> Option<&'static str> {
    let is_named = |word: &str| NAMED.contains(&word.trim_end_matches(','));
    if RAW.iter().any(|raw| value.contains(raw)) || value.split_whitespace().any(is_named) {
        return Some("a colour");
    }
    if is_of_tokens(property) && !has_tokens_only(value) {
        return Some("a size");
    }
    let moves = property.starts_with("transition") || property.starts_with("animation");
    let has_time = value.split_whitespace().any(|part| {
        part.trim_end_matches(',').strip_suffix('s').is_some_and(|number| number.parse::<f64>().is_ok())
    });
    (moves && has_time).then_some("a duration")
}

#[test]
fn stylesheets_name_tokens_and_no_values_of_their_own() {
    let mut faults = Vec::new();
    let mut seen = 0;
    for (name, text) in stylesheets().iter().filter(|(name, _)| name != "tokens.css") {
        for (property, value) in declarations(text) {
            seen += 1;
            if let Some(what) = fault(&property, &value) {
                faults.push(format!("{name}: {what} that is no token: {property}: {value}"));
            }
        }
    }
    assert!(seen > 500, "the test finds them: {seen}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_token_that_is_named_exists_and_one_that_exists_is_named() {
    let sheets = stylesheets();
    let all: String = sheets.iter().map(|(_, text)| bare(text)).collect();
    let tokens = sheets.iter().find(|(name, _)| name == "tokens.css").map(|(_, text)| declarations(text));
    let tokens: BTreeSet<String> = tokens.expect("the tokens").into_iter().map(|(name, _)| name).collect();
    let named: BTreeSet<String> = all
        .split("var(")
        .skip(1)
        .filter_map(|rest| rest.split([')', ',']).next())
        .map(|name| name.trim().to_owned())
        .collect();
    let custom: BTreeSet<String> = tokens.into_iter().filter(|name| name.starts_with("--")).collect();
    assert!(custom.len() > 60, "the test finds them: {}", custom.len());
    assert_eq!(named, custom);
}

#[test]
fn a_value_outside_of_the_tokens_is_found() {
    for (property, value) in [
        ("color", "#fff"),
        ("background", "white"),
        ("border", "1px solid rgb(0 0 0 / 20%)"),
        ("padding", "0.3rem var(--space-2)"),
        ("margin-top", "3px"),
        ("font-size", "13px"),
        ("border-radius", "5px"),
        ("box-shadow", "0 0 2px var(--line)"),
        ("transition", "color 0.3s"),
    ] {
        assert!(fault(property, value).is_some(), "{property}: {value}");
    }
    for (property, value) in [
        ("color", "currentcolor"),
        ("padding", "0 calc(-1 * var(--space-2)) auto"),
        ("padding-bottom", "calc(var(--space-3) + env(safe-area-inset-bottom))"),
        ("width", "12px"),
        ("transition", "color var(--motion-quick), opacity var(--motion-calm)"),
    ] {
        assert_eq!(fault(property, value), None, "{property}: {value}");
    }
}
