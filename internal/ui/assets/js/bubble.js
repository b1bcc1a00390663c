// Shows a message beside its text as one types, as a phone will.
import { filled } from "./sms.js";

export function startBubble(area) {
  const bubble = document.getElementById(area.dataset.bubble);
  if (!bubble) return;
  area.addEventListener("input", () => {
    bubble.textContent = filled(area).trim();
    const old = bubble.closest("figure").querySelector(".hint");
    if (old) old.hidden = true; // the figures of the text as it was; the counter has the new ones
  });
}
