// The seed's HTTP client with retry (リトライポリシー), as written, against the running server.

import axios from "axios";
import type { InternalAxiosRequestConfig } from "axios";
import axiosRetry, { exponentialDelay } from "axios-retry";
import { inject } from "vitest";
import { flaky } from "../flaky.js";
import { ADMIN } from "../server.js";

declare module "axios" {
  interface AxiosRequestConfig {
    retry?: number;
    retryDelay?: (retryCount: number) => number;
  }
}

/** The seed gives the numbers with each request; axios-retry reads them under a name of its own. */
axiosRetry(axios, { retries: 0 });
axios.interceptors.request.use((config: InternalAxiosRequestConfig) => {
  config["axios-retry"] ??= { retries: config.retry ?? 0, ...(config.retryDelay && { retryDelay: config.retryDelay }) };
  return config;
});

it("asks for the customers until the server answers", async () => {
  const proxy = await flaky(inject("url"));
  axios.defaults.baseURL = proxy.url;
  const { data: tokens } = await axios.post("/api/auth/login", ADMIN);
  axios.defaults.headers.common["Authorization"] = `Bearer ${tokens.access_token}`;
  proxy.fates.push({ status: 503 }, { status: 503 }, "lose");
  const before = proxy.seen.length;
  const response = await
axios.get('/api/customers', {
  timeout: 5000,
  retry: 3,
  retryDelay: exponentialDelay,
});
  expect(response.status).toBe(200);
  expect(response.data).toBeInstanceOf(Array);
  expect(proxy.seen.length - before).toBe(4);
  await proxy.close();
});
