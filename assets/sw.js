// The service worker: keeps the shell (styles, scripts, icons) and a page for when the server is out of reach. Pages with
// data are never kept: they are always the server's, and nobody finds them on a device after signing out.
// The server puts BASE, the address of this build's assets, and FILES, their names, before this text.

const CACHE = `kizuna${BASE}`;
const OFFLINE = "/offline";

self.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll([OFFLINE, ...FILES.map((name) => `${BASE}/${name}`)]);
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const begin = async () => {
    for (const name of await caches.keys()) {
      if (name !== CACHE) {
        await caches.delete(name);
      }
    }
    // The browser asks for a page while it starts this worker.
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  };
  event.waitUntil(begin());
});

async function kept(request) {
  return (await caches.match(request)) ?? fetch(request);
}

async function page(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch (error) {
    const offline = await caches.match(OFFLINE);
    if (!offline) {
      throw error;
    }
    return offline;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") {
    return;
  }
  if (request.mode === "navigate") {
    event.respondWith(page(event));
  } else if (new URL(request.url).pathname.startsWith(`${BASE}/`)) {
    event.respondWith(kept(request));
  }
});
