//! How long the consumers of a running server take to apply all that is committed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::probe;

const GAUGE: &str = "kizuna_consumer_lag_events{";
const POLL_EVERY: Duration = Duration::from_millis(10);

/// All must be at zero so many polls running: the series of one poll need not be of one instant.
const POLLS_AT_ZERO: u32 = 3;

/// Events committed but not applied yet, by consumer.
type Lags = BTreeMap<String, u64>;

/// Polls `/metrics` until every consumer's lag is 0; gives the seconds that took, the consumer that was last
/// (of several, the one furthest behind at first), and its lag at the first poll.
pub fn wait(addr: SocketAddr, timeout: Duration) -> Result<String> {
    let started = Instant::now();
    let at_first = read(addr)?;
    let mut behind = at_first.clone();
    let mut latest = at_first.clone();
    let mut drained_at = started.elapsed();
    let mut zeros = 0;
    loop {
        if latest.values().any(|lag| *lag > 0) {
            zeros = 0;
            behind = latest;
        } else {
            if zeros == 0 {
                drained_at = started.elapsed();
            }
            zeros += 1;
        }
        if zeros == POLLS_AT_ZERO {
            break;
        }
        if started.elapsed() > timeout {
            bail!("consumers are still behind after {timeout:?}: {behind:?}");
        }
        sleep(POLL_EVERY);
        latest = read(addr)?;
    }
    let (consumer, lag) = slowest(&at_first, &behind);
    Ok(format!("{:.3} {consumer} {lag}", drained_at.as_secs_f64()))
}

/// Of the consumers that were the last to be behind, the one furthest behind at first.
fn slowest<'a>(at_first: &Lags, last_behind: &'a Lags) -> (&'a str, u64) {
    last_behind
        .iter()
        .filter(|(_, lag)| **lag > 0)
        .map(|(consumer, _)| {
            let lag = at_first.get(consumer).copied().unwrap_or(0);
            (consumer.as_str(), lag)
        })
        .max_by_key(|(_, lag)| *lag)
        .unwrap_or(("none", 0))
}

fn read(addr: SocketAddr) -> Result<Lags> {
    let answer = probe::get(addr, "/metrics")?;
    if answer.status != 200 {
        bail!("/metrics answers {}", answer.status);
    }
    let lags = parse(&answer.body)?;
    if lags.is_empty() {
        bail!("/metrics has no kizuna_consumer_lag_events");
    }
    Ok(lags)
}

/// The gauge's lines, `kizuna_consumer_lag_events{…,consumer="sales",…} 12`; a consumer's series are added up.
fn parse(metrics: &str) -> Result<Lags> {
    let mut lags = Lags::new();
    for line in metrics.lines().filter(|line| line.starts_with(GAUGE)) {
        let (labels, value) = line.rsplit_once("} ").context("a series without a value")?;
        let consumer = labels
            .split_once("consumer=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(name, _)| name)
            .context("a series without a consumer")?;
        let value: f64 = value.trim().parse().context("a value that is no number")?;
        *lags.entry(consumer.to_owned()).or_default() += value as u64;
    }
    Ok(lags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lags(pairs: &[(&str, u64)]) -> Lags {
        pairs.iter().map(|(name, lag)| ((*name).to_owned(), *lag)).collect()
    }

    #[test]
    fn only_the_gauge_is_read_and_series_are_added_up() {
        let metrics = "# TYPE kizuna_consumer_lag_events gauge\n\
            kizuna_consumer_lag_events{consumer=\"sales\",slice=\"1\"} 2\n\
            kizuna_consumer_lag_events{slice=\"2\",consumer=\"sales\"} 3\n\
            kizuna_consumer_lag_events{consumer=\"audit\"} 0\n\
            kizuna_journal_units_total 5\n";
        assert_eq!(parse(metrics).unwrap(), lags(&[("sales", 5), ("audit", 0)]));
    }

    #[test]
    fn the_slowest_is_the_last_to_arrive_not_the_furthest_behind_at_first() {
        let at_first = lags(&[("sales", 90), ("audit", 7), ("metrics", 3)]);
        let last_behind = lags(&[("sales", 0), ("audit", 1), ("metrics", 2)]);
        assert_eq!(slowest(&at_first, &last_behind), ("audit", 7));
    }

    #[test]
    fn nobody_behind_is_said_so() {
        let all = lags(&[("sales", 0)]);
        assert_eq!(slowest(&all, &all), ("none", 0));
    }
}
