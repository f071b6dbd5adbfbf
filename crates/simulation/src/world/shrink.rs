//! Makes a failing world smaller: without what it does not take to fail.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::world::plan::Plan;
use crate::world::run::run;

/// What is left out of a plan: faults and requests by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Without {
    faults: BTreeSet<usize>,
    requests: BTreeSet<usize>,
}

impl Without {
    /// The plan without them.
    pub fn of(&self, plan: &Plan) -> Plan {
        let mut less = plan.clone();
        less.faults = kept(&plan.faults, &self.faults);
        // The places of the others stay: they are their names.
        for place in &self.requests {
            if let Some(request) = less.requests.get_mut(*place) {
                request.is_left_out = true;
            }
        }
        less
    }

    /// With one part more.
    fn and(&self, part: Part) -> Self {
        let mut more = self.clone();
        match part {
            Part::Fault(place) => more.faults.insert(place),
            Part::Request(place) => more.requests.insert(place),
        };
        more
    }
}

fn kept<T: Clone>(all: &[T], without: &BTreeSet<usize>) -> Vec<T> {
    all.iter().enumerate().filter(|(place, _)| !without.contains(place)).map(|(_, one)| one.clone()).collect()
}

#[derive(Clone, Copy)]
enum Part {
    Fault(usize),
    Request(usize),
}

impl fmt::Display for Without {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = self.faults.iter().map(|place| format!("f{place}"));
        let requests = self.requests.iter().map(|place| format!("r{place}"));
        f.write_str(&faults.chain(requests).collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Without {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut without = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (kind, place) = part.split_at(1);
            let place = place.parse().map_err(|_| format!("--without: {part} is neither f<N> nor r<N>"))?;
            match kind {
                "f" => without.faults.insert(place),
                "r" => without.requests.insert(place),
                _ => return Err(format!("--without: {part} is neither f<N> nor r<N>")),
            };
        }
        Ok(without)
    }
}

/// The smallest plan that was found to break the same promise, and what it leaves out.
pub fn shrink(plan: &Plan, invariant: &str) -> (Plan, Without) {
    let fails = |without: &Without| {
        run(&without.of(plan)).violation.is_some_and(|violation| violation.invariant == invariant)
    };
    let faults = (0..plan.faults.len()).map(Part::Fault);
    // The last ones first: what comes after the failure is not needed.
    let requests = (0..plan.requests.len()).rev().map(Part::Request);
    let mut without = Without::default();
    for part in faults.chain(requests) {
        let less = without.and(part);
        if fails(&less) {
            without = less;
        }
    }
    (without.of(plan), without)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_read_as_it_is_written() {
        let without = Without::default().and(Part::Fault(2)).and(Part::Request(11)).and(Part::Fault(0));
        assert_eq!(without.to_string(), "f0,f2,r11");
        assert_eq!("f0,f2,r11".parse(), Ok(without));
        assert!("x1".parse::<Without>().is_err() && "f".parse::<Without>().is_err());
    }
}
