// Moves a card on a board with many deals, and prints how long it takes until the mover and somebody else see it there: median
// and greatest, in ms.
//
//   node board.js ORIGIN DEALS SAMPLES
//
// ORIGIN is a demo. The times are taken in the pages, from the click to the frame that shows the card in its new column.

const { chromium } = require("@playwright/test");

const [origin, deals, samples] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const PASSWORD = "kizuna-demo";
const STAGES = ["QUALIFY", "PROPOSE", "NEGOTIATE", "WON"];

async function api(path, token, body) {
  const headers = { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(`${origin}/api${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function signIn(browser, email) {
  const context = await browser.newContext({ serviceWorkers: "block", viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(120_000);
  const form = { email, password: PASSWORD };
  const answer = await context.request.post(`${origin}/login`, { form, maxRedirects: 0, headers: { origin } });
  if (answer.status() !== 303) throw new Error(`sign-in: ${answer.status()}`);
  return context.newPage();
}

/** The moment at which the card is shown in a column, by the clock that both pages share. */
function shown(page, id, stage) {
  return page.evaluate(
    ([id, stage]) =>
      new Promise((done) => {
        const look = () => {
          if (document.querySelector(`[data-stage="${stage}"] #deal-${id}`)) done(performance.timeOrigin + performance.now());
          else requestAnimationFrame(look);
        };
        look();
      }),
    [id, stage],
  );
}

const figures = (times) => {
  const sorted = [...times].sort((a, b) => a - b);
  return `${sorted[Math.floor((sorted.length - 1) / 2)].toFixed(0)} | ${sorted.at(-1).toFixed(0)}`;
};

async function main() {
  const { access_token: token, user } = await api("/auth/login", null, { email: "sales@example.com", password: PASSWORD });
  const customer = await api("/customers", token, { name: `板 ${Date.now()}` });
  const first = await api("/deals", token, { customer_id: customer.id, title: "先頭", amount: 1, expected_on: "2000-01-01" });
  let next = 1;
  const work = async () => {
    while (next < deals) {
      const n = next++;
      const body = { customer_id: customer.id, title: `案件 ${n}`, amount: 1000 * n, stage: STAGES[n % 4], expected_on: `203${n % 10}-0${1 + (n % 9)}-15` };
      await api("/deals", token, body);
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  const [mine, theirs] = [await signIn(browser, "sales@example.com"), await signIn(browser, "manager@example.com")];
  await mine.goto(`${origin}/deals?view=board`);
  await theirs.goto(`${origin}/deals?view=board&owner_id=${user.id}`);
  await mine.waitForTimeout(1_000);
  const [own, other] = [[], []];
  for (let n = 0; n < samples + 2; n += 1) {
    const stage = STAGES[(n + 1) % 3];
    await mine.selectOption(`#move-${first.id}`, stage);
    const seen = [shown(mine, first.id, stage), shown(theirs, first.id, stage)];
    const began = await mine.evaluate((id) => {
      document.getElementById(`go-${id}`).click();
      return performance.timeOrigin + performance.now();
    }, first.id);
    const [here, there] = await Promise.all(seen);
    if (n >= 2) {
      own.push(here - began);
      other.push(there - began);
    }
    await mine.waitForTimeout(300);
  }
  await browser.close();
  console.log(`| ${deals} deals; ms | median | greatest |\n|---|--:|--:|`);
  console.log(`| the mover (aim 100) | ${figures(own)} |\n| another browser (aim 300) | ${figures(other)} |`);
}

main();
