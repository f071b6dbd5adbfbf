//! Encrypts the secrets that rows hold, so that whoever reads the database or a backup does not have them.
//!
//! A sealed text is a format byte, a random nonce of 12 bytes and the text, encrypted by AES-256-GCM-SIV, with its tag of 16
//! bytes, all in Base64. The key is derived by HKDF-SHA256 from the server's secret. The row's id is associated data, so that a text
//! that is copied to another row does not open there.
//!
//! While the server's secret is replaced, several are in force: the first one seals, and each of them opens.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use kernel::ids::Id;

/// The first byte of a sealed text.
const FORMAT: u8 = 1;
/// The bytes before the encrypted text.
const HEADER_BYTES: usize = 1 + NONCE_LEN;
/// The bytes of a key.
const KEY_BYTES: usize = 32;

/// Seals and opens the secrets of rows; clones share the keys.
#[derive(Clone)]
pub struct Vault(Arc<[RandomizedNonceKey]>);

/// A text that was opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    pub text: String,
    /// Whether another secret than the first has sealed it: it is to be sealed again.
    pub is_old: bool,
}

impl Vault {
    /// The first of the `secrets` seals, and each opens. `purpose` keeps the keys of different uses apart.
    ///
    /// # Panics
    /// Without a secret.
    pub fn new(secrets: &[Vec<u8>], purpose: &str) -> Self {
        assert!(!secrets.is_empty(), "a vault needs a secret");
        let key = |secret: &Vec<u8>| {
            let info = [b"kizuna rows 1 ".as_slice(), purpose.as_bytes()];
            let mut key = [0; KEY_BYTES];
            let root = Salt::new(HKDF_SHA256, b"kizuna rows").extract(secret);
            root.expand(&info, HKDF_SHA256)
                .and_then(|made| made.fill(&mut key))
                .expect("one block of output");
            RandomizedNonceKey::new(&AES_256_GCM_SIV, &key).expect("a key of 32 bytes")
        };
        Self(secrets.iter().map(key).collect())
    }

    /// Seals a text for the row of this id.
    pub fn seal(&self, row: Id, text: &str) -> String {
        let mut sealed = vec![0; HEADER_BYTES];
        sealed.extend_from_slice(text.as_bytes());
        let made = self.0[0].seal_in_place_separate_tag(Aad::from(place(row)), &mut sealed[HEADER_BYTES..]);
        let (nonce, tag) = made.expect("the system has random numbers, and texts are shorter than 64 GiB");
        sealed[0] = FORMAT;
        sealed[1..HEADER_BYTES].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        STANDARD_NO_PAD.encode(sealed)
    }

    /// The text that was sealed for this row; `None` if no secret in force has sealed it.
    pub fn open(&self, row: Id, sealed: &str) -> Option<Opened> {
        let sealed = STANDARD_NO_PAD.decode(sealed).ok()?;
        let (header, rest) = sealed.split_at_checked(HEADER_BYTES)?;
        if header[0] != FORMAT {
            return None;
        }
        self.0.iter().enumerate().find_map(|(place_of_key, key)| {
            let mut text = rest.to_vec();
            let nonce = Nonce::try_assume_unique_for_key(&header[1..]).ok()?;
            let length = key.open_in_place(nonce, Aad::from(place(row)), &mut text).ok()?.len();
            text.truncate(length);
            Some(Opened { text: String::from_utf8(text).ok()?, is_old: place_of_key > 0 })
        })
    }
}

/// The associated data of a row.
fn place(row: Id) -> [u8; 16] {
    row.bits().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    fn vault(names: &[&str]) -> Vault {
        let secrets: Vec<_> = names.iter().map(|name| name.repeat(32).into_bytes()).collect();
        Vault::new(&secrets, "webhooks")
    }

    #[test]
    fn a_secret_opens_for_its_row_alone_and_while_its_server_s_secret_is_in_force() {
        let row = new_id();
        let sealed = vault(&["a"]).seal(row, "whsec_絆");
        assert!(!sealed.contains("whsec"));
        let open = |vault: Vault, row| vault.open(row, &sealed).map(|opened| (opened.text, opened.is_old));
        assert_eq!(open(vault(&["a"]), row), Some(("whsec_絆".to_owned(), false)));
        assert_eq!(open(vault(&["b", "a"]), row), Some(("whsec_絆".to_owned(), true)), "to be sealed again");
        assert_eq!(open(vault(&["b"]), row), None);
        assert_eq!(open(vault(&["a"]), new_id()), None, "another row");
        assert_eq!(open(Vault::new(&[b"a".repeat(32)], "other"), row), None, "another purpose");
        assert_ne!(vault(&["a"]).seal(row, "whsec_絆"), sealed, "equal texts do not look equal");
        for length in 0..sealed.len() {
            assert!(vault(&["a"]).open(row, &sealed[..length]).is_none(), "{length} characters");
        }
    }
}
