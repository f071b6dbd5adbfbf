//! Access and refresh tokens: JWT, HS256, told apart by their audience.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

const ISSUER: &str = "kizuna";

/// The purpose of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Access,
    Refresh,
    /// Proves that a form of the web console was made for this session.
    Form,
}

impl Use {
    fn audience(self) -> &'static str {
        match self {
            Self::Access => "kizuna-api",
            Self::Refresh => "kizuna-refresh",
            Self::Form => "kizuna-form",
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

/// Signs and checks tokens with one secret.
pub struct Keys {
    signing: EncodingKey,
    checking: DecodingKey,
    access: Validation,
    refresh: Validation,
    form: Validation,
}

impl Keys {
    pub fn new(secret: &[u8]) -> Self {
        Self {
            signing: EncodingKey::from_secret(secret),
            checking: DecodingKey::from_secret(secret),
            access: validation(Use::Access),
            refresh: validation(Use::Refresh),
            form: validation(Use::Form),
        }
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
            Use::Access => &self.access,
            Use::Refresh => &self.refresh,
            Use::Form => &self.form,
        };
        let claims: Claims =
            decode(token, &self.checking, rules).map_err(|_| Error::new(ErrorCode::InvalidToken))?.claims;
        // By our own clock and without leeway: the machines that sign also check.
        if claims.exp <= now.seconds() {
            return Err(Error::new(ErrorCode::TokenExpired));
        }
        Ok(claims)
    }
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
    fn a_token_is_good_for_its_use_until_its_end() {
        let keys = Keys::new(b"0123456789abcdef0123456789abcdef");
        let token = keys.issue(Use::Access, new_id(), new_id(), 0, at(100), at(200)).unwrap();
        assert!(keys.check(Use::Access, &token, at(199)).is_ok());
        let code = |use_, now| keys.check(use_, &token, at(now)).unwrap_err().code;
        assert_eq!(code(Use::Access, 200), ErrorCode::TokenExpired);
        assert_eq!(code(Use::Refresh, 150), ErrorCode::InvalidToken);
        let other = Keys::new(b"another secret of thirty-two byte");
        assert_eq!(other.check(Use::Access, &token, at(150)).unwrap_err().code, ErrorCode::InvalidToken);
    }
}
