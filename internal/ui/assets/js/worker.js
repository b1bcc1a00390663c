// The service worker of « Mon espace »: it shows notifications, sends the answer
// of their buttons, and keeps the last pages for the time without a network.
import { drop, flush, forget, keep, newAnswer, send } from "./kept.js";

const CACHE = "tocsin-espace-1";
const PAGES = ["/espace", "/espace/reponses", "/espace/astreintes", "/espace/moi"];

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("tocsin-") && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

// shut forgets everything: this device was taken back.
async function shut() {
  await caches.delete(CACHE);
  await forget();
}

async function refresh(path) {
  const response = await fetch(path, { credentials: "same-origin", redirect: "manual", cache: "no-store" });
  if (response.status === 401) await shut();
  if (response.ok) await (await caches.open(CACHE)).put(path, response.clone());
  return response;
}

async function page(path) {
  try {
    return await refresh(path);
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match(path);
    if (kept) return kept;
    throw error;
  }
}

async function asset(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) await cache.put(request, response.clone());
  return response;
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(asset(event.request));
  else if (PAGES.includes(url.pathname) && !url.search) event.respondWith(page(url.pathname));
});

self.addEventListener("message", (event) => {
  if (event.data === "keep") event.waitUntil(Promise.allSettled(PAGES.map(refresh)));
  if (event.data === "forget") event.waitUntil(shut());
});

self.addEventListener("push", (event) => {
  event.waitUntil((async () => {
    let said = {};
    try {
      said = event.data.json();
    } catch {
      said = { title: "Tocsin" };
    }
    await self.registration.showNotification(said.title || "Tocsin", {
      body: said.body || "", tag: said.tag || said.code || undefined, renotify: Boolean(said.tag || said.code), lang: said.language, icon: said.icon,
      requireInteraction: Boolean(said.answers && said.answers.length), silent: Boolean(said.quiet),
      actions: (said.answers || []).slice(0, 2), data: { code: said.code, noted: said.noted, waits: said.waits },
    });
    // What was received is readable without a network later.
    await Promise.allSettled([refresh("/espace"), refresh("/espace/reponses")]);
  })());
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(event.action ? answer(event.notification, event.action) : show());
});

async function answer(notification, choice) {
  const given = newAnswer(notification.data.code, choice);
  await keep(given);
  let said = notification.data.waits;
  try {
    await send(given);
    await drop(given.key);
    said = notification.data.noted;
  } catch {
    if (self.registration.sync) await self.registration.sync.register("answers").catch(() => {});
  }
  if (said) await self.registration.showNotification(said, { tag: notification.data.code, silent: true, data: {} });
  await refresh("/espace").catch(() => {});
}

async function show() {
  for (const client of await self.clients.matchAll({ type: "window" })) {
    if (new URL(client.url).pathname.startsWith("/espace")) {
      await client.focus();
      return client.navigate("/espace").catch(() => {});
    }
  }
  return self.clients.openWindow("/espace");
}

self.addEventListener("sync", (event) => {
  if (event.tag === "answers") event.waitUntil(flush());
});
