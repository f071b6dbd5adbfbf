//! A receiver of traces that speaks OTLP: over HTTP as protobuf, or over gRPC. It decodes what comes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Request, Response};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
pub use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The method of gRPC that takes spans.
const METHOD: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// gRPC puts a flag and the length before each message.
const PREFIX: usize = 5;

/// A span that was received, with ids as hexadecimal texts.
#[derive(Clone, Debug)]
pub struct ReceivedSpan {
    pub name: String,
    pub trace_id: String,
    pub span_id: String,
    /// Empty for the first span of a trace.
    pub parent_id: String,
    pub kind: SpanKind,
    /// The traces that it links to.
    pub links: Vec<String>,
    pub attributes: HashMap<String, String>,
    /// What the spans of its process have in common.
    pub resource: HashMap<String, String>,
    pub has_failed: bool,
    /// From and to, in nanoseconds since 1970.
    pub began: u64,
    pub ended: u64,
}

impl ReceivedSpan {
    /// `request`, `message`, `call`, `commit`, `effect` or `delivery`.
    pub fn work(&self) -> &str {
        self.attribute("kizuna.work")
    }

    /// An attribute; empty if it has none of this name.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

type Spans = Arc<Mutex<Vec<ReceivedSpan>>>;

/// A receiver on a port of this machine.
pub struct OtlpReceiver {
    address: SocketAddr,
    spans: Spans,
}

impl OtlpReceiver {
    /// Receives `POST /v1/traces`.
    pub async fn http() -> Self {
        Self::start(false).await
    }

    /// Receives calls of gRPC.
    pub async fn grpc() -> Self {
        Self::start(true).await
    }

    async fn start(is_grpc: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let spans = Spans::default();
        let received = spans.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let spans = received.clone();
                // A connection that breaks is the sender's business.
                tokio::spawn(async move {
                    if is_grpc {
                        serve_grpc(connection, spans).await
                    } else {
                        serve_http(connection, &spans).await
                    }
                });
            }
        });
        Self { address, spans }
    }

    /// What a server is given as `--otlp-endpoint`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was received so far.
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        self.spans.lock().expect("no panic under this lock").clone()
    }

    /// The spans of a trace, in the order of their beginnings.
    pub fn trace(&self, trace_id: &str) -> Vec<ReceivedSpan> {
        let mut spans: Vec<_> = self.spans().into_iter().filter(|span| span.trace_id == trace_id).collect();
        spans.sort_by_key(|span| span.began);
        spans
    }
}

/// Answers the requests of a connection, one after another. `None` when the connection ends or is no HTTP.
async fn serve_http(mut connection: TcpStream, spans: &Spans) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let head_end = loop {
            if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
                break end + 4;
            }
            (connection.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
        };
        let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?.to_lowercase();
        let length: usize =
            head.lines().find_map(|line| line.strip_prefix("content-length:"))?.trim().parse().ok()?;
        while bytes.len() < head_end + length {
            (connection.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
        }
        let body: Vec<u8> = bytes.drain(..head_end + length).skip(head_end).collect();
        let is_right = head.starts_with("post /v1/traces http/1.1\r\n")
            && head.contains("content-type: application/x-protobuf");
        let status = if is_right && keep(&body, spans) { "200 OK" } else { "400 Bad Request" };
        let answer = ExportTraceServiceResponse::default().encode_to_vec();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        connection.write_all(head.as_bytes()).await.ok()?;
        connection.write_all(&answer).await.ok()?;
    }
}

/// Answers the calls of a connection. `None` when it is no HTTP/2.
async fn serve_grpc(connection: TcpStream, spans: Spans) -> Option<()> {
    let mut connection = h2::server::handshake(connection).await.ok()?;
    // Waiting for the next call is what moves the frames of the others.
    while let Some(Ok((call, respond))) = connection.accept().await {
        let spans = spans.clone();
        tokio::spawn(async move { answer_grpc(call, respond, &spans).await });
    }
    Some(())
}

async fn answer_grpc(
    call: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    spans: &Spans,
) -> Option<()> {
    let is_right = call.uri().path() == METHOD
        && call.headers().get("content-type").is_some_and(|kind| kind == "application/grpc");
    let message = read_message(call).await?;
    let is_right = is_right && keep(&message, spans);
    let head = Response::builder().header("content-type", "application/grpc").body(()).ok()?;
    let mut body = respond.send_response(head, false).ok()?;
    let answer = ExportTraceServiceResponse::default().encode_to_vec();
    let mut frame = vec![0];
    frame.extend((answer.len() as u32).to_be_bytes());
    frame.extend(answer);
    body.send_data(frame.into(), false).ok()?;
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(if is_right { "0" } else { "3" }));
    body.send_trailers(trailers).ok()
}

/// The one message of a call.
async fn read_message(request: Request<RecvStream>) -> Option<Vec<u8>> {
    let mut body = request.into_body();
    let mut bytes = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.ok()?;
        body.flow_control().release_capacity(chunk.len()).ok()?;
        bytes.extend_from_slice(&chunk);
    }
    let length: [u8; 4] = bytes.get(1..PREFIX)?.try_into().ok()?;
    let is_whole = bytes[0] == 0 && bytes.len() == PREFIX + u32::from_be_bytes(length) as usize;
    is_whole.then(|| bytes.split_off(PREFIX))
}

/// Decodes a message and keeps its spans; false if it is no such message.
fn keep(message: &[u8], spans: &Spans) -> bool {
    let Ok(message) = ExportTraceServiceRequest::decode(message) else { return false };
    let mut kept = spans.lock().expect("no panic under this lock");
    for of_resource in message.resource_spans {
        let resource = texts(of_resource.resource.map(|resource| resource.attributes).unwrap_or_default());
        let scopes = of_resource.scope_spans.into_iter();
        kept.extend(scopes.flat_map(|scope| scope.spans).map(|span| received(span, &resource)));
    }
    true
}

fn received(span: Span, resource: &HashMap<String, String>) -> ReceivedSpan {
    ReceivedSpan {
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent_id: hex(&span.parent_span_id),
        kind: span.kind(),
        links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
        has_failed: span.status.is_some_and(|status| status.code == 2),
        name: span.name,
        attributes: texts(span.attributes),
        resource: resource.clone(),
        began: span.start_time_unix_nano,
        ended: span.end_time_unix_nano,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(attributes: Vec<KeyValue>) -> HashMap<String, String> {
    let text = |value: Option<AnyValue>| match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.into_iter().map(|attribute| (attribute.key, text(attribute.value))).collect()
}
