// The board with as many deals as a team has in years: a move shows at once, also to somebody else. The limits are for a machine
// that does other things, too; `scripts/bench-board` has the figures.

import { expect, fresh, freshEmail, test } from "./support.js";

const DEALS = 2_000;
const STAGES = ["QUALIFY", "PROPOSE", "NEGOTIATE", "WON"];

const column = (page, stage) => page.locator(`[data-board] [data-stage="${stage}"]`);

test("a card moves on a board with 2,000 deals, and somebody else sees it", async ({ as, api, hire, team }) => {
  test.setTimeout(300_000);
  const owner = await hire("SALES", { manager_id: team.manager.id });
  const post = await api(owner);
  const customer = await post("/customers", { name: fresh("絆商事"), email: freshEmail("board") });
  // Those that are expected first stand on top of their column.
  const deal = (n) => ({
    customer_id: customer.id, title: `案件 ${n}`, amount: 1_000 * n, stage: STAGES[n % STAGES.length],
    expected_on: `${2036 + Math.floor(n / 400)}-0${1 + (n % 9)}-1${n % 10}`,
  });
  const first = await post("/deals", { ...deal(0), title: "先頭", expected_on: "2035-01-01" });
  let next = 1;
  const work = async () => {
    while (next < DEALS) {
      next += 1;
      await post("/deals", deal(next - 1));
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  const [mine, theirs] = [await as(owner), await as(team.manager)];
  await mine.goto("/deals?view=board");
  await theirs.goto(`/deals?view=board&owner_id=${owner.id}`);
  await expect(column(mine, "QUALIFY").locator("h2")).toContainText(`${DEALS / STAGES.length} 件`);
  for (const stage of ["PROPOSE", "NEGOTIATE", "QUALIFY"]) {
    const card = `#deal-${first.id}`;
    const began = Date.now();
    const seen = async (page) => {
      await expect(column(page, stage).locator(card)).toBeVisible({ timeout: 30_000 });
      return Date.now() - began;
    };
    await mine.selectOption(`#move-${first.id}`, stage);
    const waits = [seen(mine), seen(theirs)];
    await mine.click(`#go-${first.id}`);
    const [own, other] = await Promise.all(waits);
    expect(own, "the mover waits").toBeLessThan(15_000);
    expect(other, "the other waits").toBeLessThan(20_000);
  }
  await expect(column(theirs, "QUALIFY").locator("h2")).toContainText(`${DEALS / STAGES.length} 件`);
});
