//! Secrets and signatures of Standard Webhooks 1.0. Pure: random bytes are an argument.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use kernel::clock::Timestamp;

/// What every secret begins with.
pub const PREFIX: &str = "whsec_";
/// The bytes of a secret that is made here. The standard allows 24 to 64.
pub const SECRET_BYTES: usize = 32;

/// The secret of a webhook. It is shown to nobody but whoever has it made.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A secret of these random bytes.
    pub fn of(random: [u8; SECRET_BYTES]) -> Self {
        Self(random.to_vec())
    }

    /// Reads `whsec_…`; `None` if it is no secret of the standard.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// `whsec_…`.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The signature of a message: `v1,…`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// The signatures of a message by all secrets in force, as the header `webhook-signature` has them.
pub fn signatures(secrets: &[Secret], id: &str, at: Timestamp, body: &[u8]) -> String {
    let signed: Vec<_> = secrets.iter().map(|secret| secret.sign(id, at.seconds(), body)).collect();
    signed.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the standard's specification and of its reference libraries.
    const VECTORS: [(&str, &str, i64, &str, &str); 2] = [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
    ];

    #[test]
    fn the_reference_vectors_hold() {
        for (secret, id, timestamp, body, signature) in VECTORS {
            let secret = Secret::parse(secret).expect("a secret");
            assert_eq!(secret.sign(id, timestamp, body.as_bytes()), signature, "{id}");
        }
    }

    #[test]
    fn a_secret_is_24_to_64_bytes_in_base64_and_never_printed() {
        let made = Secret::of([7; SECRET_BYTES]);
        assert_eq!(Secret::parse(&made.text()), Some(made.clone()));
        assert!(made.text().starts_with("whsec_") && !format!("{made:?}").contains("whsec"));
        let of = |bytes: usize| format!("{PREFIX}{}", STANDARD.encode(vec![1; bytes]));
        assert!(Secret::parse(&of(24)).is_some() && Secret::parse(&of(64)).is_some());
        for wrong in [of(23), of(65), "whsec_".into(), "whsec_!".into(), STANDARD.encode([1; 32])] {
            assert_eq!(Secret::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn after_a_rotation_both_secrets_sign() {
        let (new, old) = (Secret::of([1; SECRET_BYTES]), Secret::of([2; SECRET_BYTES]));
        let at = Timestamp::from_micros(1_700_000_000_000_000);
        let both = signatures(&[new.clone(), old.clone()], "m", at, b"{}");
        let each: Vec<_> = both.split(' ').collect();
        assert_eq!(each, [new.sign("m", 1_700_000_000, b"{}"), old.sign("m", 1_700_000_000, b"{}")]);
    }
}
