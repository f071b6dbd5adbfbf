//! What an endpoint's answer means, and when the next try is. Pure.

use std::time::Duration;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::clock::Timestamp;

/// The most bytes of an answer that are read and kept.
pub const ANSWER_MAX: usize = 4 * 1024;
/// The longest `Retry-After` that is obeyed.
pub const HOLD_MAX: Duration = Duration::from_hours(1);
/// How long the secret before the present one is valid.
pub const OLD_SECRET_VALID: Duration = Duration::from_hours(24);
/// How long a delivery is kept after it has ended.
pub const DELIVERIES_KEPT: Duration = Duration::from_hours(24 * 7);

/// The waits after the retries that every outbound call has.
const SLOW: [Duration; 6] = [
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(6),
    Duration::from_hours(12),
    Duration::from_hours(24),
];

/// How long a delivery waits after so many failures: `quick` waits first, of which `of_quick` says how long each is, then the slow
/// ones. `None`: it is tried no more.
pub fn wait_after(failures: u32, quick: u32, of_quick: impl FnOnce(u32) -> Duration) -> Option<Duration> {
    let retry = failures.saturating_sub(1);
    if retry < quick { Some(of_quick(retry)) } else { SLOW.get((retry - quick) as usize).copied() }
}

/// Why a try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The answer was not 2xx.
    Status,
    /// The answer was a redirect, which is not followed.
    Redirect,
    /// No whole answer within 3 seconds.
    Timeout,
    /// The name has no address.
    Dns,
    /// The address is not of the public internet.
    PrivateAddress,
    /// No connection, or one that broke.
    Connection,
}

impl Failure {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::Timeout => "timeout",
            Self::Dns => "dns",
            Self::PrivateAddress => "private_address",
            Self::Connection => "connection",
        }
    }
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    Failed(Failure),
    /// 410: the endpoint wants no more.
    Gone,
}

impl Outcome {
    /// What an answer of this status means.
    pub fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Delivered,
            300..=399 => Self::Failed(Failure::Redirect),
            410 => Self::Gone,
            _ => Self::Failed(Failure::Status),
        }
    }

    pub fn failure(self) -> Option<Failure> {
        match self {
            Self::Delivered => None,
            Self::Failed(failure) => Some(failure),
            Self::Gone => Some(Failure::Status),
        }
    }
}

/// A try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub began_at: Timestamp,
    pub took: Duration,
    pub outcome: Outcome,
    pub signature: String,
    pub status: Option<u16>,
    /// The beginning of the answer's body.
    pub answer: Option<String>,
    /// The endpoint asked to be left alone for so long.
    pub hold: Option<Duration>,
}

impl Tried {
    /// Whether the endpoint, and not this one message, is at fault: circuit breakers go by this. An answer that refuses a message
    /// shows that the endpoint works; one that asks to wait is obeyed.
    pub fn is_endpoint_s_fault(&self) -> bool {
        match self.outcome {
            Outcome::Delivered | Outcome::Gone => false,
            Outcome::Failed(Failure::Status) => self.status.is_none_or(|status| status >= 500),
            Outcome::Failed(_) => true,
        }
    }
}

/// For how long an answer asks to be left alone: 429 and 503 may have a `Retry-After`, in seconds or as a date.
pub fn hold(status: u16, retry_after: Option<&str>, now: Timestamp) -> Option<Duration> {
    let text = retry_after.filter(|_| matches!(status, 429 | 503))?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => HOLD_MAX,
        Err(_) => {
            let date = DateTime::parse_from_rfc2822(text).ok()?;
            Timestamp::try_from(date.to_utc()).ok()?.since(now)
        }
    };
    Some(wait.min(HOLD_MAX))
}

/// The beginning of an answer as text that both databases can keep.
pub fn shown(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(ANSWER_MAX)]).replace('\0', "\u{fffd}");
    let end = (0..=text.len().min(ANSWER_MAX)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tries_go_on_for_two_days_and_end() {
        let of_quick = |n: u32| Duration::from_millis(100 << n);
        let waits: Vec<_> = (1..20).map_while(|failures| wait_after(failures, 8, of_quick)).collect();
        let millis: Vec<_> = waits.iter().map(Duration::as_millis).collect();
        assert_eq!(millis[..8], [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800]);
        let minutes: Vec<_> = waits[8..].iter().map(|wait| wait.as_secs() / 60).collect();
        assert_eq!(minutes, [5, 30, 120, 360, 720, 1_440]);
        assert_eq!(wait_after(15, 8, of_quick), None, "15 tries in all");
    }

    #[test]
    fn only_429_and_503_hold_and_an_hour_at_most() {
        let now = Timestamp::parse("2026-03-02T09:00:00Z").unwrap();
        let of = |status, text| hold(status, Some(text), now).map(|wait| wait.as_secs());
        assert_eq!(of(429, "7"), Some(7));
        assert_eq!(of(503, " 0 "), Some(0));
        assert_eq!(of(503, "86400"), Some(3_600));
        assert_eq!(of(503, "99999999999999999999999999"), Some(3_600));
        assert_eq!(of(429, "Mon, 02 Mar 2026 09:02:00 GMT"), Some(120));
        assert_eq!(of(429, "Mon, 02 Mar 2020 09:02:00 GMT"), Some(0), "in the past");
        for wrong in ["", "-1", "soon", "1.5"] {
            assert_eq!(of(429, wrong), None, "{wrong}");
        }
        assert_eq!(of(500, "7"), None);
        assert_eq!(hold(429, None, now), None);
    }

    #[test]
    fn an_answer_is_a_success_a_failure_or_a_farewell() {
        for (status, outcome) in [
            (200, Outcome::Delivered),
            (204, Outcome::Delivered),
            (299, Outcome::Delivered),
            (301, Outcome::Failed(Failure::Redirect)),
            (308, Outcome::Failed(Failure::Redirect)),
            (410, Outcome::Gone),
            (404, Outcome::Failed(Failure::Status)),
            (500, Outcome::Failed(Failure::Status)),
        ] {
            assert_eq!(Outcome::of(status), outcome, "{status}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_of_an_answer_is_bounded_and_has_no_nul(bytes in prop::collection::vec(any::<u8>(), 0..6_000)) {
            let text = shown(&bytes);
            prop_assert!(text.len() <= ANSWER_MAX && !text.contains('\0'));
        }
    }
}
