//! Sends spans by OTLP: a bounded queue, and one task that sends what is in it.
//!
//! A request only puts its spans into the queue. When the receiver is slow or away, the queue fills and further spans are
//! dropped and counted; nothing waits for it.

use std::env;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context as _;
use opentelemetry::trace::{
    Link, SpanContext as OtelContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue, Value as OtelValue};
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};
use runtime::sampling::Sampler;
use runtime::spans::{self, Collector, EndedSpan, Kind, SpanContext, Value};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Spans that wait to be sent; further ones are dropped.
const QUEUE: usize = 8_192;
/// The most spans of one message to the receiver.
const BATCH: usize = 512;
/// How long spans wait for others.
const SEND_EVERY: Duration = Duration::from_secs(1);
/// How long the receiver may take for a batch, with all tries.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// How long a node that stops goes on sending what is in the queue.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);
/// At most one line of the log in this time says that the receiver fails.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Where and which spans are sent.
pub struct OtlpSettings<'a> {
    /// The URL that is called.
    pub url: &'a str,
    /// By gRPC; otherwise as protobuf over HTTP.
    pub is_grpc: bool,
    pub sampler: Sampler,
    /// The node's name, if it has one.
    pub node: Option<&'a str>,
}

/// The sending of spans; [`Traces::stop`] ends it.
pub struct Traces {
    stop: oneshot::Sender<()>,
    sending: JoinHandle<()>,
}

/// Starts to make spans and to send them.
///
/// # Errors
/// When the exporter can't be made of the settings and of OpenTelemetry's own variables.
pub fn start(settings: &OtlpSettings<'_>, runtime: &Handle) -> anyhow::Result<Traces> {
    crate::telemetry::metrics();
    // The exporter's connections are tasks of the runtime that outlives every actor.
    let _runtime = runtime.enter();
    let mut exporter = exporter(settings).context("--otlp-endpoint")?;
    exporter.set_resource(&resource(settings.node));
    let (queue, spans) = mpsc::channel(QUEUE);
    let (stop, stopped) = oneshot::channel();
    for reason in ["queue_full", "export_failed"] {
        dropped(reason, 0);
    }
    let sending = runtime.spawn(Sender { exporter, complained: None }.run(spans, stopped));
    if !spans::collect(Queue { spans: queue, sampler: settings.sampler }) {
        tracing::warn!("spans are sent to another receiver already");
    }
    tracing::info!(grpc = settings.is_grpc, "sending spans by OTLP");
    Ok(Traces { stop, sending })
}

impl Traces {
    /// Sends what is in the queue, for at most three seconds.
    pub async fn stop(self) {
        // The task may have ended.
        let _ = self.stop.send(());
        if tokio::time::timeout(FLUSH_WITHIN, self.sending).await.is_err() {
            tracing::warn!("the receiver of spans is too slow: the last spans are lost");
        }
    }
}

fn exporter(settings: &OtlpSettings<'_>) -> anyhow::Result<SpanExporter> {
    let builder = SpanExporter::builder();
    if !settings.is_grpc {
        let http = builder.with_http().with_http_client(http_client(settings.url)?);
        return Ok(http.with_endpoint(settings.url).with_timeout(SEND_WITHIN).build()?);
    }
    let grpc = builder.with_tonic().with_endpoint(settings.url).with_timeout(SEND_WITHIN);
    Ok(if settings.url.starts_with("https:") {
        grpc.with_tls_config(ClientTlsConfig::new().with_native_roots()).build()?
    } else {
        grpc.build()?
    })
}

fn http_client(url: &str) -> reqwest::Result<reqwest::Client> {
    let client = reqwest::Client::builder().timeout(SEND_WITHIN).redirect(reqwest::redirect::Policy::none());
    // Plain HTTP: a container may have no authorities to load.
    if url.starts_with("https:") { client.build() } else { client.tls_certs_only([]).build() }
}

