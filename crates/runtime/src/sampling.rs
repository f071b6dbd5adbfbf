//! Which traces are recorded, by OpenTelemetry's samplers.

use crate::spans::SpanContext;

/// Which traces are recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// Whether the decision of the request's caller counts, if there is one.
    follows_parent: bool,
    /// The share of the other traces, from 0 to 1.
    share: f64,
}

impl Sampler {
    /// Reads `OTEL_TRACES_SAMPLER` and its argument. Without them every trace is recorded whose caller does not say
    /// otherwise.
    ///
    /// # Errors
    /// One line that names the variable and what it may be.
    pub fn read(name: Option<&str>, argument: Option<&str>) -> Result<Self, String> {
        let name = name.unwrap_or("parentbased_always_on");
        let (follows_parent, root) = match name.strip_prefix("parentbased_") {
            Some(root) => (true, root),
            None => (false, name),
        };
        let share = match root {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => share(argument)?,
            _ => {
                return Err("OTEL_TRACES_SAMPLER: expected always_on, always_off or traceidratio, or one of them after \
                            parentbased_"
                    .to_owned());
            }
        };
        Ok(Self { follows_parent, share })
    }

    /// Whether this trace is recorded. The share goes by the trace's id, so that all services decide alike.
    pub fn samples(&self, parent: Option<SpanContext>, trace_id: u128) -> bool {
        match parent {
            Some(parent) if self.follows_parent => parent.is_sampled,
            // As the SDKs of OpenTelemetry do: the last 63 bits against the share of their range.
            _ => ((trace_id as u64) >> 1) < (self.share * (1_u64 << 63) as f64) as u64,
        }
    }
}

fn share(argument: Option<&str>) -> Result<f64, String> {
    let Some(argument) = argument else { return Ok(1.0) };
    let share = argument.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_s_decision_counts_unless_the_sampler_says_otherwise() {
        let parent = |is_sampled| Some(SpanContext { trace_id: 1, span_id: 1, is_sampled });
        let sampler =
            |name: &str, argument: Option<&str>| Sampler::read(Some(name), argument).expect("a sampler");
        let by_default = Sampler::read(None, None).expect("a sampler");
        for (sampler, parent, is_recorded) in [
            (by_default, None, true),
            (by_default, parent(false), false),
            (sampler("parentbased_always_off", None), parent(true), true),
            (sampler("parentbased_always_off", None), None, false),
            (sampler("always_on", None), parent(false), true),
            (sampler("always_off", None), parent(true), false),
        ] {
            assert_eq!(sampler.samples(parent, u128::MAX), is_recorded, "{sampler:?} {parent:?}");
        }
        let half = sampler("traceidratio", Some("0.5"));
        assert!(half.samples(None, u128::from(u64::MAX / 4)) && !half.samples(None, u128::MAX));
    }
}
