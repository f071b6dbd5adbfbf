//! Addresses of webhooks: none that is accepted leads where only this server can reach.

use domain::webhook::address::{AddressPolicy, address_of, is_public};
use domain::webhook::signature::Secret;

use crate::is_stable;

/// A URL, and a secret.
pub fn webhook_url(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for policy in [AddressPolicy { allow_private: false }, AddressPolicy { allow_private: true }] {
        match policy.check(text) {
            Ok(stored) => {
                assert_eq!(policy.check(stored.as_str()), Ok(stored.clone()), "{text} is stored as {stored}");
                let is_open = address_of(&stored).is_none_or(is_public);
                assert!(
                    policy.allow_private || (stored.scheme() == "https" && is_open),
                    "{text} is {stored}"
                );
                assert!(stored.username().is_empty() && stored.password().is_none(), "{stored}");
            }
            Err(code) => is_stable(code),
        }
    }
    if let Some(secret) = Secret::parse(text) {
        assert!(Secret::parse(&secret.text()) == Some(secret), "a secret is read from its own text");
    }
}
