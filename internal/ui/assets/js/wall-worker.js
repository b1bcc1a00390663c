// Keeps the page of a screen, so that one which starts again without a network
// still shows the last state, and says so.
const CACHE = "tocsin-ecran-1";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  await self.clients.claim();
  // The page that brought us here was read before us.
  const cache = await caches.open(CACHE);
  const page = await fetch("/ecran", { credentials: "same-origin" });
  if (!page.ok) return;
  await cache.put("/ecran", page.clone());
  const parts = [...(await page.text()).matchAll(/"(\/assets\/[^"]+)"/g)].map((found) => found[1]);
  await Promise.allSettled([...new Set(parts)].map((part) => cache.add(part)));
})()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname !== "/ecran" && !url.pathname.startsWith("/assets/")) return;
  event.respondWith((async () => {
    const cache = await caches.open(CACHE);
    try {
      const response = await fetch(event.request);
      if (response.ok) await cache.put(url.pathname, response.clone());
      return response;
    } catch (error) {
      const kept = await cache.match(url.pathname, { ignoreVary: true });
      if (kept) return kept;
      throw error;
    }
  })());
});
