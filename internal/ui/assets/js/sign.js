// A screen on a wall: it asks what to show, says what it shows, keeps the last
// state when the network is cut and says since when.
const EVERY = 3000;
const place = document.querySelector("[data-sign-state]");
const cut = document.querySelector("[data-sign-cut]");
const voice = document.querySelector("[data-sign-voice]");
const { state, version, worker, speaks } = document.body.dataset;
let heard = new Date(document.querySelector("[data-sign-at]").dateTime);
let asked = false;
let spoken = new Set();

const shown = () => [...place.querySelectorAll("[data-sign-id]")].map((e) => e.dataset.signId);
const clock = (at) => at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });

function lost() {
  if (cut.hidden) cut.textContent = cut.dataset.signCut.replace("%at", clock(heard));
  cut.hidden = false;
  document.body.classList.add("sign-stale");
}

function found() {
  heard = new Date();
  cut.hidden = true;
  document.body.classList.remove("sign-stale");
}

// say speaks each message once, when its place allows and the browser was allowed to.
function say() {
  if (speaks !== "true" || !window.speechSynthesis) return;
  const here = new Set(shown());
  for (const id of spoken) if (!here.has(id)) spoken.delete(id);
  if (here.size === 0) window.speechSynthesis.cancel();
  for (const message of place.querySelectorAll("[data-sign-id]")) {
    if (spoken.has(message.dataset.signId)) continue;
    spoken.add(message.dataset.signId);
    const words = new SpeechSynthesisUtterance([...message.querySelectorAll(".sign-mode, h1, [data-sign-say]")].map((e) => e.textContent).join(". "));
    words.lang = document.documentElement.lang;
    window.speechSynthesis.speak(words);
  }
}

async function ask() {
  if (asked) return;
  asked = true;
  try {
    const query = new URLSearchParams({ v: version, vu: shown().join(" ") });
    const response = await fetch(`${state}?${query}`, { cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout ? AbortSignal.timeout(8000) : undefined });
    if (response.status === 401) return location.reload();
    if (!response.ok) return lost();
    place.innerHTML = await response.text();
    found();
    say();
  } catch {
    lost();
  } finally {
    asked = false;
  }
}

if (voice && window.speechSynthesis) {
  // A browser speaks only once somebody touched it.
  voice.hidden = false;
  voice.addEventListener("click", () => {
    voice.hidden = true;
    spoken = new Set();
    say();
  });
}
if ("serviceWorker" in navigator && worker) navigator.serviceWorker.register(worker, { scope: "/ecran" }).catch(() => {});
say();
ask();
setInterval(ask, EVERY);
// Once a day the page itself is asked again: a new version of the program.
setTimeout(() => navigator.onLine && cut.hidden && location.reload(), 24 * 3600 * 1000);
