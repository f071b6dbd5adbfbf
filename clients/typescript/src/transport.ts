import { KizunaProblem, KizunaUnreachable } from "./problem.js";
import { delay, isPassing, isUnsent, takesKey, wait } from "./policy.js";
import type { RetryPolicy } from "./policy.js";

/** Gives the token for a request; asked again when a token was refused, with that token. */
export type TokenSource = (refused?: string) => Promise<string | undefined>;

/** How requests are sent. */
export interface TransportSettings {
  token: TokenSource;
  policy: RetryPolicy;
  language: string | undefined;
  fetch: typeof fetch;
}

const WITHOUT_BODY = [204, 205, 304];

/** Sends requests: with a token and a key, within a time, and again when that may help. */
export class Transport {
  readonly #settings: TransportSettings;

  constructor(settings: TransportSettings) {
    this.#settings = settings;
  }

  /**
   * A `fetch` whose answers are successes, read whole within the policy's time.
   *
   * @throws KizunaProblem when the server refused; KizunaUnreachable when no answer came; the signal's reason when it aborted.
   */
  readonly send = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = await this.#prepared(new Request(input, init));
    return this.#repeated(request, (attempt) => this.#whole(attempt));
  };

  /**
   * An answer whose body is read as it comes. Only its head must come within the policy's time, and it is asked for once.
   *
   * @throws as `send`.
   */
  async open(input: string, init: RequestInit): Promise<Response> {
    const request = await this.#prepared(new Request(input, init));
    return this.#signed(request, (attempt) => this.#head(attempt));
  }

  async #prepared(request: Request): Promise<Request> {
    const headers = new Headers(request.headers);
    if (takesKey(request.method, new URL(request.url).pathname) && !headers.has("idempotency-key")) {
      // The same for all sendings of this request.
      headers.set("idempotency-key", crypto.randomUUID());
    }
    if (this.#settings.language !== undefined && !headers.has("accept-language")) {
      headers.set("accept-language", this.#settings.language);
    }
    return new Request(request, { headers });
  }

  async #repeated(request: Request, once: (request: Request) => Promise<Response>): Promise<Response> {
    const { policy } = this.#settings;
    for (let retry = 0; ; retry += 1) {
      try {
        return await this.#signed(request.clone(), once);
      } catch (error) {
        request.signal.throwIfAborted();
        const after = error instanceof KizunaProblem ? error.retryAfter : undefined;
        const pause = isWorthAnotherTry(request, error) && retry < policy.retries ? wait(policy, retry, after, Math.random()) : undefined;
        if (pause === undefined) {
          throw error;
        }
        await delay(pause, request.signal);
        request.signal.throwIfAborted();
      }
    }
  }

  /** With a token; once more, with a new one, if the server says that it has ended. */
  async #signed(request: Request, once: (request: Request) => Promise<Response>): Promise<Response> {
    if (request.headers.has("authorization")) {
      return once(request);
    }
    const token = await this.#settings.token();
    try {
      return await once(withToken(request.clone(), token));
    } catch (error) {
      const isRefused = error instanceof KizunaProblem && error.status === 401 && token !== undefined;
      const other = isRefused ? await this.#settings.token(token) : undefined;
      if (other === undefined || other === token) {
        throw error;
      }
      return once(withToken(request, other));
    }
  }

  async #whole(request: Request): Promise<Response> {
    return this.#timed(request, async (signal) => {
      const answer = await this.#settings.fetch(request, { signal });
      const body = await answer.arrayBuffer();
      const { status, statusText, headers } = answer;
      return new Response(WITHOUT_BODY.includes(status) ? null : body, { status, statusText, headers });
    });
  }

  async #head(request: Request): Promise<Response> {
    return this.#timed(request, (signal) => this.#settings.fetch(request, { signal }));
  }

  async #timed(request: Request, ask: (signal: AbortSignal) => Promise<Response>): Promise<Response> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new Error("the time for an answer is over")), this.#settings.policy.timeout);
    let answer: Response;
    try {
      answer = await ask(AbortSignal.any([limit.signal, request.signal]));
    } catch (error) {
      request.signal.throwIfAborted();
      throw new KizunaUnreachable(request.url, error);
    } finally {
      clearTimeout(timer);
    }
    if (!answer.ok) {
      throw await KizunaProblem.of(answer);
    }
    return answer;
  }
}

/**
 * Whether to send a request again. A change without a key may have had its effect, and would be refused for that: its version is
 * another by now. So it is sent again only if it certainly had none.
 */
function isWorthAnotherTry(request: Request, error: unknown): boolean {
  const isRepeatable = request.method === "GET" || request.method === "HEAD" || request.headers.has("idempotency-key");
  if (error instanceof KizunaProblem) {
    return isRepeatable ? isPassing(error.status, error.code) : isUnsent(error.status, error.code);
  }
  return isRepeatable && error instanceof KizunaUnreachable;
}

function withToken(request: Request, token: string | undefined): Request {
  if (token !== undefined) {
    request.headers.set("authorization", `Bearer ${token}`);
  }
  return request;
}
