//! A form is carried out once, however often it is sent: it carries a key, as a request of the API may
//! (`Idempotency-Key`, SPEC §2).

use std::borrow::Cow;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::actors::first_answers::{FirstAnswer, Turn};
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::idempotency::fingerprint;
use crate::http::state::Gateway;
use kernel::context::{Context, IdempotencyClaim};
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// How long a form waits for the same form, which is being carried out on this node.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it looks meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Runs the command of a form, unless the same form with the same fields has been carried out already; answers with the
/// id of the record that it made or changed. Who goes back to a form and changes it means another record. A form without
/// a key is carried out each time.
///
/// # Errors
/// `request_in_flight`, or the command's own.
pub async fn once<F>(me: &SessionUser, posted: &Fields, run: impl FnOnce(Context) -> F) -> Result<Id, Error>
where
    F: Future<Output = Result<Id, Error>>,
{
    let context = me.context(posted.version());
    let Some(key) = posted.key() else { return run(context).await };
    let fingerprint = fingerprint(&me.gateway, &me.request, &digest(posted));
    let claim = IdempotencyClaim {
        // No key of the API has a blank.
        id: format!("{}/form {key} {fingerprint}", me.caller().user_id),
        fingerprint,
        status: 303,
        location: Some(Cow::Borrowed("")),
    };
    let turn = turn(&me.gateway, claim).await?;
    if let Some(first) = turn.find().await? {
        return replayed(&turn, &first);
    }
    let context = Context { claim: Some(turn.claim.clone()), ..context };
    match run(context).await {
        // Another node may have been faster, and this one refused because of what that one did.
        Err(error) => match turn.find().await {
            Ok(Some(first)) => replayed(&turn, &first),
            Ok(None) | Err(_) => Err(error),
        },
        done => done,
    }
}

/// Waits for its turn: a button that is pressed twice sends the second form while the first is under way.
async fn turn(gateway: &Gateway, claim: IdempotencyClaim) -> Result<Turn<'_>, Error> {
    let until = Instant::now() + PATIENCE;
    loop {
        match gateway.first_answers.take(claim.clone()) {
            Err(error) if error.code == ErrorCode::RequestInFlight && Instant::now() < until => {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            turn => return turn,
        }
    }
}

fn replayed(turn: &Turn<'_>, first: &FirstAnswer) -> Result<Id, Error> {
    turn.check(first)?;
    let id = first.location.as_deref().and_then(|location| Id::parse(location.trim_start_matches('/')));
    id.ok_or_else(|| Error::internal("the first answer to a form names no record"))
}

/// A hash of what the form says: without its tokens and its secrets.
fn digest(posted: &Fields) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (name, value) in posted.said() {
        for text in [name, value] {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        }
    }
    hash.finalize().into()
}
