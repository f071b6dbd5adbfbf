//! Access and refresh tokens: JWT, HS256, told apart by their audience. The console's access tokens have an audience of
//! their own: they are good as its cookie only, and those of the API as a bearer only.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use domain::session::record::SessionKind;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

const ISSUER: &str = "kizuna";

/// The purpose of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Opens what its user may see, for sessions of this kind.
    Access(SessionKind),
    /// Is exchanged for new tokens; its session says of which kind it is.
    Refresh,
    /// Proves that a form of the web console was made for this session.
    Form,
    /// Proves that its user has signed in on this device before; the session it names is the device.
    Device,
}

impl Use {
    fn audience(self) -> &'static str {
        match self {
            Self::Access(SessionKind::Api) => "kizuna-api",
            Self::Access(SessionKind::Console) => "kizuna-console",
            Self::Refresh => "kizuna-refresh",
            Self::Form => "kizuna-form",
            Self::Device => "kizuna-device",
        }
    }
}

/// The content of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The user.
    pub sub: Id,
    /// The session.
    pub sid: Id,
    /// The refresh token's generation; 0 in access tokens.
    #[serde(default)]
    pub generation: i64,
    pub iat: i64,
    pub exp: i64,
}

/// What the key of fingerprints is derived for; no token is signed with it.
const FINGERPRINTS: &[u8] = b"kizuna: fingerprints of requests";

/// Signs tokens with one secret, and checks them with this and others that are accepted.
pub struct Keys {
    signing: EncodingKey,
    checking: Vec<DecodingKey>,
    access: Validation,
    console: Validation,
    refresh: Validation,
    form: Validation,
    device: Validation,
    fingerprints: Hmac<Sha256>,
}

impl Keys {
    pub fn new(secret: &[u8]) -> Self {
        let key = keyed(secret).chain_update(FINGERPRINTS).finalize().into_bytes();
        Self {
            fingerprints: keyed(&key),
            signing: EncodingKey::from_secret(secret),
            checking: vec![DecodingKey::from_secret(secret)],
            access: validation(Use::Access(SessionKind::Api)),
            console: validation(Use::Access(SessionKind::Console)),
            refresh: validation(Use::Refresh),
            form: validation(Use::Form),
            device: validation(Use::Device),
        }
    }

    /// Accepts tokens that were signed with these secrets, too, while one replaces another.
    pub fn accepting(mut self, secrets: &[Vec<u8>]) -> Self {
        self.checking.extend(secrets.iter().map(|secret| DecodingKey::from_secret(secret)));
        self
    }

    /// A hash of these parts that nobody can compute or try without the secret.
    pub fn fingerprint(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = self.fingerprints.clone();
        for part in parts {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into_bytes().into()
    }

    /// Makes a token for the `session` of `user`.
    ///
    /// # Errors
    /// `internal_error` when signing fails, which HMAC never does.
    pub fn issue(
        &self,
        use_: Use,
        user: Id,
        session: Id,
        generation: i64,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<String, Error> {
        let claims = Claims {
            iss: ISSUER.into(),
            aud: use_.audience().into(),
            sub: user,
            sid: session,
            generation,
            iat: now.seconds(),
            exp: until.seconds(),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing).map_err(Error::internal)
    }

    /// Checks a token and returns its content.
    ///
    /// # Errors
    /// `token_expired`, or `invalid_token` for anything else that is wrong with it.
    pub fn check(&self, use_: Use, token: &str, now: Timestamp) -> Result<Claims, Error> {
        let rules = match use_ {
            Use::Access(SessionKind::Api) => &self.access,
            Use::Access(SessionKind::Console) => &self.console,
            Use::Refresh => &self.refresh,
            Use::Form => &self.form,
            Use::Device => &self.device,
        };
        let checked = self.checking.iter().find_map(|key| decode::<Claims>(token, key, rules).ok());
        let claims = checked.ok_or_else(|| Error::new(ErrorCode::InvalidToken))?.claims;
        // By our own clock and without leeway: the machines that sign also check.
        if claims.exp <= now.seconds() {
            return Err(Error::new(ErrorCode::TokenExpired));
        }
        Ok(claims)
    }
}

fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret).expect("HMAC takes keys of any length")
}

fn validation(use_: Use) -> Validation {
    // Only one algorithm: neither `none` nor a public key used as a secret is accepted.
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[use_.audience()]);
    // The library accepts a missing claim unless it is required.
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.validate_exp = false;
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_fingerprint_needs_the_secret_and_tells_parts_apart() {
        let keys = |secret: &[u8]| Keys::new(secret);
        let one = keys(b"0123456789abcdef0123456789abcdef");
        let print = one.fingerprint(&[b"POST", b"/a", b"b"]);
        assert_eq!(print, keys(b"0123456789abcdef0123456789abcdef").fingerprint(&[b"POST", b"/a", b"b"]));
        assert_ne!(print, one.fingerprint(&[b"POST", b"/ab", b""]));
        assert_ne!(print, keys(b"another secret of thirty-two byte").fingerprint(&[b"POST", b"/a", b"b"]));
    }

    #[test]
    fn a_token_is_good_for_its_use_until_its_end() {
        let keys = Keys::new(b"0123456789abcdef0123456789abcdef");
        let (api, console) = (Use::Access(SessionKind::Api), Use::Access(SessionKind::Console));
        let token = keys.issue(api, new_id(), new_id(), 0, at(100), at(200)).unwrap();
        assert!(keys.check(api, &token, at(199)).is_ok());
        let code = |use_, now| keys.check(use_, &token, at(now)).unwrap_err().code;
        assert_eq!(code(api, 200), ErrorCode::TokenExpired);
        assert_eq!(code(Use::Refresh, 150), ErrorCode::InvalidToken);
        assert_eq!(code(console, 150), ErrorCode::InvalidToken);
        let other = Keys::new(b"another secret of thirty-two byte");
        assert_eq!(other.check(api, &token, at(150)).unwrap_err().code, ErrorCode::InvalidToken);
    }

    #[test]
    fn a_token_of_an_accepted_secret_is_good_and_new_ones_are_signed_with_the_first() {
        let api = Use::Access(SessionKind::Api);
        let [old, new] = [b"0123456789abcdef0123456789abcdef", b"another secret of thirty-two byt"];
        let token = |keys: &Keys| keys.issue(api, new_id(), new_id(), 0, at(100), at(200)).unwrap();
        let rolling = Keys::new(new).accepting(&[old.to_vec()]);
        for signed in [token(&Keys::new(old)), token(&Keys::new(new)), token(&rolling)] {
            assert!(rolling.check(api, &signed, at(150)).is_ok());
        }
        assert!(Keys::new(new).check(api, &token(&rolling), at(150)).is_ok());
        assert!(Keys::new(old).check(api, &token(&rolling), at(150)).is_err());
    }
}
