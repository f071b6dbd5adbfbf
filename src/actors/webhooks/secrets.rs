//! The secrets that sign what is sent to a webhook. They are stored encrypted; while the server's secret is replaced, they are
//! encrypted again.

use rand::Rng;

use crate::persistence::webhooks::{OldSecret, SealedSecrets};
use domain::webhook::schedule::OLD_SECRET_VALID;
use domain::webhook::signature::{SECRET_BYTES, Secret};
use kernel::clock::Timestamp;
use kernel::ids::Id;
use store::vault::Vault;

/// The most secrets that are kept beside the present one: of more rotations within a day, the oldest secrets are dropped.
const PREVIOUS_MAX: usize = 4;

/// The secrets of a webhook, each with the time until which it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningSecrets(Vec<(Secret, Option<Timestamp>)>);

impl SigningSecrets {
    /// Those that sign at `now`, the present one first.
    pub fn at(&self, now: Timestamp) -> Vec<Secret> {
        let signing = self.0.iter().filter(|(_, until)| until.is_none_or(|until| now < until));
        signing.map(|(secret, _)| secret.clone()).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "secrets are the one thing that must not be reproducible")]
fn random() -> Secret {
    let mut random = [0; SECRET_BYTES];
    rand::rng().fill_bytes(&mut random);
    Secret::of(random)
}

/// The first secret of a webhook, and its row.
pub fn first(vault: &Vault, webhook: Id) -> (Secret, SealedSecrets) {
    let secret = random();
    let current = vault.seal(webhook, &secret.text());
    (secret, SealedSecrets { id: webhook, version: 1, current, previous: Vec::new() })
}

/// A new secret beside those before it, and the row with them all.
pub fn rotated(vault: &Vault, before: &SealedSecrets, now: Timestamp) -> (Secret, SealedSecrets) {
    let secret = random();
    let replaced = OldSecret { sealed: before.current.clone(), until: now.plus(OLD_SECRET_VALID) };
    let valid = before.previous.iter().filter(|old| now < old.until).cloned();
    let previous = [replaced].into_iter().chain(valid).take(PREVIOUS_MAX).collect();
    let current = vault.seal(before.id, &secret.text());
    (secret, SealedSecrets { id: before.id, version: before.version + 1, current, previous })
}

/// The secrets of a row; `None` if the present one was encrypted with a secret that this server does not have.
pub fn opened(vault: &Vault, sealed: &SealedSecrets) -> Option<SigningSecrets> {
    let open = |text: &str| Secret::parse(&vault.open(sealed.id, text)?.text);
    let current = open(&sealed.current)?;
    let previous = sealed.previous.iter().filter_map(|old| Some((open(&old.sealed)?, Some(old.until))));
    Some(SigningSecrets([(current, None)].into_iter().chain(previous).collect()))
}

/// The row encrypted anew, if an older secret of the server has encrypted a part of it.
pub fn sealed_again(vault: &Vault, sealed: &SealedSecrets) -> Option<SealedSecrets> {
    let anew = |text: &String| match vault.open(sealed.id, text) {
        Some(opened) if opened.is_old => (vault.seal(sealed.id, &opened.text), true),
        _ => (text.clone(), false),
    };
    let (current, mut is_changed) = anew(&sealed.current);
    let mut previous = Vec::with_capacity(sealed.previous.len());
    for old in &sealed.previous {
        let (text, is_anew) = anew(&old.sealed);
        is_changed |= is_anew;
        previous.push(OldSecret { sealed: text, until: old.until });
    }
    is_changed.then_some(SealedSecrets { id: sealed.id, version: sealed.version + 1, current, previous })
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
    fn a_replaced_secret_signs_for_a_day_more() {
        let (vault, now) = (vault(&["a"]), Timestamp::from_micros(0));
        let (old, row) = first(&vault, new_id());
        let (new, row) = rotated(&vault, &row, now);
        let secrets = opened(&vault, &row).expect("secrets that open");
        assert_eq!(secrets.at(now), [new.clone(), old]);
        assert_eq!(secrets.at(now.plus(OLD_SECRET_VALID)), std::slice::from_ref(&new));
        let (newest, row) = rotated(&vault, &row, now.plus(OLD_SECRET_VALID));
        let secrets = opened(&vault, &row).expect("secrets that open");
        assert_eq!(secrets.at(now.plus(OLD_SECRET_VALID)), [newest, new]);
        let (mut many, mut last) = (row, None);
        for _ in 0..10 {
            let (secret, row) = rotated(&vault, &many, now);
            (many, last) = (row, Some(secret));
        }
        let signing = opened(&vault, &many).expect("secrets that open").at(now);
        assert_eq!((signing.len(), signing.first()), (1 + PREVIOUS_MAX, last.as_ref()));
    }

    #[test]
    fn rows_are_encrypted_again_while_the_server_s_secret_is_replaced() {
        let (secret, row) = first(&vault(&["old"]), new_id());
        let (_, row) = rotated(&vault(&["old"]), &row, Timestamp::from_micros(0));
        assert_eq!(sealed_again(&vault(&["old"]), &row), None, "nothing is to be done");
        assert_eq!(opened(&vault(&["new"]), &row), None);
        let again = sealed_again(&vault(&["new", "old"]), &row).expect("a new row");
        let signing =
            opened(&vault(&["new"]), &again).expect("secrets that open").at(Timestamp::from_micros(0));
        assert_eq!((signing.len(), signing.last(), again.version), (2, Some(&secret), row.version + 1));
    }
}
