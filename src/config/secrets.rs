//! Secrets among the settings: read from files, so that they are not in the list of processes, and refused if they are weak.

use std::fmt;
use std::fs::File;
use std::io::Read;

use domain::user::passwords;
use kernel::validation::Validator;

/// The most bytes of a file with a secret.
const FILE_MAX: u64 = 64 * 1024;
/// RFC 7518 §3.2: a key of HS256 has at least as many bytes as its hash.
const JWT_SECRET_MIN: usize = 32;
/// A secret of fewer different bytes, or of a part that repeats and is no longer than this, was typed.
const VARIETY_MIN: usize = 8;
/// Parts of secrets that stand in examples.
const PLACEHOLDERS: [&str; 7] =
    ["changeme", "change-me", "change_me", "your-secret", "your_secret", "your-256-bit-secret", "replace-me"];
/// Passwords that Kizuna's documents have.
const PUBLISHED: [&str; 2] = ["kizuna-demo", "change-me-soon"];

/// The content of a file that a flag names, without the line breaks at its end.
#[derive(Clone)]
pub struct SecretFile(String);

impl SecretFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it can't be read, is no UTF-8, is empty or has more than 64 KiB.
    pub fn read(path: &str) -> Result<Self, String> {
        let mut text = String::new();
        let file = File::open(path).map_err(|error| error.to_string())?;
        file.take(FILE_MAX + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
        let text_end = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(text_end);
        match text.len() as u64 {
            0 => Err("the file is empty".into()),
            length if length > FILE_MAX => Err("the file has more than 64 KiB".into()),
            _ => Ok(Self(text)),
        }
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretFile")
    }
}

/// Checks that a secret of the tokens is no word that somebody could try.
pub fn check_jwt_secret(secret: &str) -> Result<(), String> {
    let make = "make one with: openssl rand -base64 48";
    if secret.len() < JWT_SECRET_MIN {
        return Err(format!("needs at least {JWT_SECRET_MIN} bytes; {make}"));
    }
    let folded = secret.to_lowercase();
    if PLACEHOLDERS.iter().any(|placeholder| folded.contains(placeholder)) {
        return Err(format!("is the placeholder of an example; {make}"));
    }
    let mut bytes: Vec<u8> = secret.bytes().collect();
    let repeats =
        (1..=VARIETY_MIN).any(|part| bytes.iter().zip(&bytes[part..]).all(|(one, next)| one == next));
    bytes.sort_unstable();
    bytes.dedup();
    if repeats || bytes.len() < VARIETY_MIN {
        return Err(format!("can be guessed, because it repeats a few characters; {make}"));
    }
    Ok(())
}

/// Checks the password of the first ADMIN. `is_local`: nobody else reaches the server.
pub fn check_admin_password(password: &str, email: &str, is_local: bool) -> Result<(), String> {
    if !is_local && PUBLISHED.contains(&password) {
        return Err("is public, because Kizuna's documents have it; choose another".into());
    }
    let mut validator = Validator::default();
    passwords::check(&mut validator, "password", &mut password.to_owned(), &[email]);
    validator.ok(()).map(drop).map_err(|error| {
        let fault = error.fields.first();
        match fault.map(|fault| fault.code.as_ref()) {
            Some("too_small") => "needs at least 8 characters".into(),
            Some("too_large") => "may have at most 128 characters".into(),
            Some("common_password") => "is one of the most common passwords; choose another".into(),
            Some("known_words") => {
                "is hardly more than the name of Kizuna or the address; choose another".into()
            }
            _ => "has characters that are not allowed".to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_were_typed_or_copied_are_weak() {
        for weak in [
            "31 bytes are one byte too few..",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "secret-secret-secret-secret-secret-secret",
            "0101010101010101010101010101010101010101",
            "please-changeme-please-changeme-please",
            "Your-256-bit-secret, as an example has it",
        ] {
            assert!(check_jwt_secret(weak).is_err(), "{weak}");
        }
        for good in ["a secret of the tests, 32 bytes or more", "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRW"] {
            assert_eq!(check_jwt_secret(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn the_first_admins_password_is_neither_public_nor_weak() {
        let check = |password, is_local| check_admin_password(password, "admin@kaisha.example", is_local);
        assert!(check("kizuna-demo", false).is_err() && check("kizuna-demo", true).is_ok());
        for weak in ["1234567", "password1", "kaisha-2026", "Kizuna!1"] {
            assert!(check(weak, true).is_err(), "{weak}");
        }
        assert_eq!(check("the first password", false), Ok(()));
    }

    #[test]
    fn a_file_gives_its_text_without_the_line_break() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let write = |name: &str, text: &[u8]| std::fs::write(path(name), text).expect("a file");
        write("good", "秘密 secret \r\n".as_bytes());
        write("empty", b"\n");
        write("bytes", &[0xff; 40]);
        write("large", &[b'a'; 70_000]);
        assert_eq!(SecretFile::read(&path("good")).map(|file| file.0), Ok("秘密 secret ".to_owned()));
        for bad in ["empty", "bytes", "large", "missing"] {
            assert!(SecretFile::read(&path(bad)).is_err(), "{bad}");
        }
    }
}
