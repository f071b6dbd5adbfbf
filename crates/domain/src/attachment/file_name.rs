//! Names of files, as clients send them. Pure.

use unicode_normalization::UnicodeNormalization;

use kernel::characters::{is_bidi_control, is_control, is_visible};
use kernel::error::{Error, FieldError};

/// The longest name, in characters.
pub const NAME_MAX: usize = 200;

/// The name of a file without the folders it was in and without what does not show, in NFC.
///
/// # Errors
/// `invalid_fields`: nothing is left of it, or it is too long.
pub fn cleaned(sent: &str) -> Result<String, Error> {
    let name = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|sign| !is_control(*sign) && !is_bidi_control(*sign)).collect();
    // Windows drops blanks and full stops at the end; a name of dots alone is a folder.
    let name: String = name.trim().trim_end_matches(['.', ' ']).nfc().collect();
    if !name.contains(is_visible) {
        return Err(Error::field("file", "file_without_name"));
    }
    if name.chars().count() > NAME_MAX {
        let fault = FieldError::limit("file", "file_name_too_long", NAME_MAX as i64);
        return Err(Error::fields(vec![fault]));
    }
    Ok(name)
}

/// What follows the last full stop of a name, in lower case.
pub fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_folder_and_nothing_that_does_not_show() {
        for (sent, kept) in [
            ("見積書.pdf", "見積書.pdf"),
            ("C:\\Users\\sato\\見積.pdf", "見積.pdf"),
            ("../../etc/passwd", "passwd"),
            (" a\u{0}b\r\n\u{202e}c.txt. ", "abc.txt"),
            ("カ\u{3099}.csv", "ガ.csv"),
            ("\"quoted\";.txt", "\"quoted\";.txt"),
            (".gitignore", ".gitignore"),
        ] {
            assert_eq!(cleaned(sent).as_deref(), Ok(kept), "{sent}");
        }
        for none in ["", "/", "..", "a/", " . ", "\u{200b}"] {
            assert_eq!(cleaned(none).unwrap_err().fields[0].code, "file_without_name", "{none}");
        }
        assert!(cleaned(&"あ".repeat(200)).is_ok());
        assert_eq!(cleaned(&"あ".repeat(201)).unwrap_err().fields[0].code, "file_name_too_long");
    }

    #[test]
    fn an_extension_is_what_follows_the_last_full_stop() {
        assert_eq!(extension("a.tar.GZ"), "gz");
        assert_eq!(extension("none"), "");
    }
}
