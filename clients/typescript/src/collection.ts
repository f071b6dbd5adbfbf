import type { paths } from "./schema.js";
import type { Transport } from "./transport.js";

/** The lists of the API whose records are made, read, changed and deleted alike. */
export type CollectionPath =
  | "/api/customers"
  | "/api/meetings"
  | "/api/tasks"
  | "/api/deals"
  | "/api/approvals"
  | "/api/auth/users";

type Json<Content> = Content extends { content: { "application/json": infer Value } } ? Value : never;
type Answer<Operation, Status extends number> = Operation extends { responses: Record<Status, infer Content> } ? Json<Content> : never;
type Query<Operation> = Operation extends { parameters: { query?: infer Value } } ? NonNullable<Value> : never;
type RequestBody<Operation> = Operation extends { requestBody: infer Content } ? Json<Content> : never;

/** A record of a list. */
export type Item<Path extends CollectionPath> = Answer<paths[Path]["get"], 200> extends (infer One)[] ? One : never;
/** The filters and the order of a list. */
export type ListQuery<Path extends CollectionPath> = Query<paths[Path]["get"]>;
/** What makes a record. */
export type NewItem<Path extends CollectionPath> = RequestBody<paths[Path]["post"]>;
/** What changes a record. */
export type Changes<Path extends CollectionPath> = `${Path}/{id}` extends keyof paths
  ? paths[`${Path}/{id}`] extends { patch: infer Operation } ? RequestBody<Operation> : never
  : never;

/** A page of a list. */
export interface Page<One> {
  items: One[];
  /** The number of all rows, if the query asked for it by `count`. */
  total: number | undefined;
  /** The address of the next page. */
  next: string | undefined;
}

/** A record as it is known: its version becomes `If-Match`, so that nobody's change is overwritten unseen. */
export type Known = { id: string; version: number };

/** More about a change. */
export interface ChangeOptions {
  /** Requests with one key take effect once, also from another process. Each request has a key of its own otherwise. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** A list of the API. */
export class Collection<Path extends CollectionPath> {
  constructor(
    private readonly transport: Transport,
    private readonly base: string,
    private readonly path: Path,
  ) {}

  /** A page. */
  async list(query: ListQuery<Path> = {} as ListQuery<Path>, signal?: AbortSignal): Promise<Page<Item<Path>>> {
    return this.#page(`${this.path}${search(query)}`, signal);
  }

  /** Every row that the query leaves, page after page. What is added or deleted meanwhile shifts nothing. */
  async *all(query: ListQuery<Path> = {} as ListQuery<Path>, signal?: AbortSignal): AsyncGenerator<Item<Path>, void, undefined> {
    let page = await this.list(query, signal);
    for (;;) {
      yield* page.items;
      if (page.next === undefined) {
        return;
      }
      page = await this.#page(page.next, signal);
    }
  }

  async get(id: string, signal?: AbortSignal): Promise<Item<Path>> {
    return this.#json("GET", `/${encodeURIComponent(id)}`, undefined, { ...(signal && { signal }) });
  }

  async create(record: NewItem<Path>, options: ChangeOptions = {}): Promise<Item<Path>> {
    return this.#json("POST", "", record, options);
  }

  /** Changes a record that nobody has changed since it was read: else the server refuses with 412 `stale_version`. */
  async update(known: Known, changes: Changes<Path>, options: ChangeOptions = {}): Promise<Item<Path>> {
    return this.#json("PATCH", `/${encodeURIComponent(known.id)}`, changes, options, known.version);
  }

  /** Deletes a record; what goes with it follows as a saga, if the answer names one. */
  async delete(known: Known, options: ChangeOptions = {}): Promise<{ id: string; saga?: { id: string; href: string } | null }> {
    return this.#json("DELETE", `/${encodeURIComponent(known.id)}`, undefined, options, known.version);
  }

  async #page(address: string, signal?: AbortSignal): Promise<Page<Item<Path>>> {
    const answer = await this.transport.send(`${this.base}${address}`, signal ? { signal } : {});
    const total = answer.headers.get("x-total-count");
    return {
      items: (await answer.json()) as Item<Path>[],
      total: total === null ? undefined : Number(total),
      next: nextOf(answer.headers.get("link")),
    };
  }

  async #json<Value>(method: string, rest: string, body: unknown, options: ChangeOptions, version?: number): Promise<Value> {
    const headers = new Headers();
    if (body !== undefined) {
      headers.set("content-type", "application/json");
    }
    if (version !== undefined) {
      headers.set("if-match", `"${version}"`);
    }
    if (options.idempotencyKey !== undefined) {
      headers.set("idempotency-key", options.idempotencyKey);
    }
    const answer = await this.transport.send(`${this.base}${this.path}${rest}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(options.signal && { signal: options.signal }),
    });
    return (await answer.json()) as Value;
  }
}

/** The query of an address; values that are not given are left out. */
function search(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}

/** The address with `rel="next"` of a `Link` header. */
export function nextOf(link: string | null): string | undefined {
  return /<([^>]*)>\s*;\s*rel="next"/.exec(link ?? "")?.[1];
}
