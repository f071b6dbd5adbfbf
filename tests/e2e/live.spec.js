// What somebody does is seen by somebody else without a reload.

import { addCustomer, choose, customersLike, expect, fresh, test } from "./support.js";

/** A close code that a script may give: what a page hears when its connection is cut. */
const CUT = 4000;

const unread = async (page) => Number((await page.locator("#bell .hidden").textContent()).match(/\d+/)[0]);

const customer = (page, name) => page.locator("#customer-list").getByRole("link", { name });

/**
 * Stands between a page and its socket. `hellos` counts how often the server has greeted: from the first on, the page
 * knows its place in the feed, and what it misses is told later.
 */
async function wire(page) {
  const wire = { isDown: false, hellos: 0, socket: null };
  await page.routeWebSocket("**/api/ws*", (socket) => {
    if (wire.isDown) {
      socket.close({ code: CUT });
      return;
    }
    socket.connectToServer().onMessage((text) => {
      socket.send(text);
      wire.hellos += JSON.parse(text).type === "hello" ? 1 : 0;
    });
    wire.socket = socket;
  });
  return wire;
}

test("a customer created by somebody else appears in an open list, the bell and a toast", async ({ as, team }) => {
  const [manager, sales] = [await as(team.manager), await as(team.sales)];
  const name = fresh("速報");
  await manager.goto(customersLike(name));
  expect(await unread(manager)).toBe(0);
  await addCustomer(sales, name);
  await expect(customer(manager, name)).toBeVisible();
  await expect.poll(() => unread(manager)).toBe(1);
  await manager.locator(".toast", { hasText: name }).getByRole("link").click();
  await expect(manager.locator("h1")).toContainText(name);
});

test("a decision reaches its requester, and an open approval changes", async ({ as, api, team }) => {
  const [manager, sales] = [await as(team.manager), await as(team.sales)];
  const post = await api(team.sales);
  const { name } = await post("/customers", { name: fresh("取引先") });
  await sales.goto("/approvals");
  await sales.click('[data-open="new-approval"]');
  await choose(sales, "customer_id", name);
  const title = fresh("即決");
  await sales.fill('dialog [name="title"]', title);
  await sales.fill('dialog [name="amount"]', "500");
  await sales.click("dialog button.main");
  await expect(sales.locator("h1")).toContainText("承認待ち");
  await manager.goto(new URL(sales.url()).pathname);
  await manager.getByRole("button", { name: "承認する" }).click();
  await expect(sales.locator("h1")).toContainText("承認済み");
  await expect(sales.locator(".toast", { hasText: title })).toBeVisible();
});

test("what is typed and focused stays while the page goes on", async ({ as, api, team }) => {
  const [manager, sales] = [await as(team.manager), await as(team.sales)];
  const [word, post] = [fresh("割り込み"), await api(team.sales)];
  const first = await post("/customers", { name: word });
  await manager.goto(customersLike(word));
  await manager.fill("#q", `${word} `);
  await expect(manager).toHaveURL(/(%20|\+)$/);
  const link = manager.locator(`#customer-list a[href="/customers/${first.id}"]`);
  await link.focus();
  await addCustomer(sales, `${word} 2`);
  await expect(customer(manager, `${word} 2`)).toBeVisible();
  await expect(manager.locator("#q")).toHaveValue(`${word} `);
  await expect(link).toBeFocused();
});

test("a lost connection is told, and what was missed is caught up", async ({ as, team }) => {
  const [manager, sales] = [await as(team.manager), await as(team.sales)];
  const name = fresh("圏外");
  const line = await wire(manager);
  await manager.goto(customersLike(name));
  await expect(manager.locator("#customer-list")).toBeVisible();
  await expect.poll(() => line.hellos).toBe(1);
  expect(await unread(manager)).toBe(0);
  line.isDown = true;
  await line.socket.close({ code: CUT });
  await expect(manager.locator("#connection")).toContainText("接続が切れました");
  await addCustomer(sales, name);
  await expect(customer(manager, name)).toHaveCount(0);
  line.isDown = false;
  await expect(manager.locator("#connection")).toContainText("再接続しました", { timeout: 15_000 });
  await expect(customer(manager, name)).toBeVisible();
  await expect(manager.locator(".toast", { hasText: name })).toBeVisible();
  await expect.poll(() => unread(manager)).toBe(1);
});

test("an open list goes on while events never pause", async ({ as, api, team }) => {
  const [manager, post] = [await as(team.manager), await api(team.sales)];
  const name = fresh("途切れず");
  await manager.addInitScript(() => {
    globalThis.WebSocket = class extends WebSocket {
      constructor(address) {
        super(address);
        const event = () => this.dispatchEvent(new MessageEvent("message", { data: '{"type":"event"}' }));
        setInterval(event, 20);
      }
    };
  });
  await manager.goto(customersLike(name));
  await post("/customers", { name });
  await expect(customer(manager, name)).toBeVisible();
});

test("a page that could not be read is read again", async ({ as, api, team }) => {
  const [manager, post] = [await as(team.manager, { refused: true }), await api(team.sales)];
  const name = fresh("読み直し");
  await manager.goto(customersLike(name));
  let refusals = 0;
  await manager.route("**/customers?*", (route) => {
    refusals += 1;
    return route.fulfill({ status: 503 });
  });
  await post("/customers", { name });
  // The last that the page hears; what it reads then is refused, too.
  await expect(manager.locator(".toast", { hasText: name })).toBeVisible();
  const before = refusals;
  await expect.poll(() => refusals).toBeGreaterThan(before);
  await manager.unroute("**/customers?*");
  await expect(customer(manager, name)).toBeVisible();
});

test("the bars of a deletion move by themselves", async ({ as, team }) => {
  const [watcher, sales] = [await as(team.manager), await as(team.sales)];
  const name = fresh("消える");
  await addCustomer(sales, name);
  await watcher.goto("/sagas");
  const saga = watcher.locator(".saga", { hasText: name });
  await expect(saga).toHaveCount(0);
  await sales.getByRole("link", { name }).click();
  await sales.getByRole("link", { name: "削除", exact: true }).click();
  await sales.getByRole("button", { name: "削除する" }).click();
  await expect(saga).toHaveCount(1);
  await expect(saga).toContainText("完了");
  const bar = saga.locator("progress");
  await expect(bar).toHaveAttribute("value", await bar.getAttribute("max"));
});
