import { EventSourceParserStream } from "eventsource-parser/stream";
import type { components } from "./schema.js";
import { KizunaProblem } from "./problem.js";
import { backoff, delay, isPassing } from "./policy.js";
import type { Transport } from "./transport.js";

/** What a feed may tell besides one's notifications. */
export type Topic = "customers" | "meetings" | "tasks" | "approvals" | "deals" | "sagas";

/** What the server sends (SPEC §6, `/asyncapi.json`). */
export type Frame =
  | { type: "hello"; user_id: string; cursor: string }
  | { type: "notification"; cursor: string; notification: components["schemas"]["NotificationView"] }
  | { type: "notification_state"; id: string; read_at: string | null; archived_at: string | null; unread: number | null }
  | { type: "event"; cursor: string; event: components["schemas"]["CloudEvent"] }
  /** The cursor is unknown or too old: read everything again. */
  | { type: "reset"; cursor: string };

/** Which feed. */
export interface LiveOptions {
  topics?: Topic[];
  /** The cursor of the last frame that was handled: the feed goes on after it. */
  cursor?: string;
  signal?: AbortSignal;
}

/** The server writes at least every 20 s; a connection that is silent for longer than two of these is dead. Milliseconds. */
const SILENCE_MAX = 60_000;

/**
 * The live feed, for ever: it comes back by its cursor when the connection breaks, so that nothing is missed and nothing comes
 * twice. It ends when the signal aborts.
 *
 * @throws KizunaProblem when coming back would not help: the session has ended, or a parameter is wrong.
 */
export async function* follow(transport: Transport, base: string, options: LiveOptions = {}): AsyncGenerator<Frame, void, undefined> {
  let { cursor } = options;
  let failures = 0;
  while (!options.signal?.aborted) {
    try {
      for await (const [id, frame] of frames(transport, base, cursor, options)) {
        cursor = id || cursor;
        failures = 0;
        yield frame;
      }
    } catch (error) {
      if (options.signal?.aborted) {
        return;
      }
      if (error instanceof KizunaProblem && !isPassing(error.status, error.code) && error.status < 500) {
        throw error;
      }
    }
    await delay(backoff(failures, Math.random()), options.signal);
    failures += 1;
  }
}

/** The frames of one connection, each with its cursor. */
async function* frames(transport: Transport, base: string, cursor: string | undefined, options: LiveOptions): AsyncGenerator<[string | undefined, Frame]> {
  const silence = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, silence.signal]) : silence.signal;
  const topics = options.topics?.length ? `?topics=${options.topics.join(",")}` : "";
  const headers = { accept: "text/event-stream", ...(cursor !== undefined && { "last-event-id": cursor }) };
  const answer = await transport.open(`${base}/api/stream${topics}`, { headers, signal });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new Error("the server is silent")), SILENCE_MAX);
  };
  const watch = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, on) {
      heard();
      on.enqueue(bytes);
    },
  });
  heard();
  const text = answer.body?.pipeThrough(watch).pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>);
  const reader = text?.pipeThrough(new EventSourceParserStream()).getReader();
  try {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
      const frame = JSON.parse(next.value.data) as Frame | { type: "error" };
      if (frame.type === "error") {
        // The token has ended. With a new one the feed goes on; without, the next connection is refused.
        return;
      }
      yield [next.value.id, frame];
    }
  } finally {
    clearTimeout(timer);
    await reader?.cancel().catch(() => {});
  }
}
