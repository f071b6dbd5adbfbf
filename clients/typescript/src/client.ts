import createClient from "openapi-fetch";
import type { Client } from "openapi-fetch";
import type { paths } from "./schema.js";
import { Collection } from "./collection.js";
import type { CollectionPath, Item, ListQuery } from "./collection.js";
import { follow } from "./live.js";
import type { Frame, LiveOptions } from "./live.js";
import { DEFAULT_POLICY } from "./policy.js";
import type { RetryPolicy } from "./policy.js";
import { Session } from "./session.js";
import type { Tokens } from "./session.js";
import { Transport } from "./transport.js";
import type { TokenSource } from "./transport.js";

/** How a client reaches the server. */
export interface KizunaOptions {
  /** `https://crm.example.com`. */
  baseUrl: string;
  /** An access token or an API key, or what gives one. */
  token?: string | TokenSource;
  /** Differences from [`DEFAULT_POLICY`]. */
  policy?: Partial<RetryPolicy>;
  /** The language of problems: `ja` or `en`. */
  language?: string;
  /** Another `fetch`. */
  fetch?: typeof fetch;
}

/** A client of the Kizuna API. */
export class Kizuna {
  /** Every operation of `/openapi.json`, by its path: `api.GET("/api/reports/metrics", …)`. */
  readonly api: Client<paths>;
  readonly customers: Collection<"/api/customers">;
  readonly meetings: Collection<"/api/meetings">;
  readonly tasks: Collection<"/api/tasks">;
  readonly deals: Collection<"/api/deals">;
  readonly approvals: Collection<"/api/approvals">;
  readonly users: Collection<"/api/auth/users">;
  readonly #transport: Transport;
  readonly #base: string;

  constructor(options: KizunaOptions) {
    const { token, policy, language } = options;
    this.#base = options.baseUrl.replace(/\/+$/, "");
    this.#transport = new Transport({
      token: typeof token === "function" ? token : async () => token,
      policy: { ...DEFAULT_POLICY, ...policy },
      language,
      // A browser's `fetch` wants to be called as the window's.
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    });
    this.api = createClient<paths>({ baseUrl: this.#base, fetch: this.#transport.send });
    this.customers = this.#collection("/api/customers");
    this.meetings = this.#collection("/api/meetings");
    this.tasks = this.#collection("/api/tasks");
    this.deals = this.#collection("/api/deals");
    this.approvals = this.#collection("/api/approvals");
    this.users = this.#collection("/api/auth/users");
  }

  /**
   * Signs in; the tokens are renewed by themselves until `logout`.
   *
   * @throws KizunaProblem `invalid_credentials`, `too_many_attempts`.
   */
  static async login(options: Omit<KizunaOptions, "token">, email: string, password: string): Promise<Kizuna> {
    const nobody = new Kizuna(options);
    const post = async (path: string, body: object): Promise<Tokens> => {
      const headers = { "content-type": "application/json" };
      const answer = await nobody.#transport.send(`${nobody.#base}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      return (await answer.json()) as Tokens;
    };
    const tokens = await post("/api/auth/login", { email, password });
    const session = new Session(tokens, (refresh_token) => post("/api/auth/refresh", { refresh_token }));
    return new Kizuna({ ...options, token: session.token });
  }

  /** Ends the session; live feeds end with it. */
  async logout(): Promise<void> {
    await this.#transport.send(`${this.#base}/api/auth/logout`, { method: "POST" });
  }

  /** The live feed: one's notifications, and the events of the topics. It resumes by its cursor. */
  live(options: LiveOptions = {}): AsyncGenerator<Frame, void, undefined> {
    return follow(this.#transport, this.#base, options);
  }

  #collection<Path extends CollectionPath>(path: Path): Collection<Path> {
    return new Collection(this.#transport, this.#base, path);
  }
}

/** The customers of a server, the first page: what the seed's consumer contract calls. */
export async function getCustomers(
  baseUrl: string,
  options: Omit<KizunaOptions, "baseUrl"> & { query?: ListQuery<"/api/customers"> } = {},
): Promise<Item<"/api/customers">[]> {
  const { query, ...rest } = options;
  const page = await new Kizuna({ baseUrl, ...rest }).customers.list(query);
  return page.items;
}
