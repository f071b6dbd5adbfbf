import { Kizuna } from "../src/index.js";
import type { Frame } from "../src/index.js";
import { ADMIN, folder, start } from "./server.js";

it("the feed resumes by its cursor: nothing is missed through a kill of the server", async () => {
  const [path, remove] = await folder();
  let server = await start(path);
  const listen = new URL(server.url).host;
  const kizuna = await Kizuna.login({ baseUrl: server.url }, ADMIN.email, ADMIN.password);
  const stop = new AbortController();
  const subjects: string[] = [];
  let cursor: string | undefined;
  const reading = (async () => {
    for await (const frame of kizuna.live({ topics: ["customers"], signal: stop.signal })) {
      cursor = "cursor" in frame ? frame.cursor : cursor;
      if (frame.type === "event") {
        subjects.push(frame.event.subject);
      }
    }
  })();
  const heard = (count: number) => vi.waitFor(() => expect(subjects).toHaveLength(count), { timeout: 20_000 });
  await vi.waitFor(() => expect(cursor).toBeDefined(), { timeout: 10_000 });
  const first = await kizuna.customers.create({ name: "一" });
  await heard(1);
  await server.kill();
  server = await start(path, listen);
  const second = await kizuna.customers.create({ name: "二" });
  await heard(2);
  expect(subjects).toEqual([first.id, second.id]);
  stop.abort();
  await reading;

  // Another process goes on where this one stopped.
  const third = await kizuna.customers.create({ name: "三" });
  const later: Frame[] = [];
  for await (const frame of kizuna.live({ topics: ["customers"], ...(cursor && { cursor }) })) {
    later.push(frame);
    if (frame.type === "event") {
      break;
    }
  }
  expect(later.at(-1)).toMatchObject({ type: "event", event: { subject: third.id } });
  await kizuna.logout();
  await expect(kizuna.live().next()).rejects.toMatchObject({ status: 401 });
  await server.stop();
  await remove();
});
