/** Which requests are sent again, and when. Times are in milliseconds. */
export interface RetryPolicy {
  /** How long one answer may take. */
  timeout: number;
  /** How many times a request is sent again. */
  retries: number;
  /** The longest wait before the first retry; it doubles with each. */
  initial: number;
  /** A longer `Retry-After` is left to the caller. */
  waitMax: number;
}

/** The seed's numbers: 5 s for an answer, and three times more, exponentially spaced with jitter. */
export const DEFAULT_POLICY: RetryPolicy = { timeout: 5_000, retries: 3, initial: 200, waitMax: 10_000 };

/**
 * How long to wait before retry number `retry` (from 0): what the server asked for, else between half and all of the
 * spacing, as `draw` (0 to 1) decides. `undefined` if that is longer than the policy waits.
 */
export function wait(policy: RetryPolicy, retry: number, retryAfter: number | undefined, draw: number): number | undefined {
  const spacing = policy.initial * 2 ** retry;
  const asked = retryAfter === undefined ? spacing * (0.5 + draw / 2) : retryAfter * 1_000;
  return asked <= policy.waitMax ? asked : undefined;
}

/** Whether an answer may be another one soon. */
export function isPassing(status: number, code: string | undefined): boolean {
  return status === 502 || status === 503 || status === 504 || isUnsent(status, code);
}

/** Whether a request was refused before it had an effect. The first sending of a request in flight is still at work. */
export function isUnsent(status: number, code: string | undefined): boolean {
  return status === 429 || code === "request_in_flight";
}

const WITHOUT_KEY = /\/api\/auth\/(login|refresh|logout|password)$/;
const DECISIONS = /\/(approve|reject|cancel|reassign|read|archive)$/;

/** Whether the server takes an `Idempotency-Key` for a request (SPEC §2): any POST of somebody signed in, any decision. */
export function takesKey(method: string, path: string): boolean {
  return method === "POST" ? !WITHOUT_KEY.test(path) : method === "PATCH" && DECISIONS.test(path);
}

/** The next wait of somebody who comes back for ever: half a second, doubling up to 30 s, with jitter. */
export function backoff(failures: number, draw: number): number {
  return Math.min(30_000, 500 * 2 ** Math.min(failures, 10)) * (0.5 + draw / 2);
}

/** Waits; ends early, without an error, when the signal aborts. */
export function delay(milliseconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });
}
