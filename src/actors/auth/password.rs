//! Passwords: argon2id, on threads of their own, one per core, so that sign-ins block no actor and use bounded memory.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::oneshot;

use domain::user::passwords::{HashCost, normalized};
use kernel::error::Error;

/// Sign-ins that may wait for a thread; more are refused, because each holds a connection.
const QUEUE: usize = 256;

fn hasher(cost: HashCost) -> Argon2<'static> {
    // What is out of argon2's range would be hashed at its defaults, which are OWASP's.
    let params = Params::new(cost.memory_kib, cost.passes, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The hash of a random password that was thrown away. It is verified if there is no user, so that an unknown address
/// takes as long as a wrong password.
fn decoy(HashCost { memory_kib, passes }: HashCost) -> String {
    format!(
        "$argon2id$v=19$m={memory_kib},t={passes},p=1$Q8y/CadE/TZjgGfCN5e4YQ$7JktFrR8j30ogLIbmYSsTTdY7dtchuvrHk0s6rP5nIk"
    )
}

type Job = Box<dyn FnOnce() + Send>;

/// Hashes and verifies; clones share the threads.
#[derive(Clone)]
pub struct Passwords {
    jobs: SyncSender<Job>,
    cost: HashCost,
}

impl Passwords {
    /// Starts the threads; they end with the last clone.
    ///
    /// # Errors
    /// When a thread can't be started.
    pub fn start(threads: usize, cost: HashCost) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel::<Job>(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads.max(1) {
            let queue = queue.clone();
            thread::Builder::new().name("kizuna-hash".into()).spawn(move || work(&queue))?;
        }
        Ok(Self { jobs, cost })
    }

    /// The hash to store for `password`.
    ///
    /// # Errors
    /// `overloaded`.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let hasher = hasher(self.cost);
        self.run(move || {
            let hash = hasher.hash_password(password.as_bytes());
            Ok(hash.map_err(Error::internal)?.to_string())
        })
        .await?
    }

    /// Whether `password` matches `hash`. Without a hash the answer is false and takes as long. Passwords are hashed in
    /// their composed form; those that were set before that was so match as they were typed.
    ///
    /// # Errors
    /// `overloaded`.
    pub async fn verify(&self, password: String, hash: Option<&str>) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.map_or_else(|| decoy(self.cost), str::to_owned);
        let same = self.run(move || {
            let hash = PasswordHash::new(&hash)
                .map_err(|error| Error::internal(format_args!("a stored hash is no hash: {error}")))?;
            let matches = |text: &str| Argon2::default().verify_password(text.as_bytes(), &hash).is_ok();
            let composed = normalized(&password);
            Ok::<_, Error>(matches(&composed) || (composed != password && matches(&password)))
        });
        Ok(same.await?? && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let (answer, done) = oneshot::channel();
        let job: Job = Box::new(move || {
            // The caller may have gone: then nobody needs the answer.
            let _ = answer.send(work());
        });
        self.jobs
            .try_send(job)
            .map_err(|_| Error::overloaded().with_cause("the queue of passwords to hash is full"))?;
        done.await.map_err(|_| Error::unavailable().with_cause("hashing a password panicked"))
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let Ok(queue) = queue.lock() else { return };
        let Ok(job) = queue.recv() else { return };
        drop(queue);
        job();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decoy_costs_what_a_real_hash_costs() {
        let cost = |hash: &str| hash.rsplitn(3, '$').last().map(str::to_owned);
        for hash_cost in [HashCost::OWASP, HashCost::TESTS] {
            let decoy = decoy(hash_cost);
            let real = hasher(hash_cost).hash_password(b"a real one").unwrap().to_string();
            assert_eq!(cost(&decoy), cost(&real));
            assert!(PasswordHash::new(&decoy).is_ok());
        }
    }

    #[test]
    fn a_server_hashes_as_owasp_says() {
        let hash = hasher(HashCost::default()).hash_password(b"a real one").unwrap().to_string();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }
}
