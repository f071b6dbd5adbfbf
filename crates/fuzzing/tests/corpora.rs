//! Gives every kept input to its target, and some bytes that are no input of anything.

use std::fs;
use std::path::{Path, PathBuf};

use kizuna_fuzzing::{PLANTED, TARGETS, Target};

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora")
}

/// The kept inputs of a target, by their names.
fn inputs(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = corpora().join(target.name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let input = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("an entry of a folder").path();
        (path.display().to_string(), fs::read(&path).expect("a readable file"))
    };
    entries.map(input).collect()
}

#[test]
fn every_kept_input_is_parsed_as_promised() {
    for target in TARGETS {
        let inputs = inputs(target);
        assert!(!inputs.is_empty(), "{} has no input", target.name);
        for (name, input) in inputs {
            println!("{name}");
            assert!(input.len() <= target.bytes_max, "{name} is longer than what is searched");
            target.run(&input);
        }
    }
}

#[test]
fn bytes_that_mean_nothing_break_no_target() {
    for target in TARGETS {
        for input in [&b""[..], b"\n", b"\0", b"\xff\xfe\xfd", b"{}", "絆\n絆".as_bytes(), &[b'9'; 64]] {
            target.run(input);
        }
    }
}

#[test]
fn every_folder_of_inputs_belongs_to_a_target() {
    for entry in fs::read_dir(corpora()).expect("a folder") {
        let name = entry.expect("an entry of a folder").file_name();
        let is_known = TARGETS.iter().any(|target| *target.name == *name) || name == "words";
        assert!(is_known, "{name:?} is no target's");
    }
}

#[test]
fn the_planted_fault_shows_with_its_input_only() {
    for harmless in [&b""[..], b"kzn_", b"kzn_\x01a"] {
        PLANTED.run(harmless);
    }
    assert!(std::panic::catch_unwind(|| PLANTED.run(b"kzn_\x02a")).is_err());
}
