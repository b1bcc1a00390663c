// The app on an agent's telephone: answers leave now or when a network comes
// back, and what is shown says from when it is.
import { each } from "./each.js";
import { drop, flush, keep, newAnswer, send, waiting } from "./kept.js";

const body = document.body;
const note = document.querySelector("[data-offline]");

function offline(yes) {
  note.hidden = !yes;
  note.textContent = yes ? note.dataset.offline : "";
}

// pulse asks the server, for a browser may believe itself on line behind a dead hotspot.
async function pulse() {
  try {
    const response = await fetch("/espace/pouls", { cache: "no-store", credentials: "same-origin" });
    offline(response.status >= 500);
    if (response.status === 401) {
      if (navigator.serviceWorker && navigator.serviceWorker.controller) navigator.serviceWorker.controller.postMessage("forget");
      if (document.querySelector(".pocket-bar")) location.reload();
    }
    return response.ok;
  } catch {
    offline(true);
    return false;
  }
}

// beat asks whether the server is there, and then sends what waits: a network
// that comes back behind the same hotspot tells no browser.
async function beat() {
  if (!(await pulse())) return;
  try {
    if (await flush()) location.reload();
  } catch {
    // Later: they stay on this device.
  }
}

// showWaiting says of each alert which answer waits for a network: the last given;
// and on the other pages that one waits.
async function showWaiting() {
  const list = (await waiting()).sort((a, b) => a.at - b.at);
  const told = new Set();
  for (const form of document.querySelectorAll("form[data-answer]")) {
    const mine = list.filter((a) => a.code === form.dataset.answer).pop();
    const place = form.querySelector("[data-waits]");
    if (!mine || !place) continue;
    const button = [...form.querySelectorAll("button")].find((b) => b.value === mine.choice);
    const at = new Date(mine.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", timeZone: place.dataset.zone });
    place.textContent = place.dataset.waits.replace("%answer", button ? button.textContent.trim() : mine.choice).replace("%at", at);
    place.hidden = false;
    place.scrollIntoView({ block: "nearest" });
    told.add(mine.code);
  }
  const elsewhere = document.querySelector("[data-waiting]");
  if (!elsewhere || list.every((a) => told.has(a.code))) return;
  elsewhere.textContent = elsewhere.dataset.waiting;
  elsewhere.hidden = false;
}

each("form[data-answer]", (form) => {
  form.addEventListener("submit", async (event) => {
    const choice = event.submitter && event.submitter.value;
    if (!choice || !window.indexedDB) return;
    event.preventDefault();
    const given = newAnswer(form.dataset.answer, choice);
    await keep(given);
    try {
      await send(given);
      await drop(given.key);
      location.assign("/espace?note=1");
    } catch {
      offline(true);
      await showWaiting();
      const ready = navigator.serviceWorker && (await navigator.serviceWorker.ready);
      if (ready && ready.sync) ready.sync.register("answers").catch(() => {});
    }
  });
});

// The switch of notifications.
each("[data-push]", async (box) => {
  const say = (key) => { box.querySelector("[data-push-state]").textContent = box.dataset[key]; };
  const on = box.querySelector("[data-push-on]");
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return say("none");
  on.hidden = false;
  on.addEventListener("click", async () => {
    on.disabled = true;
    try {
      if ((await Notification.requestPermission()) !== "granted") return say("denied");
      const registration = await navigator.serviceWorker.ready;
      const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(box.dataset.push) });
      const { endpoint, keys } = subscription.toJSON();
      const response = await fetch("/espace/notifications", {
        method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ endpoint, p256dh: keys.p256dh, auth: keys.auth, muet: "1" }),
      });
      if (!response.ok) return say("refused");
      location.reload();
    } catch {
      say("failed");
    } finally {
      on.disabled = false;
    }
  });
});

function bytes(text) {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

each("form[data-leave]", (form) => form.addEventListener("submit", () => {
  if (navigator.serviceWorker && navigator.serviceWorker.controller) navigator.serviceWorker.controller.postMessage("forget");
}));

if ("serviceWorker" in navigator && document.querySelector(".pocket-bar")) {
  navigator.serviceWorker.register(body.dataset.worker, { scope: "/espace" }).then(async () => {
    const ready = await navigator.serviceWorker.ready;
    ready.active.postMessage("keep");
  }).catch(() => {});
}
window.addEventListener("online", beat);
window.addEventListener("offline", () => offline(true));
if (document.querySelector(".pocket-bar")) {
  beat();
  showWaiting().catch(() => {});
  setInterval(beat, 30000);
}
