import type { components } from "./schema.js";

type Body = components["schemas"]["Problem"];

/** The server refused a request (RFC 9457). `code` is a stable word; `title` and `detail` are for people. */
export class KizunaProblem extends Error {
  override readonly name = "KizunaProblem";

  constructor(
    readonly status: number,
    /** What the server said; with a proxy's own error, only what the status says. */
    readonly body: Partial<Body> & Record<string, unknown>,
    /** Seconds to wait, if the server said so. */
    readonly retryAfter?: number,
    /** By which the server's logs name the request. */
    readonly requestId?: string,
  ) {
    super(`${status} ${body.code ?? ""}: ${body.detail ?? body.title ?? "no reason given"}`);
  }

  /** A stable snake_case word, such as `stale_version`; empty if the answer was not Kizuna's. */
  get code(): string {
    return this.body.code ?? "";
  }

  /** The faults of a 422, field by field. */
  get errors(): NonNullable<Body["errors"]> {
    return this.body.errors ?? [];
  }

  /** Reads the problem of an answer that is no success. */
  static async of(response: Response): Promise<KizunaProblem> {
    const text = await response.text().catch(() => "");
    let body: Record<string, unknown> = {};
    try {
      const parsed: unknown = JSON.parse(text);
      body = typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
    } catch {
      // The page of a proxy.
    }
    const after = Number(response.headers.get("retry-after") ?? Number.NaN);
    const requestId = response.headers.get("x-request-id") ?? undefined;
    return new KizunaProblem(response.status, body, Number.isFinite(after) ? after : undefined, requestId);
  }
}

/** No answer came: the network, or the time for an answer. */
export class KizunaUnreachable extends Error {
  override readonly name = "KizunaUnreachable";

  constructor(address: string, cause: unknown) {
    super(`no answer from ${address}`, { cause });
  }
}
