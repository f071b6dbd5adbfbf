// The design system: its page, one primary action, charts that say their values, avatars, empty lists, and what a page weighs.

import { expect, fresh, freshEmail, test } from "./support.js";

/** Pages, as an ADMIN. */
const PAGES = [
  "/", "/search?q=a", "/shortcuts", "/customers", "/duplicates", "/meetings", "/tasks", "/approvals", "/notifications", "/reports", "/reports/deals", "/sagas", "/settings",
  "/admin", "/admin/users", "/admin/api-keys", "/admin/security", "/admin/audit", "/design",
];

/** A test's limit is that of its pages together; each step has its own. */
const LIMIT = PAGES.length * 20_000;

/** The most bytes that a page takes to a browser that has nothing of it yet. */
const COLD_MAX = 150_000;

const firstOf = async (page, list) => {
  await page.goto(list);
  return page.locator(".list td.key a").first().getAttribute("href");
};

test("a page has at most one primary action, and its heading comes first", async ({ as }) => {
  test.setTimeout(LIMIT);
  const page = await as("adminEn");
  const records = [];
  for (const list of ["/customers?sort=created_at", "/meetings", "/tasks", "/approvals?status=PENDING", "/admin/users"]) {
    records.push(await firstOf(page, list));
  }
  for (const address of [...PAGES, ...records, `${records[0]}/edit`, `${records[1]}/edit`]) {
    await page.goto(address);
    const primary = page.locator("main .main:visible");
    expect(await primary.count(), `primary actions of ${address}`).toBeLessThanOrEqual(1);
    expect(await page.locator("main :is(h1, h2, h3)").first().evaluate((it) => it.tagName), address).toBe("H1");
  }
});

/** What a browser that has nothing of it yet asks for to show a page: each request's address and bytes. */
async function asked(page, address) {
  const requests = [];
  page.on("requestfinished", (request) => requests.push(request));
  await page.goto(address, { waitUntil: "networkidle" });
  const all = [];
  for (const request of requests) {
    const [sizes, response] = [await request.sizes(), await request.response()];
    if (/\.(js|css|svg)$/.test(request.url())) {
      expect(await response.headerValue("content-encoding"), request.url()).toBe("gzip");
    }
    const bytes = sizes.responseBodySize + sizes.responseHeadersSize;
    all.push({ address: `${request.method()} ${request.url()}`, bytes });
  }
  await page.context().close();
  expect(all.length, "the test sees them").toBeGreaterThan(10);
  return all;
}

test("a page is small and compressed", async ({ as }) => {
  test.setTimeout(LIMIT);
  const seen = await as("admin");
  const [customer, task] = [await firstOf(seen, "/customers?sort=created_at"), await firstOf(seen, "/tasks")];
  for (const address of [...PAGES, customer, task]) {
    // Other tests run: the page may be read again, which is no part of its weight.
    const first = new Map();
    for (const one of await asked(await as("admin"), address)) {
      first.set(one.address, first.get(one.address) ?? one.bytes);
    }
    const bytes = [...first.values()].reduce((sum, one) => sum + one, 0);
    expect(bytes, `bytes of ${address}`).toBeLessThan(COLD_MAX);
  }
});

test("a page asks for nothing twice", async ({ as, api, team }) => {
  test.setTimeout(LIMIT);
  const post = await api(team.sales);
  const { id } = await post("/customers", { name: fresh("絆") });
  for (const address of ["/", "/customers", "/tasks", `/customers/${id}`, "/reports", "/settings"]) {
    // Nobody else's events come to this one, and their own have come.
    await expect(async () => {
      const addresses = (await asked(await as(team.sales), address)).map((one) => one.address);
      expect(addresses.filter((it, at) => addresses.indexOf(it) !== at), `asked for twice on ${address}`).toEqual([]);
    }).toPass({ timeout: 20_000 });
  }
});

test("a chart has a scale, and says its values to the pointer, to the keys and in a table", async ({ as }) => {
  const page = await as("adminEn");
  await page.goto("/design");
  const [chart, bars] = [page.locator(".course"), page.locator("table.bars")];
  await expect(chart.locator(".scale span")).toHaveText(["15", "10", "5", "0"]);
  const plot = chart.getByRole("slider");
  await plot.scrollIntoViewIfNeeded();
  const said = chart.locator("output");
  await expect(said).toHaveText("");
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + 1, box.y + box.height / 2);
  await expect(said).toHaveText(/: 3$/);
  await page.mouse.move(box.x + (box.width * 6) / 13, box.y + box.height / 2);
  await expect(said).toHaveText(/: 12$/);
  await page.mouse.move(0, 0);
  await expect(said).toHaveText("");
  // The keys go on from the day that was pointed at.
  await plot.focus();
  await expect(said).toHaveText(/: 12$/);
  await page.keyboard.press("ArrowLeft");
  await expect(plot).toHaveAttribute("aria-valuetext", /: 8$/);
  await page.keyboard.press("Home");
  await expect(said).toHaveText(/: 3$/);
  await expect(bars.getByRole("row")).toHaveCount(3);
  await expect(bars.getByRole("row").first()).toContainText("42");
  await expect(bars.locator("tfoot span")).toHaveText(["0", "20", "40", "60"]);
  await page.goto("/reports");
  await expect(page.locator("#report-summary table.bars").first()).toBeVisible();
  await page.getByText("Show the figures as a table").click();
  const table = page.locator(".figures-table");
  await expect(table.getByRole("row").nth(1)).toBeVisible();
  const heads = await table.getByRole("columnheader").count();
  await expect(table.getByRole("row").nth(1).locator("th, td"), "a figure below each heading").toHaveCount(heads);
});

