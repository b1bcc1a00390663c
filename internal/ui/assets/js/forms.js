// Marks the chosen card (old browsers have no :has).
export function startChosen() {
  const mark = () => {
    for (const card of document.querySelectorAll(".cards .choice")) {
      card.classList.toggle("chosen", card.querySelector("input").checked);
    }
  };
  mark();
  document.addEventListener("change", mark);
  document.addEventListener("htmx:load", mark);
}

// What is wrong with the form is heard first.
export function focusSummary(element) {
  element.focus({ preventScroll: false });
}
