//! A node's way to Redis. On it commands are late, lost, or executed twice; what Redis has taken it may lose, too.

use std::io;
use std::sync::Arc;

use futures_util::FutureExt;
use redis::{Arg, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, Value};
use store::redis::COMMAND_TIMEOUT;
use tokio::time::{Instant, sleep};

use crate::chance;
use crate::process::Process;
use crate::redis::commands::{Words, execute, reading};
use crate::redis::server::Server;
use crate::weather::Weather;

/// A node's way to the server.
pub struct Way {
    server: Server,
    process: Process,
    weather: Weather,
}

fn io(kind: io::ErrorKind) -> RedisError {
    RedisError::from(io::Error::from(kind))
}

fn words(command: &Cmd) -> Words {
    let word = |arg: Arg<&[u8]>| match arg {
        Arg::Simple(bytes) => bytes.to_vec(),
        _ => Vec::new(),
    };
    command.args_iter().map(word).collect()
}

/// Bytes of an answer, without those that frame it.
fn size(answer: &Value) -> u64 {
    match answer {
        Value::Array(parts) => parts.iter().map(size).sum(),
        Value::BulkString(bytes) => bytes.len() as u64,
        _ => 0,
    }
}

impl Way {
    /// A node's way to this server.
    pub fn to(server: &Server, process: &Process, weather: &Weather) -> Arc<dyn store::simulated::Redis> {
        Arc::new(Self { server: server.clone(), process: process.clone(), weather: weather.clone() })
    }

    async fn there(&self) -> RedisResult<()> {
        self.process.awake().await;
        let delay = self.weather.message_delay();
        if delay > COMMAND_TIMEOUT {
            sleep(COMMAND_TIMEOUT).await;
            // Whether it comes after that is unknown.
            return Err(io(io::ErrorKind::TimedOut));
        }
        sleep(delay).await;
        self.process.awake().await;
        if self.server.state().is_away {
            return Err(RedisError::from((ErrorKind::Io, "Redis is away")));
        }
        Ok(())
    }

    async fn back(&self) -> RedisResult<()> {
        self.process.awake().await;
        if chance::happens(self.weather.get().lost_answers) {
            return Err(io(io::ErrorKind::BrokenPipe));
        }
        Ok(())
    }

    /// Executes a command, and counts what goes both ways.
    async fn run(&self, words: &Words) -> RedisResult<Value> {
        self.server.state().traffic.requests += 1;
        let answer = self.execute(words).await?;
        self.server.state().traffic.sent += size(&answer);
        Ok(answer)
    }

    async fn execute(&self, words: &Words) -> RedisResult<Value> {
        if let Some(reading) = reading(words) {
            let until = Instant::now() + reading.block.unwrap_or_default();
            let is_stale = chance::happens(self.weather.get().stale_reads);
            loop {
                let (is_away, answer) = {
                    let mut state = self.server.state();
                    (state.is_away, reading.answer(&mut state, is_stale))
                };
                let left = until.saturating_duration_since(Instant::now());
                match answer {
                    _ if is_away => return Err(io(io::ErrorKind::ConnectionReset)),
                    Some(answer) => return Ok(answer),
                    None if left.is_zero() => return Ok(Value::Nil),
                    None => self.server.until_added(left).await,
                }
                self.process.awake().await;
            }
        }
        let conditions = self.weather.get();
        let adds = words[0] == b"XADD";
        if adds && chance::happens(conditions.lost_messages) {
            // As after a failover to a replica that did not have it yet.
            return Ok(Value::BulkString(b"1-0".to_vec()));
        }
        let mut state = self.server.state();
        let answer = execute(&mut state, words);
        if adds && chance::happens(conditions.doubled_messages) {
            execute(&mut state, words);
        }
        drop(state);
        if adds {
            self.server.wake();
        }
        Ok(answer)
    }
}

impl store::simulated::Redis for Way {
    fn command<'a>(&'a self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        async move {
            self.there().await?;
            let answer = self.run(&words(command)).await?;
            self.back().await?;
            answer.extract_error()
        }
        .boxed()
    }

    fn pipeline<'a>(&'a self, pipeline: &'a Pipeline) -> RedisFuture<'a, Vec<Value>> {
        async move {
            self.there().await?;
            let mut answers = Vec::with_capacity(pipeline.len());
            for command in pipeline.cmd_iter() {
                answers.push(self.run(&words(command)).await?);
            }
            self.back().await?;
            Ok(if pipeline.is_transaction() { vec![Value::Array(answers)] } else { answers })
        }
        .boxed()
    }
}