/// What all spans of this process have in common. `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` add to it.
fn resource(node: Option<&str>) -> Resource {
    let mut attributes = vec![KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
    attributes.extend(node.map(|node| KeyValue::new("service.instance.id", node.to_owned())));
    let resource = Resource::builder().with_attributes(attributes);
    match env::var_os("OTEL_SERVICE_NAME") {
        Some(name) if !name.is_empty() => resource.build(),
        _ => resource.with_service_name("kizuna").build(),
    }
}

fn dropped(reason: &'static str, count: u64) {
    metrics::counter!("kizuna_otlp_spans_dropped_total", "reason" => reason).increment(count);
}

/// The queue's end of the requests.
struct Queue {
    spans: mpsc::Sender<EndedSpan>,
    sampler: Sampler,
}

impl Collector for Queue {
    fn samples(&self, parent: Option<SpanContext>, trace_id: u128) -> bool {
        self.sampler.samples(parent, trace_id)
    }

    fn ended(&self, span: EndedSpan) {
        if self.spans.try_send(span).is_err() {
            dropped("queue_full", 1);
        }
    }
}

/// The queue's end of the receiver.
struct Sender {
    exporter: SpanExporter,
    complained: Option<Instant>,
}

impl Sender {
    async fn run(mut self, mut spans: mpsc::Receiver<EndedSpan>, mut stopped: oneshot::Receiver<()>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut is_stopping = false;
        while !is_stopping {
            let pause = tokio::time::sleep(SEND_EVERY);
            tokio::pin!(pause);
            while batch.len() < BATCH {
                let left = BATCH - batch.len();
                tokio::select! {
                    _ = &mut stopped => {
                        is_stopping = true;
                        break;
                    }
                    () = &mut pause => break,
                    received = spans.recv_many(&mut batch, left) => {
                        if received == 0 {
                            is_stopping = true;
                            break;
                        }
                    }
                }
            }
            self.send(&mut batch).await;
        }
        while let Ok(span) = spans.try_recv() {
            batch.push(span);
            if batch.len() == BATCH {
                self.send(&mut batch).await;
            }
        }
        self.send(&mut batch).await;
    }

    async fn send(&mut self, batch: &mut Vec<EndedSpan>) {
        let count = batch.len() as u64;
        if count == 0 {
            return;
        }
        let spans = batch.drain(..).map(span_data).collect();
        // The exporter tries again by itself, within its timeout.
        match tokio::time::timeout(SEND_WITHIN, self.exporter.export(spans)).await {
            Ok(Ok(())) => metrics::counter!("kizuna_otlp_spans_sent_total").increment(count),
            Ok(Err(error)) => self.failed(count, &error),
            Err(late) => self.failed(count, &late),
        }
    }

    fn failed(&mut self, count: u64, error: &dyn std::fmt::Display) {
        dropped("export_failed", count);
        if self.complained.is_none_or(|last| last.elapsed() >= COMPLAIN_EVERY) {
            self.complained = Some(Instant::now());
            tracing::warn!(%error, spans = count, "can't send spans by OTLP: they are dropped");
        }
    }
}

/// A span in OpenTelemetry's terms.
fn span_data(span: EndedSpan) -> SpanData {
    let links: Vec<Link> =
        span.links.iter().map(|other| Link::new(context(*other, true), Vec::new(), 0)).collect();
    let mut span_links = SpanLinks::default();
    span_links.links = links;
    SpanData {
        span_context: context(span.context, false),
        parent_span_id: span.parent.map_or(SpanId::INVALID, |parent| SpanId::from(parent.span_id)),
        parent_span_is_remote: span.is_parent_remote,
        span_kind: match span.kind {
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Producer => SpanKind::Producer,
            Kind::Consumer => SpanKind::Consumer,
            Kind::Internal => SpanKind::Internal,
        },
        name: span.name,
        start_time: span.began,
        end_time: span.began.checked_add(span.took).unwrap_or(UNIX_EPOCH),
        attributes: span
            .attributes
            .into_iter()
            .map(|(name, value)| KeyValue::new(name, attribute(value)))
            .collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: span_links,
        status: if span.has_failed { Status::error("") } else { Status::Unset },
        instrumentation_scope: InstrumentationScope::builder("kizuna").build(),
    }
}

fn context(context: SpanContext, is_remote: bool) -> OtelContext {
    let flags = TraceFlags::default().with_sampled(context.is_sampled);
    let (trace, span) = (TraceId::from(context.trace_id), SpanId::from(context.span_id));
    OtelContext::new(trace, span, flags, is_remote, TraceState::NONE)
}

fn attribute(value: Value) -> OtelValue {
    match value {
        Value::Text(text) => OtelValue::from(text),
        Value::Number(number) => OtelValue::I64(number),
    }
}
