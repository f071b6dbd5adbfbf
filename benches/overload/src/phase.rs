//! A phase of load, and how its requests ended.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::connection::{Connection, Target};

/// How often requests become due; those of one tick are sent together.
const TICK: Duration = Duration::from_millis(1);
/// How long the connections may take to be opened before the sending begins.
const CONNECTED_WITHIN: Duration = Duration::from_secs(3);

/// How the requests of a phase ended.
#[derive(Default)]
pub struct Figures {
    /// The times until a 201.
    pub created: Vec<Duration>,
    /// The times until a 503.
    pub refused: Vec<Duration>,
    /// Other answers, and connections that broke.
    pub failed: usize,
    /// Requests for which no connection was free when they became due.
    pub not_sent: usize,
}

impl Figures {
    fn add(&mut self, status: anyhow::Result<u16>, took: Duration) {
        match status {
            Ok(201) => self.created.push(took),
            Ok(503) => self.refused.push(took),
            _ => self.failed += 1,
        }
    }

    fn join(&mut self, other: Self) {
        self.created.extend(other.created);
        self.refused.extend(other.refused);
        self.failed += other.failed;
        self.not_sent += other.not_sent;
    }
}

/// One connection and how its requests ended.
struct Client {
    target: Arc<Target>,
    connection: Connection,
    figures: Figures,
}

impl Client {
    async fn open(target: Arc<Target>) -> anyhow::Result<Self> {
        Ok(Self { connection: Connection::open(&target).await?, target, figures: Figures::default() })
    }

    /// Sends a request that was due at this time; a connection that breaks is opened again.
    async fn send(&mut self, due: Instant) -> anyhow::Result<()> {
        let status = self.connection.send(&self.target).await;
        let is_broken = status.is_err();
        self.figures.add(status, due.elapsed());
        if is_broken {
            self.connection = Connection::open(&self.target).await?;
        }
        Ok(())
    }
}

/// Sends as fast as `connections` are answered.
pub async fn closed(target: Arc<Target>, connections: usize, length: Duration) -> anyhow::Result<Figures> {
    let end = Instant::now() + length;
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let target = target.clone();
        clients.spawn(async move {
            let mut client = Client::open(target).await?;
            while Instant::now() < end {
                client.send(Instant::now()).await?;
            }
            anyhow::Ok(client.figures)
        });
    }
    sum(clients).await
}

/// Sends `rate` requests per second, each when it is due. Its time counts from then.
pub async fn open(
    target: Arc<Target>,
    rate: u32,
    connections: usize,
    length: Duration,
) -> anyhow::Result<Figures> {
    // A client that has ended a request waits here for the next.
    let (free, mut waiting) = mpsc::channel::<oneshot::Sender<Instant>>(connections);
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let (target, free) = (target.clone(), free.clone());
        clients.spawn(async move {
            let mut client = Client::open(target).await?;
            loop {
                let (due, next) = oneshot::channel();
                // The phase is over when nobody takes it, or drops it.
                if free.send(due).await.is_err() {
                    break;
                }
                let Ok(due) = next.await else { break };
                client.send(due).await?;
            }
            anyhow::Ok(client.figures)
        });
    }
    drop(free);
    // What is measured is the server, not how fast connections are opened.
    let begun = Instant::now();
    while waiting.len() < connections && begun.elapsed() < CONNECTED_WITHIN {
        tokio::time::sleep(TICK).await;
    }
    let not_sent = pace(&mut waiting, rate, length).await;
    // The clients that wait find their channel closed.
    waiting.close();
    while waiting.recv().await.is_some() {}
    let mut figures = sum(clients).await?;
    figures.not_sent += not_sent;
    Ok(figures)
}

async fn pace(waiting: &mut mpsc::Receiver<oneshot::Sender<Instant>>, rate: u32, length: Duration) -> usize {
    let begun = Instant::now();
    let (mut sent, mut not_sent) = (0_u64, 0);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while begun.elapsed() < length {
        ticks.tick().await;
        let due = (begun.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        while sent < due {
            sent += 1;
            match waiting.try_recv() {
                Ok(client) => drop(client.send(Instant::now())),
                Err(_) => not_sent += 1,
            }
        }
    }
    not_sent
}

async fn sum(mut clients: JoinSet<anyhow::Result<Figures>>) -> anyhow::Result<Figures> {
    let mut all = Figures::default();
    while let Some(figures) = clients.join_next().await {
        all.join(figures??);
    }
    Ok(all)
}
