//! The actor that holds the breaker of one callee.

use std::time::Duration;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, MessageResult, StreamHandler};
use kernel::clock::{Clock, Timestamp};

use crate::breaker::machine::{Breaker, BreakerSettings, CallOutcome, Forced, State, Ticket};
use crate::breaker::reading::{BreakerReading, Event, Shared};
use crate::cluster::members::Hosts;
use crate::supervisor::{LivenessGuard, Tracked};

/// The actor that holds the breaker of one callee.
pub struct BreakerActor {
    shared: Shared,
    breaker: Breaker,
    clock: Clock,
    hosts: Hosts,
    _liveness: LivenessGuard,
}

impl BreakerActor {
    /// `hosts`: the hosts of the callee.
    pub fn new(
        shared: Shared,
        settings: BreakerSettings,
        clock: Clock,
        hosts: Hosts,
        liveness: LivenessGuard,
    ) -> Self {
        let mut breaker = Breaker::new(settings);
        breaker.force(shared.forced());
        Self { shared, breaker, clock, hosts, _liveness: liveness }
    }

    /// Changes the breaker; counts and logs a change of its state.
    fn change<T>(&mut self, change: impl FnOnce(&mut Breaker, Timestamp) -> T) -> T {
        let before = self.breaker.state();
        let answer = change(&mut self.breaker, self.clock.now());
        let after = self.breaker.state();
        if before != after {
            let breaker = &**self.shared.name();
            tracing::warn!(breaker, ?before, ?after, "a circuit breaker changed its state");
            self.shared.count(match after {
                State::Closed => Event::Close,
                State::Open { .. } => Event::Open,
                State::HalfOpen { .. } => Event::HalfOpen,
            });
        }
        answer
    }

    fn show(&self) {
        let is_open = match self.breaker.forced() {
            Some(forced) => forced == Forced::Open,
            None => matches!(self.breaker.state(), State::Open { .. }),
        };
        self.shared.show(is_open);
    }

    fn reading(&self) -> BreakerReading {
        let (shared, breaker, now) = (&self.shared, &self.breaker, self.clock.now());
        let (calls, failures) = breaker.window().counts(now);
        BreakerReading {
            name: shared.name().clone(),
            state: breaker.forced().map_or(breaker.state().into(), Into::into),
            forced: breaker.forced(),
            calls,
            failures,
            latency_ms: breaker.window().latencies(now),
            retry_at: breaker.retry_at(),
            under_way: shared.under_way(),
            capacity: shared.capacity(),
            counters: shared.counters(),
        }
    }
}

impl Actor for BreakerActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.show();
        ctx.add_stream(self.hosts.appearances());
    }
}

/// The callee has hosts again, all of them new.
impl StreamHandler<()> for BreakerActor {
    fn handle(&mut self, (): (), _: &mut Self::Context) {
        self.change(|breaker, _| breaker.host_appeared());
        self.show();
    }
}

/// Asks to make a call.
#[derive(Message)]
#[rtype(result = "Result<Permit, Duration>")]
pub(super) struct Admit;

/// A breaker's permission for one call. If it is dropped unused, because its caller gave up, it tells the breaker.
pub(super) struct Permit {
    ticket: Ticket,
    /// `None` after it was used.
    breaker: Option<Addr<BreakerActor>>,
}

impl Permit {
    /// The ticket, for the report of the call's outcome.
    pub fn used(mut self) -> Ticket {
        self.breaker = None;
        self.ticket
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(breaker) = self.breaker.take() {
            // A full mailbox takes none: then the breaker waits until the call would have timed out.
            let _ = breaker.try_send(Abandoned(self.ticket));
        }
    }
}

/// Says that a call's caller gave up.
#[derive(Message)]
#[rtype(result = "()")]
struct Abandoned(Ticket);

/// Says how a call ended.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Report {
    pub ticket: Ticket,
    pub outcome: CallOutcome,
    pub took: Duration,
}

/// Asks for the figures.
#[derive(Message)]
#[rtype(result = "BreakerReading")]
pub(super) struct Read;

/// Keeps the breaker in a state, or sets it free.
#[derive(Message)]
#[rtype(result = "BreakerReading")]
pub(super) struct Force(pub Option<Forced>);

impl Handler<Tracked<Admit>> for BreakerActor {
    type Result = MessageResult<Tracked<Admit>>;

    fn handle(&mut self, message: Tracked<Admit>, ctx: &mut Self::Context) -> Self::Result {
        let trace = message.trace().clone();
        let Admit = message.take();
        let admitted = trace.in_scope(|| self.change(Breaker::admit));
        MessageResult(admitted.map(|ticket| Permit { ticket, breaker: Some(ctx.address()) }))
    }
}

impl Handler<Abandoned> for BreakerActor {
    type Result = ();

    fn handle(&mut self, Abandoned(ticket): Abandoned, _: &mut Self::Context) {
        self.change(|breaker, now| breaker.abandon(ticket, now));
        self.show();
    }
}

impl Handler<Tracked<Report>> for BreakerActor {
    type Result = ();

    fn handle(&mut self, message: Tracked<Report>, _: &mut Self::Context) {
        let trace = message.trace().clone();
        let Report { ticket, outcome, took } = message.take();
        trace.in_scope(|| {
            self.change(|breaker, now| breaker.report(ticket, outcome, took, now));
            self.show();
        });
    }
}

impl Handler<Tracked<Read>> for BreakerActor {
    type Result = MessageResult<Tracked<Read>>;

    fn handle(&mut self, message: Tracked<Read>, _: &mut Self::Context) -> Self::Result {
        let Read = message.take();
        MessageResult(self.reading())
    }
}

impl Handler<Tracked<Force>> for BreakerActor {
    type Result = MessageResult<Tracked<Force>>;

    fn handle(&mut self, message: Tracked<Force>, _: &mut Self::Context) -> Self::Result {
        let trace = message.trace().clone();
        let Force(forced) = message.take();
        trace.in_scope(|| {
            self.shared.force(forced);
            self.change(|breaker, _| breaker.force(forced));
            self.show();
            tracing::warn!(breaker = &**self.shared.name(), ?forced, "an operator set a circuit breaker");
        });
        MessageResult(self.reading())
    }
}
