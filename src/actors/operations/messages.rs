//! The messages of operations. All are for ADMIN (SPEC §1); MANAGER may read the audit log, too.

use kernel::event::EventType;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use domain::changes::FieldChange;
use domain::service_name::ServiceName;
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::cloud_event::CloudEvent;
use kernel::context::Context;
use kernel::error::Error;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use kernel::needs;
use kernel::page::PageRequest;
use kernel::validation::Rules;
use runtime::breaker::Forced;
use store::cursors::{Parked, ParkedStatus};
use store::leases::Member;
pub use store::log::AuditFilter;
use store::progress::Integrity;
pub use store::progress::LATEST_FIRST;

/// Whether the caller may operate the node: ADMIN.
///
/// # Errors
/// `forbidden`.
pub fn may_operate(caller: &Caller) -> Result<(), Error> {
    caller.require(&[Role::Admin])
}

/// Whether the caller may read the audit log: MANAGER and ADMIN.
///
/// # Errors
/// `forbidden`.
pub fn may_audit(caller: &Caller) -> Result<(), Error> {
    caller.require(&[Role::Manager, Role::Admin])
}

needs! {
    ReadAuditLog: caller [AuditRead];
    ReadEvent: caller [AuditRead];
    ReadChain: caller [AuditRead];
    ReadLag: caller [AdminRead];
    ReadActors: caller [AdminRead];
    ReadHistory: caller [AdminRead];
    ReadBreakers: caller [AdminRead];
    ReadConsumers: caller [AdminRead];
    ReadCluster: caller [AdminRead];
    ListDeadLetters: caller [AdminRead];
    CheckIntegrity: caller [AdminRead];
    ForceBreaker: context [AdminWrite];
    RedriveDeadLetter: context [AdminWrite];
}

/// The event log, newest first.
pub struct ReadAuditLog {
    pub caller: Caller,
    pub filter: AuditFilter,
    pub page: PageRequest,
}

/// An event of the log.
pub struct ReadEvent {
    pub caller: Caller,
    pub id: Id,
}

/// Why an event happened: it, the event that caused it, and so on.
pub struct ReadChain {
    pub caller: Caller,
    pub id: Id,
}

/// An event of the log, and what it changed of its record.
#[derive(Clone, Debug)]
pub struct EventReading {
    pub event: LoggedEvent,
    pub changes: Vec<FieldChange>,
}

/// An event of the log, and what it changed of its record.
#[derive(Serialize, ToSchema)]
pub struct EventView<'a> {
    pub event: CloudEvent<'a>,
    /// The record's fields before and after it; none of an event that carries no record.
    pub changes: &'a [FieldChange],
}

impl<'a> From<&'a EventReading> for EventView<'a> {
    fn from(EventReading { event, changes }: &'a EventReading) -> Self {
        Self { event: event.into(), changes }
    }
}

/// The name of the audit log's order in cursors.
pub const NEWEST_FIRST: &str = "-id";

/// How many events each consumer of the log has not taken yet, by its name. After the first that the database did
/// not answer there are no more.
pub struct ReadLag {
    pub caller: Caller,
}

/// Every actor of this node.
pub struct ReadActors {
    pub caller: Caller,
}

/// The last hour of this node.
pub struct ReadHistory {
    pub caller: Caller,
}

/// Every breaker of this node.
pub struct ReadBreakers {
    pub caller: Caller,
}

/// What an operator wants of a breaker.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakerOrder {
    pub force: Force,
}

impl Rules for BreakerOrder {}

/// The state in which a breaker is kept; `none` lets its calls decide again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    Open,
    Closed,
    None,
}

impl From<Force> for Option<Forced> {
    fn from(force: Force) -> Self {
        match force {
            Force::Open => Some(Forced::Open),
            Force::Closed => Some(Forced::Closed),
            Force::None => None,
        }
    }
}

/// Keeps a breaker of this node in a state.
pub struct ForceBreaker {
    pub context: Context,
    /// `breaker.customer`.
    pub name: String,
    pub order: BreakerOrder,
}

/// Every consumer and how far it is.
pub struct ReadConsumers {
    pub caller: Caller,
}

