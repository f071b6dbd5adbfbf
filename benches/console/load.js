// Opens pages in Chromium, one after another, and prints how long each takes until it is loaded: the median, in ms.
//
//   node load.js ORIGIN COOKIES ADDRESSES SAMPLES
//
// COOKIES is a file of curl's; ADDRESSES has lines of NAME|PATH. The console's files are in the browser's cache, as they are
// for whoever opens a second page.

const fs = require("node:fs");
const { chromium } = require("@playwright/test");

const [origin, cookieFile, addressFile, samples] = process.argv.slice(2);

/** The cookies of curl's file, as Playwright has them. */
function cookies() {
  const lines = fs.readFileSync(cookieFile, "utf8").split("\n").map((line) => line.replace(/^#HttpOnly_/, ""));
  return lines
    .map((line) => line.split("\t"))
    .filter((fields) => fields.length === 7)
    .map(([, , , , , name, value]) => ({ name, value, url: origin }));
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

/** From the start of the navigation to the end of its load event. */
async function load(page, path) {
  await page.goto(origin + path, { waitUntil: "load" });
  return page.evaluate(async () => {
    const timing = performance.getEntriesByType("navigation")[0];
    while (timing.loadEventEnd === 0) await new Promise((done) => setTimeout(done, 1));
    return timing.loadEventEnd - timing.startTime;
  });
}

async function main() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  const context = await browser.newContext({ serviceWorkers: "block", viewport: { width: 1280, height: 800 } });
  await context.addCookies(cookies());
  const page = await context.newPage();
  for (const line of fs.readFileSync(addressFile, "utf8").split("\n").filter(Boolean)) {
    const [name, path] = line.split("|");
    await load(page, path);
    const times = [];
    for (let n = 0; n < Number(samples); n += 1) times.push(await load(page, path));
    console.log(`${name}|${median(times).toFixed(0)}`);
  }
  await browser.close();
}

main();
