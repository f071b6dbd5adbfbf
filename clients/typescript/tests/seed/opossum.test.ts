// The seed's circuit breaker (サーキットブレーカー), as written, around a call of the running server.

import CircuitBreaker from 'opossum';
import { inject } from "vitest";
import { getCustomers, Kizuna } from "../../src/index.js";
import { flaky } from "../flaky.js";
import { ADMIN } from "../server.js";

it("answers what it remembers while the server is away", async () => {
  const proxy = await flaky(inject("url"));
  const kizuna = await Kizuna.login({ baseUrl: inject("url") }, ADMIN.email, ADMIN.password);
  const { data } = await kizuna.api.POST("/api/auth/login", { body: ADMIN });
  await kizuna.customers.create({ name: "覚えている" });

  type Customers = Awaited<ReturnType<typeof getCustomers>>;
  let cached: Customers = [];
  const getCachedData = () => cached;
  const customerServiceCall = async () => {
    cached = await getCustomers(proxy.url, { token: data?.access_token ?? "", policy: { retries: 0 } });
    return cached;
  };

const breaker = new CircuitBreaker(customerServiceCall, {
  timeout: 3000,
  errorThresholdPercentage: 50,
  resetTimeout: 30000,
});

breaker.fallback(() => getCachedData());

  const live = (await breaker.fire()) as Customers;
  expect(live.map((customer) => customer.name)).toContain("覚えている");
  proxy.fates.push(...Array.from({ length: 4 }, () => ({ status: 503 })));
  while (!breaker.opened) {
    expect(await breaker.fire()).toEqual(live);
  }
  const asked = proxy.seen.length;
  expect(await breaker.fire()).toEqual(live);
  expect(proxy.seen.length, "an open breaker asks nobody").toBe(asked);
  breaker.shutdown();
  await proxy.close();
});
