//! The tokens of a signed-in client, and their rotation.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::records::Tokens;

/// How long before its end an access token is renewed, so that none runs out on its way.
const AHEAD: Duration = Duration::from_secs(10);

/// What proves who the client is. Shared by its copies: a rotated refresh token is good for one of them only.
#[derive(Debug)]
pub(crate) struct Session(Mutex<State>);

#[derive(Debug)]
pub(crate) struct State {
    pub access_token: String,
    /// None for a token that was given to the client: it can't be renewed.
    pub refresh_token: Option<String>,
    renew_at: Option<Instant>,
}

impl State {
    /// What a login or a refresh gave, at this time.
    pub fn of(tokens: &Tokens, now: Instant) -> Self {
        let lasts = Duration::from_secs(tokens.expires_in);
        // A token of a few seconds is used for half of them.
        let renew_after = lasts.saturating_sub(AHEAD).max(lasts / 2);
        Self {
            access_token: tokens.access_token.clone(),
            refresh_token: Some(tokens.refresh_token.clone()),
            renew_at: Some(now + renew_after),
        }
    }

    /// A token from elsewhere.
    pub fn given(access_token: String) -> Self {
        Self { access_token, refresh_token: None, renew_at: None }
    }

    /// Whether to renew before use: it is about to run out, or it is the one that was refused.
    pub fn is_due(&self, now: Instant, refused: Option<&str>) -> bool {
        self.refresh_token.is_some()
            && (refused == Some(&self.access_token) || self.renew_at.is_some_and(|at| now >= at))
    }
}

impl Session {
    pub fn new(state: State) -> Self {
        Self(Mutex::new(state))
    }

    /// The tokens, held against everybody else: who renews them keeps the others waiting.
    pub async fn lock(&self) -> tokio::sync::MutexGuard<'_, State> {
        self.0.lock().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(expires_in: u64, now: Instant) -> State {
        let user = serde_json::json!({"id": uuid::Uuid::nil(), "name": "n", "role": "SALES"});
        let tokens = serde_json::json!({
            "access_token": "a", "refresh_token": "r", "expires_in": expires_in, "user": user,
        });
        State::of(&serde_json::from_value(tokens).unwrap(), now)
    }

    #[test]
    fn a_token_is_renewed_shortly_before_its_end_or_when_it_was_refused() {
        let now = Instant::now();
        let state = state(900, now);
        assert!(!state.is_due(now + Duration::from_secs(889), None));
        assert!(state.is_due(now + Duration::from_secs(890), None));
        assert!(state.is_due(now, Some("a")));
        assert!(!state.is_due(now, Some("the one before")), "another call has renewed it already");
    }

    #[test]
    fn a_short_token_is_not_renewed_at_every_call() {
        let now = Instant::now();
        let state = state(4, now);
        assert!(!state.is_due(now + Duration::from_secs(1), None));
        assert!(state.is_due(now + Duration::from_secs(2), None));
    }

    #[test]
    fn a_given_token_is_never_renewed() {
        let state = State::given("a".into());
        assert!(!state.is_due(Instant::now() + Duration::from_secs(3600), Some("a")));
    }
}
