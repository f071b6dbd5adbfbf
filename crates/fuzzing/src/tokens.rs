//! Tokens: what nobody signed opens nothing, and what is signed opens its own use alone.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::session::record::SessionKind;
use hmac::{Hmac, KeyInit, Mac};
use kernel::clock::Timestamp;
use kernel::error::ErrorCode;
use kernel::ids::Id;
use kizuna::actors::auth::api_keys::PresentedKey;
use kizuna::actors::auth::token::{Keys, Use};
use sha2::Sha256;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const USES: [Use; 5] =
    [Use::Access(SessionKind::Api), Use::Access(SessionKind::Console), Use::Refresh, Use::Form, Use::Device];

fn now() -> Timestamp {
    Timestamp::from_micros(1_764_000_000_000_000)
}

/// A header in the first line and claims in the rest, as JSON: first unsigned, then signed with our own secret, so that
/// what comes behind the signature is reached.
pub fn token(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (header, claims) = (&input[..end], input.get(end + 1..).unwrap_or(input));
    let keys = Keys::new(SECRET);
    let text = String::from_utf8_lossy(input);
    assert_eq!(opened(&keys, &text), 0, "nobody has signed {text}");
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("a key of any length");
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    assert!(opened(&keys, &format!("{signed}.{signature}")) <= 1, "a token of several uses: {text}");
    let wrong = signature.chars().rev().collect::<String>();
    assert_eq!(opened(&keys, &format!("{signed}.{wrong}")), 0, "a wrong signature opens {text}");
}

/// For how many uses a token is good.
fn opened(keys: &Keys, token: &str) -> usize {
    let good = |use_: &&Use| match keys.check(**use_, token, now()) {
        Ok(claims) => {
            assert!(claims.exp > now().seconds(), "a token that has ended is good");
            true
        }
        Err(error) => {
            assert!(matches!(error.code, ErrorCode::InvalidToken | ErrorCode::TokenExpired), "{error:?}");
            false
        }
    };
    USES.iter().filter(good).count()
}

/// A bearer that may be an API key: as it is, and as the bytes within one.
pub fn api_key(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match PresentedKey::read(&text) {
        None => assert!(!text.starts_with("kzn_"), "{text} begins as a key"),
        Some(Err(error)) => assert_eq!(error.code, ErrorCode::InvalidToken),
        Some(Ok(key)) => is_hash(&key.hash),
    }
    let made = format!("kzn_{}", URL_SAFE_NO_PAD.encode(input));
    let read = PresentedKey::read(&made).expect("it begins as a key");
    assert_eq!(read.is_ok(), input.len() == 48, "an id and 256 bits, and nothing else: {made}");
    if let (Ok(key), Some(id)) = (read, input.first_chunk::<16>()) {
        assert_eq!(key.id, Id::of_bits(u128::from_be_bytes(*id)));
        is_hash(&key.hash);
    }
}

fn is_hash(text: &str) {
    assert!(text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()), "{text} is no hash");
}
