// A proxy that fails as networks and servers do, and passes everything else on.

import { createServer, request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of a request: passed on, refused with a status, left without an answer, or answered after it took effect by nothing. */
export type Fate = "pass" | "hang" | "lose" | { status: number; headers?: Record<string, string> };

export interface Flaky {
  url: string;
  /** What becomes of the next requests; those after them pass. */
  fates: Fate[];
  /** The requests that came. */
  seen: IncomingMessage[];
  close(): Promise<void>;
}

export async function flaky(target: string): Promise<Flaky> {
  const fates: Fate[] = [];
  const seen: IncomingMessage[] = [];
  const server = createServer((incoming, answer) => {
    seen.push(incoming);
    const fate = fates.shift() ?? "pass";
    if (fate === "hang") {
      return;
    }
    if (typeof fate === "object") {
      answer.writeHead(fate.status, fate.headers).end();
      return;
    }
    pass(target, incoming, answer, fate === "lose");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, fates, seen, close };
}

function pass(target: string, incoming: IncomingMessage, answer: ServerResponse, lost: boolean): void {
  const { host: _, ...headers } = incoming.headers;
  const onwards = request(`${target}${incoming.url}`, { method: incoming.method, headers }, (got) => {
    if (lost) {
      got.resume().once("end", () => answer.destroy());
      return;
    }
    answer.writeHead(got.statusCode ?? 502, got.headers);
    got.pipe(answer);
  });
  onwards.once("error", () => answer.destroy());
  incoming.pipe(onwards);
}
