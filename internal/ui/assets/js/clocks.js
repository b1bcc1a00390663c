// Countdowns and elapsed times. The page says how many milliseconds are left,
// or have passed, when it was written: the clock of the device is not asked,
// it may be wrong.
const begun = new WeakMap();

export function startClocks() {
  tick();
  setInterval(tick, 250);
}

function tick() {
  for (const element of document.querySelectorAll("[data-countdown], [data-elapsed]")) {
    if (!begun.has(element)) begun.set(element, performance.now());
    const since = performance.now() - begun.get(element);
    const left = "countdown" in element.dataset ? Number(element.dataset.countdown) - since : Number(element.dataset.elapsed) + since;
    const text = minutes(left);
    if (element.textContent !== text) element.textContent = text;
  }
}

function minutes(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  if (s >= 3600) return Math.floor(s / 3600) + ":" + two(Math.floor(s / 60) % 60) + ":" + two(s % 60);
  return two(Math.floor(s / 60)) + ":" + two(s % 60);
}