/// The progress of a consumer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConsumerReading {
    #[schema(example = "analytics.metrics")]
    pub name: &'static str,
    /// The event types that it reads.
    pub types: &'static [EventType],
    /// Events that took effect.
    pub applied: i64,
    /// Events that it has not read yet: its lag.
    pub pending: i64,
    /// Parked events that will be tried again.
    pub retrying: i64,
    /// Parked events that wait behind an earlier event of their aggregate.
    pub waiting: i64,
    /// Dead letters.
    pub dead: i64,
}

/// Dead letters, the latest first.
pub struct ListDeadLetters {
    pub caller: Caller,
    pub consumer: Option<String>,
    pub page: PageRequest,
}

/// Makes a dead letter due now.
pub struct RedriveDeadLetter {
    pub id: Id,
    pub context: Context,
}

/// A parked event with the event itself.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    pub parked: Parked,
    pub event: LoggedEvent,
}

/// A dead letter as operators see it.
#[derive(Serialize, ToSchema)]
pub struct DeadLetterView<'a> {
    pub id: Id,
    /// The consumer whose effect failed.
    #[schema(example = "analytics.metrics")]
    pub consumer: &'a str,
    pub event: CloudEvent<'a>,
    /// `dead`, until it is redriven.
    pub status: ParkedStatus,
    /// The error of the last attempt.
    pub error: &'a str,
    /// Retries that failed since it was parked or redriven.
    pub attempts: i64,
    pub parked_at: Timestamp,
}

impl<'a> From<&'a DeadLetter> for DeadLetterView<'a> {
    fn from(DeadLetter { parked, event }: &'a DeadLetter) -> Self {
        Self {
            id: parked.id,
            consumer: &parked.consumer,
            event: event.into(),
            status: parked.status,
            error: &parked.error,
            attempts: parked.attempts,
            parked_at: parked.parked_at,
        }
    }
}

/// Checks whether every event took effect exactly once and in order.
pub struct CheckIntegrity {
    pub caller: Caller,
}

/// The log and what became of its events (SPEC §8).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IntegrityReport {
    /// Events of the log.
    pub events: i64,
    pub consumers: Vec<ConsumerIntegrity>,
}

/// What became of the events of one consumer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConsumerIntegrity {
    #[schema(example = "analytics.metrics")]
    pub name: &'static str,
    #[serde(flatten)]
    pub integrity: Integrity,
}

/// The nodes, and the partitions they work on.
pub struct ReadCluster {
    pub caller: Caller,
}

/// The nodes, and the partitions they work on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ClusterReading {
    /// The living nodes, as the answering node knows them.
    pub nodes: Vec<NodeReading>,
    #[serde(rename = "slices")]
    pub partitions: Vec<PartitionReading>,
    pub consumers: Vec<ConsumerLag>,
    /// Whether the answering node reaches Redis; null outside a cluster.
    #[schema(required)]
    pub redis: Option<RedisState>,
}

/// Whether Redis answers. While it is away the node reads events of other nodes once a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RedisState {
    Connected,
    Away,
}

/// A live node.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NodeReading {
    pub id: String,
    /// The address of its API.
    #[schema(required, example = "127.0.0.1:8080")]
    pub address: Option<String>,
    /// The services it hosts.
    #[schema(value_type = Vec<ServiceName>)]
    pub services: Vec<String>,
    pub started_at: Timestamp,
    /// The version of its program.
    pub version: String,
    /// Whether it is the answering node.
    #[serde(rename = "self")]
    pub is_self: bool,
}

impl NodeReading {
    /// A member, as the process `me` shows it.
    pub fn new(member: &Member, me: Id) -> Self {
        Self {
            id: member.id.clone(),
            address: member.address.clone(),
            services: member.services.clone(),
            started_at: member.started_at,
            version: member.version.clone(),
            is_self: member.incarnation == me,
        }
    }
}

/// A partition of the event log.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SliceReading)]
pub struct PartitionReading {
    #[serde(rename = "slice")]
    pub partition: i64,
    /// The sequence number of its last event.
    pub last_seq: i64,
    /// The node that works on it, among those that host every service; null while no node has a lease.
    #[schema(required)]
    pub node: Option<String>,
}

/// How far a consumer lags behind the log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConsumerLag {
    #[schema(example = "analytics.metrics")]
    pub name: &'static str,
    /// Events that it has not read yet.
    pub pending: i64,
    /// The partitions that each node works on for it.
    pub nodes: BTreeMap<String, Vec<i64>>,
}