test("the parts of the console are on one page, in both languages", async ({ as }) => {
  for (const [who, title] of [["admin", "デザインシステム"], ["adminEn", "Design system"]]) {
    const page = await as(who);
    await page.goto("/design");
    await expect(page.locator("h1")).toHaveText(title);
    for (const part of ["buttons", "statuses", "avatars", "icons", "notices", "fields", "record", "charts", "empty", "tokens"]) {
      await expect(page.locator(`#design-${part}`)).toBeVisible();
    }
    expect(await page.locator("#design-icons li svg.icon").count()).toBeGreaterThan(15);
    const fills = await page.locator("#design-tokens .swatch rect").evaluateAll((all) => new Set(all.map((it) => getComputedStyle(it).fill)).size);
    expect(fills, "the colours are shown").toBeGreaterThan(15);
    await page.getByRole("button", { name: title === "Design system" ? "Primary action" : "主な操作" }).click();
    await expect(page.locator("dialog[open]")).toBeVisible();
  }
});

test("people have avatars, and the same everywhere", async ({ as, api, hire }) => {
  test.setTimeout(120_000);
  const [sato, hopper] = [await hire("SALES", { name: "佐藤 花子" }), await hire("SALES", { name: "Grace Hopper" })];
  for (const [who, initials] of [[sato, "佐"], [hopper, "GH"]]) {
    const [page, post] = [await as(who), await api(who)];
    const { id } = await post("/customers", { name: fresh("絆") });
    await post(`/customers/${id}/comments`, { text: "こんにちは" });
    const avatar = (where) => page.locator(where).locator(".avatar").first();
    const { id: deal } = await post("/deals", { customer_id: id, title: "保守", amount: 1 });
    await page.goto(`/customers/${id}`);
    const colour = await avatar(".me").getAttribute("class");
    for (const where of [".me", "dl.record", ".comments", ".timeline"]) {
      await expect(avatar(where)).toHaveAttribute("data-initials", initials);
      await expect(avatar(where)).toHaveClass(colour);
    }
    for (const [list, where] of [["/customers", ".list tbody"], ["/deals", ".list tbody"], [`/deals/${deal}`, "dl.record"]]) {
      await page.goto(list);
      await expect(avatar(where)).toHaveAttribute("data-initials", initials);
    }
  }
});

