//! Entity tags (RFC 9110 §8.8.3) as `If-Match` names them. A record's tag is its version in quotes.

use kernel::context::Versions;

/// The header is no list of entity tags.
#[derive(Debug, PartialEq, Eq)]
pub struct NotATag;

/// The versions that the lines of `If-Match` name; `None` for `*` and for no line.
///
/// `W/"3"` counts as `"3"`: proxies that compress answers weaken tags, and a version says all of a record. A tag of
/// another form than ours is a tag, but of no version.
///
/// # Errors
/// When a line is not a list of tags, or the lines have no tag.
pub fn versions<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Option<Versions>, NotATag> {
    // Several lines are one list (RFC 9110 §5.3).
    let lines: Vec<&[u8]> = lines.collect();
    let list = lines.join(&b',');
    match list.trim_ascii() {
        [] if lines.is_empty() => Ok(None),
        b"*" => Ok(None),
        list => {
            let tags = tags(list)?;
            if tags.is_empty() {
                return Err(NotATag);
            }
            Ok(Some(Versions(tags.into_iter().filter_map(version).collect())))
        }
    }
}

/// The opaque parts of the tags of a list. Elements may be empty (RFC 9110 §5.6.1.2).
fn tags(mut rest: &[u8]) -> Result<Vec<&[u8]>, NotATag> {
    let mut tags = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        match rest {
            [] => return Ok(tags),
            [b',', after @ ..] => {
                rest = after;
                continue;
            }
            _ => {}
        }
        let opened = rest.strip_prefix(b"W/").unwrap_or(rest).strip_prefix(b"\"").ok_or(NotATag)?;
        let end = opened.iter().position(|byte| *byte == b'"').ok_or(NotATag)?;
        let (tag, after) = (&opened[..end], opened[end + 1..].trim_ascii_start());
        let is_tag = tag.iter().all(|byte| matches!(byte, b'!' | b'#'..=b'~' | 0x80..));
        if !is_tag || !matches!(after, [] | [b',', ..]) {
            return Err(NotATag);
        }
        tags.push(tag);
        rest = after;
    }
}

/// The version that a tag names, if it has the form of ours.
fn version(tag: &[u8]) -> Option<i64> {
    let version: i64 = std::str::from_utf8(tag).ok()?.parse().ok()?;
    (version.to_string().as_bytes() == tag).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Option<Vec<i64>>, NotATag> {
        let lines = lines.iter().map(|line| line.as_bytes());
        versions(lines).map(|versions| versions.map(|Versions(versions)| versions))
    }

    #[test]
    fn if_match_is_a_list_of_tags() {
        for (line, wanted) in [
            ("\"1\"", vec![1]),
            (" \"1\" ", vec![1]),
            ("\"1\", \"2\"", vec![1, 2]),
            ("\"7\",\"1\"", vec![7, 1]),
            (", \"1\" ,,", vec![1]),
            ("W/\"1\"", vec![1]),
            ("W/\"1\", \"2\"", vec![1, 2]),
            ("\"1-gzip\"", vec![]),
            ("\"a,b\", \"3\"", vec![3]),
            ("\"\"", vec![]),
            ("\"01\"", vec![]),
            ("\"+1\"", vec![]),
            ("\"99999999999999999999\"", vec![]),
            ("\"絆\"", vec![]),
        ] {
            assert_eq!(read(&[line]), Ok(Some(wanted)), "{line}");
        }
        assert_eq!(read(&["\"7\"", "\"1\""]), Ok(Some(vec![7, 1])), "two lines are one list");
        assert_eq!((read(&[]), read(&["*"]), read(&[" * "])), (Ok(None), Ok(None), Ok(None)));
        for line in ["", ",", "1", "\"1", "1\"", "\"1\" \"2\"", "w/\"1\"", "W/ \"1\"", "*, \"1\"", "\"a b\""]
        {
            assert_eq!(read(&[line]), Err(NotATag), "{line}");
        }
        assert_eq!(read(&["*", "\"1\""]), Err(NotATag));
    }
}
