//! A parser with a fault, as people make them: it believes a length that stands in the input.

/// Reads `kzn_`, a length, and so many bytes.
pub fn parse(input: &[u8]) {
    let Some(rest) = input.strip_prefix(b"kzn_") else { return };
    let Some((length, text)) = rest.split_first() else { return };
    let _ = &text[..usize::from(*length)];
}
