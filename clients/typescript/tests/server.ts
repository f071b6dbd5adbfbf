// The real server, on an empty database, for as long as the tests run.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

export const ADMIN = { email: "admin@example.com", password: "clients-of-kizuna-2026" };

/** A server of one's own. */
export interface Server {
  url: string;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** SIGTERM. */
  stop(): Promise<void>;
}

/** Starts a server on a database; on another port than before only if none is given. */
export async function start(folder: string, listen = "127.0.0.1:0"): Promise<Server> {
  const binary = process.env["KIZUNA_BIN"];
  if (binary === undefined) {
    throw new Error("KIZUNA_BIN names no server; ./scripts/client sets it");
  }
  const { REDIS_URL: _, ...env } = process.env;
  const child = spawn(binary, ["serve", "--listen", listen, "--database-url", `sqlite://${join(folder, "kizuna.db")}`], {
    env: { ...env, KIZUNA_ADMIN_EMAIL: ADMIN.email, KIZUNA_ADMIN_PASSWORD: ADMIN.password, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  return { url: await address(child), kill: () => end("SIGKILL"), stop: () => end("SIGTERM") };
}

/** What the server says that it listens on. */
function address(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const read = (text: Buffer) => {
      said += text.toString();
      const url = /listening on (http:\/\/[0-9.]+:[0-9]+)/.exec(said)?.[1];
      if (url !== undefined) {
        resolve(url);
      }
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", () => reject(new Error(`the server did not come up:\n${said}`)));
  });
}

/** A folder that is removed by what it answers. */
export async function folder(): Promise<[string, () => Promise<void>]> {
  const path = await mkdtemp(join(tmpdir(), "kizuna-client."));
  return [path, () => rm(path, { recursive: true, force: true })];
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [path, remove] = await folder();
  const server = await start(path);
  project.provide("url", server.url);
  return async () => {
    await server.stop();
    await remove();
  };
}

declare module "vitest" {
  export interface ProvidedContext {
    url: string;
  }
}
