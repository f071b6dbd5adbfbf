// Handles events of Kizuna: each at least once, in order per partitionkey. Run several to share the work.
//
// KIZUNA_URL=http://127.0.0.1:8080 KIZUNA_TOKEN=... node examples/build/subscriber.js NAME [TYPE ...]
// Before: npm ci --prefix examples && npm run build --prefix examples
interface CloudEvent { id: string; type: string; partitionkey: string; sequence: number; data: unknown }
interface Batch { lease: string | null; events: CloudEvent[] }

const [name, ...types] = process.argv.slice(2);
const base = `${process.env.KIZUNA_URL ?? "http://127.0.0.1:8080"}/api/subscriptions/${name}`;
const headers = { authorization: `Bearer ${process.env.KIZUNA_TOKEN}`, "content-type": "application/json" };
const pause = (ms: number) => new Promise((resume) => setTimeout(resume, ms));

async function call<T>(method: string, path: string, body?: object): Promise<T | undefined> {
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(60_000) });
  if (answer.ok) return (await answer.json()) as T;
  // 409: the lease was lost, its events come again. 429 and 503: later.
  if (![409, 429].includes(answer.status) && answer.status < 500) {
    console.error(answer.status, await answer.text());
    process.exit(1);
  }
  await pause(200);
  return undefined;
}

async function handle(event: CloudEvent): Promise<void> { // Yours. After a crash an event may come again.
  console.log(event.id, event.partitionkey, event.sequence, event.type);
}

for (let made = false; ; ) {
  try {
    made ||= (await call("PUT", "", { types })) !== undefined;
    const batch = made ? await call<Batch>("GET", "/events?wait=20s&limit=100") : undefined;
    for (const event of batch?.events ?? []) await handle(event);
    if (batch?.lease) await call("POST", "/ack", { lease: batch.lease });
  } catch (error) { // The server is away, or went away in the middle of its answer.
    console.error(String(error));
    await pause(1000);
  }
}
export {};