test("an empty list says one sentence and leads on", async ({ as, hire }) => {
  const page = await as(await hire("SALES", { locale: "en" }));
  for (const [list, sentence, button, form] of [
    ["/customers", "No customers yet. Add your first one.", "Add customer", "new-customer"],
    ["/meetings", "No meetings yet. Record whom you met and what came of it.", "Record meeting", "new-meeting"],
    ["/tasks", "You have no open tasks. Plan the next one.", "Add task", "new-task"],
    ["/approvals", "No requests yet. Ask for approval of a discount or a contract.", "Request approval", "new-approval"],
  ]) {
    await page.goto(list);
    const empty = page.locator(".empty");
    await expect(empty.locator("p")).toHaveText(sentence);
    await empty.getByRole("button", { name: button }).click();
    await expect(page.locator(`#${form}`)).toBeVisible();
  }
  for (const [list, lead, there] of [
    ["/customers?q=zzz", "Clear the filter", /\/customers$/],
    ["/tasks?status=DONE", "See open tasks", /\/tasks$/],
    ["/notifications", "Choose your notifications", /\/settings#notifications$/],
  ]) {
    await page.goto(list);
    await page.locator(".empty").getByRole("link", { name: lead }).click();
    await expect(page).toHaveURL(there);
  }
  // Where something else was filtered away, nobody is asked to add the first one.
  const somebody = "assignee_id=01890a5d-ac96-774b-bcce-b302099a8057";
  const later = "expected_from=2099-01-01";
  for (const [list, there] of [
    ["/approvals?status=REJECTED", /\/approvals$/],
    ["/meetings?q=zzz", /\/meetings$/],
    [`/deals?${later}`, /\/deals$/],
    [`/tasks?${somebody}`, /\/tasks$/],
  ]) {
    await page.goto(list);
    await expect(page.locator(".empty"), list).toContainText("Nothing matches");
    await page.locator(".empty").getByRole("link", { name: "Clear the filter" }).click();
    await expect(page).toHaveURL(there);
  }
  await page.goto("/");
  await expect(page.locator("#home-tasks")).toContainText("You have no tasks due today.");
  await expect(page.locator("main")).not.toContainText("In time");
});

test("a title takes the place of an honorific", async ({ as, api, hire }) => {
  const manager = await hire("MANAGER", { name: "高橋 部長" });
  const sales = await hire("SALES", { name: "伊藤 健", manager_id: manager.id });
  const [page, post] = [await as(sales), await api(sales)];
  const customer = await post("/customers", { name: fresh("絆") });
  const approval = await post("/approvals", { customer_id: customer.id, title: fresh("値引き"), amount: 1 });
  const boss = await as(manager);
  await boss.goto("/notifications");
  await expect(boss.locator(".notes")).toContainText("伊藤 健 さんが");
  await boss.goto(`/approvals/${approval.id}`);
  await boss.getByRole("button", { name: "承認する" }).click();
  await expect(boss.locator(".notice.done")).toBeVisible();
  await page.goto("/notifications");
  await expect(page.locator(".notes")).toContainText("高橋 部長が");
  await expect(page.locator(".notes")).not.toContainText("部長 さん");
});

/** Texts of a selection of which a word stands on two lines: words as people read them, between blanks. */
const split = (page, selector) =>
  page.locator(selector).evaluateAll((all) => {
    const texts = all.flatMap((it) => {
      const walker = document.createTreeWalker(it, NodeFilter.SHOW_TEXT);
      const nodes = [];
      while (walker.nextNode()) {
        nodes.push(walker.currentNode);
      }
      return nodes;
    });
    const lines = (node, from, to) => {
      const range = document.createRange();
      range.setStart(node, from);
      range.setEnd(node, to);
      return new Set([...range.getClientRects()].map((it) => Math.round(it.top))).size;
    };
    return texts.flatMap((node) => [...node.data.matchAll(/\S+/g)].filter((it) => lines(node, it.index, it.index + it[0].length) > 1).map((it) => it[0]));
  });

test("names, dates and kana stay whole where there is little room", async ({ as, api, hire }) => {
  const sales = await hire("SALES", { name: "五十嵐 健太郎" });
  const [page, post] = [await as(sales, { viewport: { width: 768, height: 800 } }), await api(sales)];
  const customer = await post("/customers", { name: "長谷川 美千代", kana: "ハセガワ ミチヨ", company: "長谷川運輸倉庫株式会社", email: "hasegawa.michiyo@hasegawa-unyu.example.co.jp" });
  await post("/meetings", { customer_id: customer.id, title: "初回訪問", met_at: new Date().toISOString(), duration_minutes: 60, location: "本社会議室", outcome: "提案書を送付する" });
  await post("/approvals", { customer_id: customer.id, title: "初年度キャンペーン価格", amount: 480_000 });
  for (const list of ["/customers", "/meetings", "/approvals"]) {
    for (const width of [768, 360]) {
      await page.setViewportSize({ width, height: 800 });
      await page.goto(list);
      const whole = ".list .person, .list td.name, .list .key .meta, .list time, .list td > .meta";
      expect(await page.locator(whole).count(), list).toBeGreaterThan(1);
      expect(await split(page, whole), `split on ${list}, ${width}`).toEqual([]);
    }
  }
});

test("on a telephone what one touches is large enough for a finger", async ({ as, api, team }) => {
  test.setTimeout(LIMIT);
  const post = await api(team.sales);
  const customer = await post("/customers", { name: fresh("絆"), email: freshEmail("touch") });
  const due_at = new Date(Date.now() - 86_400_000).toISOString();
  const task = await post("/tasks", { title: fresh("電話する"), due_at, customer_id: customer.id });
  await post("/deals", { customer_id: customer.id, title: fresh("保守"), amount: 1 });
  await post("/meetings", { customer_id: customer.id, title: fresh("訪問"), met_at: due_at });
  const page = await as(team.sales, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const pages = ["/", "/search?q=a", "/customers", "/meetings", "/tasks", "/approvals", "/deals", "/deals?view=board", "/notifications", "/reports", "/settings"];
  for (const address of [...pages, `/customers/${customer.id}`, `/tasks/${task.id}`]) {
    await page.goto(address);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary, textarea")]
        .filter((it) => it.checkVisibility() && !it.closest(".hidden, .skip"))
        .map((it) => [it, (it.matches("[type=checkbox]") && it.closest("label")) || it])
        .map(([it, place]) => [it.outerHTML.slice(0, 120), place.getBoundingClientRect()])
        .filter(([, box]) => box.width > 1 && (box.height < 24 || box.width < 24))
        .map(([html, box]) => `${Math.round(box.width)} x ${Math.round(box.height)}: ${html}`));
    expect(small, address).toEqual([]);
  }
});
