//! How many passwords can be verified: Argon2id with the crate's defaults, one thread a core.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use crate::samples::Samples;

const PASSWORD: &[u8] = b"correct horse battery staple";

/// Verifies one password on every core for `length`.
pub fn measure(length: Duration) -> Result<String> {
    let stored = Argon2::default().hash_password(PASSWORD)?.to_string();
    let started = Instant::now();
    let deadline = started + length;
    let mut samples = Samples::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..thread::available_parallelism()?.get())
            .map(|_| scope.spawn(|| verify_until(deadline, &stored)))
            .collect();
        for thread in threads {
            samples.merge(thread.join().map_err(|_| anyhow!("a thread panicked"))??);
        }
        anyhow::Ok(())
    })?;
    Ok(samples.report(started.elapsed()))
}

/// Parses the stored hash each time, as a login does.
fn verify_until(deadline: Instant, stored: &str) -> Result<Samples> {
    Samples::collect(deadline, || {
        let hash = PasswordHash::new(stored)?;
        Argon2::default().verify_password(PASSWORD, &hash)?;
        Ok(())
    })
}
