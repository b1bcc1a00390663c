// A screen on a wall: it asks what to show, says what it shows, keeps the last
// state when the network is cut and says since when. Before it is a screen it
// shows a code, and asks whether somebody typed it.
const EVERY = 3000;
const CODE_EVERY = 60000;
const place = document.querySelector("[data-sign-state]");
const cut = document.querySelector("[data-sign-cut]");
const voice = document.querySelector("[data-sign-voice]");
const { state, version, worker, speaks } = document.body.dataset;
let asked = false;
let spoken = new Set();
let before = "";

const shown = () => [...place.querySelectorAll("[data-sign-id]")].map((e) => e.dataset.signId);
const read = (query) => fetch(`${state}?${query}`, { cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout ? AbortSignal.timeout(8000) : undefined });

function lost() {
  // The hour of the house, whatever this machine believes.
  if (cut.hidden) cut.textContent = cut.dataset.signCut.replace("%at", place.querySelector("[data-clock]").dataset.clock);
  cut.hidden = false;
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
    const response = await read(new URLSearchParams({ v: version, vu: shown().join(" ") }));
    if (response.status === 401) return location.reload();
    if (!response.ok) return lost();
    place.innerHTML = await response.text();
    cut.hidden = true;
    say();
    // What is shown now is what this screen finds when it starts without a network.
    const now = shown().join(" ");
    if (now !== before) await fetch("/ecran", { credentials: "same-origin" });
    before = now;
  } catch {
    lost();
  } finally {
    asked = false;
  }
}

function startScreen() {
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
  before = shown().join(" ");
  ask();
  setInterval(ask, EVERY);
  // Once a day the page itself is asked again: a new version of the program.
  setTimeout(() => cut.hidden && location.reload(), 24 * 3600 * 1000);
}

function startCode() {
  setInterval(() => read("").then((response) => response.ok && location.reload(), () => {}), EVERY);
  setInterval(() => read("").then(() => location.reload(), () => {}), CODE_EVERY);
}

if (place) startScreen();
else startCode();
