//! Which requests are sent again, and when. Pure.

use std::time::Duration;

use reqwest::StatusCode;

use crate::problem::Error;

/// How often, and for how long, a request is sent again.
///
/// The defaults are the seed's and SPEC §7's: 5 s for an answer, three times more within 5 s, exponentially spaced with
/// jitter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long one answer may take.
    pub timeout: Duration,
    /// How many times a request is sent again.
    pub retries: u32,
    /// From the first sending on: no waiting begins that would end later. A longer `Retry-After` is left to the caller.
    pub within: Duration,
    /// The longest wait before the first retry; it doubles with each.
    pub initial: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            retries: 3,
            within: Duration::from_secs(5),
            initial: Duration::from_millis(200),
        }
    }
}

impl RetryPolicy {
    /// A policy that sends everything once.
    pub fn never() -> Self {
        Self { retries: 0, ..Self::default() }
    }

    /// How long to wait before retry number `retry` (from 0): what the server asked for, else between half and all of
    /// the spacing, as `draw` (0 to 1) decides.
    pub(crate) fn wait(&self, retry: u32, retry_after: Option<Duration>, draw: f64) -> Duration {
        let spacing = self.initial.saturating_mul(2_u32.saturating_pow(retry));
        retry_after.unwrap_or_else(|| spacing.mul_f64(0.5 + draw.clamp(0.0, 1.0) / 2.0))
    }
}

/// Whether a request that may have taken effect may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It takes effect once however often it is sent: a reading, or under an `Idempotency-Key`.
    Always,
    /// Only if it has certainly had no effect.
    IfUnsent,
}

/// Whether to send a request again after this error.
pub(crate) fn worth_another_try(error: &Error, repeat: Repeat) -> bool {
    match error {
        Error::Transport(error) if error.is_connect() => true,
        Error::Transport(error) => repeat == Repeat::Always && !error.is_builder(),
        Error::Problem(problem) => match (problem.status, problem.code.as_str()) {
            (429, _) => true,
            // Its first sending is still at work: the answer is there soon.
            (409, "request_in_flight") => true,
            (503, _) => repeat == Repeat::Always,
            _ => false,
        },
        Error::Unexpected { status, .. } => {
            let passing =
                [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
            repeat == Repeat::Always && passing.contains(status)
        }
        Error::Unreadable(_) | Error::Address(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, code: &str) -> Error {
        let body = serde_json::json!({
            "type": "", "title": "", "status": status, "detail": "", "instance": "", "code": code,
        });
        Error::of(StatusCode::from_u16(status).unwrap(), body.to_string().as_bytes(), None)
    }

    #[test]
    fn what_may_have_taken_effect_is_sent_again_only_if_that_is_harmless() {
        for (status, code, always, if_unsent) in [
            (503, "unavailable", true, false),
            (429, "too_many_attempts", true, true),
            (409, "request_in_flight", true, true),
            (409, "approval_not_pending", false, false),
            (500, "internal_error", false, false),
            (412, "stale_version", false, false),
        ] {
            let error = problem(status, code);
            assert_eq!(worth_another_try(&error, Repeat::Always), always, "{error}");
            assert_eq!(worth_another_try(&error, Repeat::IfUnsent), if_unsent, "{error}");
        }
    }

    #[test]
    fn the_pages_of_a_proxy_are_passing_errors_too() {
        let error = Error::of(StatusCode::BAD_GATEWAY, b"<html>", None);
        assert!(worth_another_try(&error, Repeat::Always));
        assert!(!worth_another_try(&error, Repeat::IfUnsent));
    }

    #[test]
    fn waits_double_with_jitter_unless_the_server_says_how_long() {
        let policy = RetryPolicy { initial: Duration::from_millis(100), ..RetryPolicy::default() };
        assert_eq!(policy.wait(0, None, 1.0), Duration::from_millis(100));
        assert_eq!(policy.wait(2, None, 1.0), Duration::from_millis(400));
        assert_eq!(policy.wait(2, None, 0.0), Duration::from_millis(200));
        assert_eq!(policy.wait(2, Some(Duration::from_secs(1)), 0.0), Duration::from_secs(1));
    }
}
