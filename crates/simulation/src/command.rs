//! The command line of the simulation.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use kernel::simulation::choose_mutant;

use crate::figures;
use crate::mutants::MUTANTS;
use crate::world::plan::Plan;
use crate::world::run::{Outcome, plan_of, run};
use crate::world::shrink::{Without, shrink};

const USAGE: &str =
    "simulate [--seeds N | --minutes N | --seed S] [--from S] [--mutant NAME | --mutants] [--without LIST]

  --seeds N       so many seeds, one after another (default 1000)
  --minutes N     seeds for so many minutes
  --seed S        one seed; with --without, as the line of a failure says it
  --from S        the first seed
  --mutant NAME   with a safety part removed: must fail
  --mutants       every mutant: must be found within 1,000 seeds each; prints the table
  --nodes LIST    clusters of so many nodes, at least three each, for a table of figures: 3,16,100
  --threads N     so many worlds at once (default 1)";

/// What was asked for.
struct Wanted {
    from: u64,
    seeds: u64,
    until: Option<Instant>,
    single: bool,
    mutant: Option<String>,
    all_mutants: bool,
    without: Without,
    threads: u64,
    nodes: Vec<usize>,
}

/// Runs the command.
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let wanted = match parse(arguments) {
        Ok(wanted) => wanted,
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    let is_well = if !wanted.nodes.is_empty() {
        figures::table(&wanted.nodes)
    } else if wanted.all_mutants {
        mutants(&wanted)
    } else if wanted.single {
        single(&wanted)
    } else {
        many(&wanted)
    };
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        from: 0,
        seeds: 1_000,
        until: None,
        single: false,
        mutant: None,
        all_mutants: false,
        without: Without::default(),
        threads: 1,
        nodes: Vec::new(),
    };
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{flag}: a value is missing"));
        let number = |text: String| text.parse::<u64>().map_err(|_| format!("{flag}: {text} is no number"));
        match flag.as_str() {
            "--seeds" => wanted.seeds = number(value()?)?,
            "--minutes" => {
                let seconds = value()?.parse::<f64>().map_err(|_| format!("{flag}: no number"))? * 60.0;
                wanted.until = Some(Instant::now() + Duration::from_secs_f64(seconds));
                wanted.seeds = u64::MAX;
            }
            "--seed" => {
                wanted.from = number(value()?)?;
                wanted.single = true;
            }
            "--from" => wanted.from = number(value()?)?,
            "--mutant" => wanted.mutant = Some(value()?),
            "--mutants" => wanted.all_mutants = true,
            "--threads" => wanted.threads = number(value()?)?.max(1),
            "--nodes" => {
                let listed = value()?;
                let enough = |text: &str| text.parse().ok().filter(|nodes| *nodes >= 3);
                let nodes: Option<Vec<usize>> = listed.split(',').map(enough).collect();
                wanted.nodes =
                    nodes.ok_or_else(|| format!("{flag}: {listed} is no list of numbers from 3"))?;
            }
            "--without" => wanted.without = value()?.parse()?,
            _ => return Err(format!("unknown: {flag}")),
        }
    }
    Ok(wanted)
}

/// One seed, told in full.
fn single(wanted: &Wanted) -> bool {
    choose_mutant(wanted.mutant.as_deref());
    let plan = wanted.without.of(&plan_of(wanted.from));
    println!("{plan:#?}");
    let outcome = run(&Plan { is_told: true, ..plan.clone() });
    println!("{outcome:#?}");
    report(wanted, wanted.from, &plan, &outcome)
}

/// Prints what failed, with the line that repeats it.
fn report(wanted: &Wanted, seed: u64, plan: &Plan, outcome: &Outcome) -> bool {
    let Some(violation) = &outcome.violation else { return true };
    let mutant = wanted.mutant.as_ref().map_or_else(String::new, |name| format!(" --mutant {name}"));
    println!("FAILED: {}: {}", violation.invariant, violation.what);
    if !wanted.single {
        let small = shrink(plan, violation.invariant);
        let less = small.1.to_string();
        if !less.is_empty() {
            println!("smaller:  ./scripts/simulate --seed {seed}{mutant} --without {less}");
        }
    }
    println!("replay:   ./scripts/simulate --seed {seed}{mutant}");
    false
}

/// The first seed of this thread's share that fails, with how many ran.
fn search(wanted: &Wanted, share: u64) -> (u64, u64, Option<(u64, Plan, Outcome)>) {
    choose_mutant(wanted.mutant.as_deref());
    let (mut ran, mut commits) = (0, 0);
    let seeds = (wanted.from..wanted.from.saturating_add(wanted.seeds)).skip(share as usize);
    for seed in seeds.step_by(wanted.threads as usize) {
        if wanted.until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
        let plan = plan_of(seed);
        let outcome = run(&plan);
        ran += 1;
        commits += outcome.commits;
        if outcome.violation.is_some() {
            return (ran, commits, Some((seed, plan, outcome)));
        }
    }
    (ran, commits, None)
}

fn many(wanted: &Wanted) -> bool {
    let begun = Instant::now();
    let shares = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..wanted.threads).map(|share| scope.spawn(move || search(wanted, share))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a world that panics")).collect::<Vec<_>>()
    });
    let (ran, commits) =
        shares.iter().fold((0, 0), |(ran, commits), share| (ran + share.0, commits + share.1));
    let took = begun.elapsed().as_secs_f64();
    let speed = ran as f64 / took / wanted.threads as f64;
    println!("{ran} seeds, {commits} commits, {took:.1} s: {speed:.0} seeds a second and thread");
    choose_mutant(wanted.mutant.as_deref());
    let failed: Vec<_> = shares.into_iter().filter_map(|(_, _, failed)| failed).collect();
    for (seed, plan, outcome) in &failed {
        report(wanted, *seed, plan, outcome);
    }
    failed.is_empty()
}

/// Every mutant; prints which seed and which invariant found it.
fn mutants(wanted: &Wanted) -> bool {
    println!("| mutant | what it lacks | found at seed | by |");
    println!("|---|---|---|---|");
    let mut is_well = true;
    for (name, lacks) in MUTANTS {
        let wanted = Wanted {
            mutant: Some(name.to_owned()),
            without: Without::default(),
            nodes: Vec::new(),
            ..*wanted
        };
        let shares = std::thread::scope(|scope| {
            let search = |share| {
                let wanted = &wanted;
                scope.spawn(move || search(wanted, share))
            };
            let threads: Vec<_> = (0..wanted.threads).map(search).collect();
            threads.into_iter().map(|thread| thread.join().expect("a world that panics")).collect::<Vec<_>>()
        });
        let found = shares.into_iter().filter_map(|(_, _, failed)| failed).min_by_key(|(seed, ..)| *seed);
        match found.and_then(|(seed, _, outcome)| Some((seed, outcome.violation?))) {
            Some((seed, violation)) => println!("| `{name}` | {lacks} | {seed} | {} |", violation.invariant),
            None => {
                is_well = false;
                println!("| `{name}` | {lacks} | **not found** | |");
            }
        }
    }
    choose_mutant(None);
    is_well
}
