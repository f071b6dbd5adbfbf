import { inject } from "vitest";
import { Kizuna, KizunaProblem, KizunaUnreachable } from "../src/index.js";
import { flaky } from "./flaky.js";
import type { Flaky } from "./flaky.js";
import { ADMIN } from "./server.js";

const url = inject("url");
const signIn = (baseUrl = url, policy = {}) => Kizuna.login({ baseUrl, policy }, ADMIN.email, ADMIN.password);

/** A client that need not sign in through a proxy. */
async function signedIn(baseUrl: string, policy = {}): Promise<Kizuna> {
  const { data } = await new Kizuna({ baseUrl: url }).api.POST("/api/auth/login", { body: ADMIN });
  return new Kizuna({ baseUrl, policy, token: data?.access_token ?? "" });
}

describe("records", () => {
  it("are made, read, changed and deleted, with their versions as conditions", async () => {
    const kizuna = await signIn();
    const made = await kizuna.customers.create({ name: "絆商事", email: "kizuna@example.com" });
    expect([made.version, made.status]).toEqual([1, "LEAD"]);
    const changed = await kizuna.customers.update(made, { status: "ACTIVE" });
    expect(await kizuna.customers.get(made.id)).toEqual(changed);
    const stale = await kizuna.customers.update(made, { name: "他" }).catch((error: unknown) => error);
    expect(stale).toBeInstanceOf(KizunaProblem);
    expect(stale).toMatchObject({ status: 412, code: "stale_version" });
    const deleted = await kizuna.customers.delete(changed);
    expect(deleted.saga?.href).toMatch(/^\/api\/sagas\//);
    await expect(kizuna.customers.get(made.id)).rejects.toMatchObject({ status: 404, code: "not_found" });
  });

  it("come page after page, each once", async () => {
    const kizuna = await signIn();
    const names = Array.from({ length: 7 }, (_, n) => `頁 ${n}`);
    for (const name of names) {
      await kizuna.customers.create({ name });
    }
    const first = await kizuna.customers.list({ q: "頁", limit: 3, count: true });
    expect([first.items.length, first.total, first.next === undefined]).toEqual([3, 7, false]);
    const read: string[] = [];
    for await (const customer of kizuna.customers.all({ q: "頁", limit: 3, sort: "name" })) {
      read.push(customer.name);
    }
    expect(read).toEqual(names);
  });

  it("that are wrong are refused field by field, in the language asked for", async () => {
    const kizuna = await Kizuna.login({ baseUrl: url, language: "ja" }, ADMIN.email, ADMIN.password);
    const refused = await kizuna.customers.create({ name: "" }).catch((error: unknown) => error as KizunaProblem);
    expect(refused).toMatchObject({ status: 422, code: "invalid_fields", errors: [{ field: "name" }] });
    expect((refused as KizunaProblem).body.title).toMatch(/[ぁ-ん]/);
    expect((refused as KizunaProblem).requestId).toMatch(/./);
  });
});

it("every operation of the document can be asked for by its path", async () => {
  const kizuna = await signIn();
  const { data } = await kizuna.api.GET("/api/auth/me");
  expect(data?.email).toBe(ADMIN.email);
  const { data: stats } = await kizuna.api.GET("/api/customers/stats");
  expect(stats).toHaveProperty("total");
});

describe("faults", () => {
  let proxy: Flaky;
  beforeEach(async () => {
    proxy = await flaky(url);
  });
  afterEach(() => proxy.close());

  it("that pass are not seen: a request is sent three times more", async () => {
    const kizuna = await signIn(proxy.url, { initial: 10 });
    proxy.fates.push({ status: 503 }, { status: 502 }, { status: 429, headers: { "retry-after": "0" } });
    const made = await kizuna.customers.create({ name: "三度目の正直" });
    expect(await kizuna.customers.get(made.id)).toEqual(made);
    proxy.fates.push(...Array.from({ length: 4 }, () => ({ status: 503 })));
    await expect(kizuna.customers.get(made.id)).rejects.toMatchObject({ status: 503 });
  });

  it("after a change took effect repeat nothing: all sendings have one key", async () => {
    const kizuna = await signIn(proxy.url, { initial: 10 });
    proxy.fates.push("lose");
    const made = await kizuna.customers.create({ name: "一度きり" });
    const keys = proxy.seen.slice(-2).map((request) => request.headers["idempotency-key"]);
    expect(keys[0]).toBe(keys[1]);
    const found = await kizuna.customers.list({ q: "一度きり" });
    expect(found.items.map((one) => one.id)).toEqual([made.id]);
  });

  it("after a change without a key took effect are told: sent again, it would meet its own version", async () => {
    const kizuna = await signedIn(proxy.url, { initial: 10 });
    const made = await kizuna.customers.create({ name: "変更前" });
    const before = proxy.seen.length;
    proxy.fates.push("lose");
    await expect(kizuna.customers.update(made, { name: "変更後" })).rejects.toBeInstanceOf(KizunaUnreachable);
    expect(proxy.seen.length - before).toBe(1);
    expect(await kizuna.customers.get(made.id)).toMatchObject({ version: 2, name: "変更後" });
    proxy.fates.push({ status: 429, headers: { "retry-after": "0" } });
    expect(await kizuna.customers.update({ ...made, version: 2 }, { name: "再変更" })).toMatchObject({ version: 3 });
  });

  it("after a decision took effect are not seen: a decision has a key", async () => {
    const kizuna = await signedIn(proxy.url, { initial: 10 });
    const customer = await kizuna.customers.create({ name: "申請先" });
    const { id } = await kizuna.approvals.create({ customer_id: customer.id, title: "値引き", amount: 1 });
    proxy.fates.push("lose");
    const { data } = await kizuna.api.PATCH("/api/approvals/{id}/cancel", { params: { path: { id } }, body: {} });
    expect(data?.status).toBe("CANCELLED");
  });

  it("during a renewal of tokens are told: a refresh token is good for one sending", async () => {
    const { data } = await (await signIn()).api.POST("/api/auth/login", { body: ADMIN });
    const kizuna = new Kizuna({ baseUrl: proxy.url, policy: { initial: 10 } });
    proxy.fates.push("lose");
    const body = { refresh_token: data?.refresh_token ?? "" };
    await expect(kizuna.api.POST("/api/auth/refresh", { body })).rejects.toBeInstanceOf(KizunaUnreachable);
    expect(proxy.seen).toHaveLength(1);
  });

  it("without an answer end in time", async () => {
    const hasty = await signedIn(proxy.url, { timeout: 200, retries: 1, initial: 10 });
    proxy.fates.push("hang", "hang");
    await expect(hasty.customers.list()).rejects.toBeInstanceOf(KizunaUnreachable);
    const patient = await signedIn(proxy.url, { timeout: 2_000, initial: 10 });
    proxy.fates.push("hang");
    expect((await patient.customers.list({ limit: 1 })).items).toHaveLength(1);
  });

  it("a signal ends a request and its retries", async () => {
    const kizuna = await signedIn(proxy.url);
    proxy.fates.push("hang");
    const stop = new AbortController();
    const list = expect(kizuna.customers.list({}, stop.signal)).rejects.toMatchObject({ name: "AbortError" });
    await vi.waitFor(() => expect(proxy.seen).toHaveLength(1));
    stop.abort();
    await list;
    expect(proxy.seen).toHaveLength(1);
  });

  it("a long Retry-After is left to the caller", async () => {
    const kizuna = await signIn(proxy.url);
    proxy.fates.push({ status: 429, headers: { "retry-after": "600" } });
    await expect(kizuna.customers.list()).rejects.toMatchObject({ status: 429, retryAfter: 600 });
  });
});

it("a token that was refused is renewed, once for all requests that wait", async () => {
  let current = "of yesterday";
  let renewals = 0;
  const good = await signIn();
  const { data } = await good.api.POST("/api/auth/login", { body: ADMIN });
  const kizuna = new Kizuna({
    baseUrl: url,
    token: async (refused) => {
      if (refused !== undefined) {
        renewals += 1;
        current = data?.access_token ?? "";
      }
      return current;
    },
  });
  expect((await kizuna.api.GET("/api/auth/me")).data?.email).toBe(ADMIN.email);
  expect(renewals).toBe(1);
  await good.logout();
  await expect(good.customers.list()).rejects.toMatchObject({ status: 401 });
});
