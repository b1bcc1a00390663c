const HOLD = 2000;

// The button of what cannot be undone: it acts when held two seconds. Without
// this script only the word to type is shown.
export function startHold(box) {
  const button = box.querySelector("[data-hold-button]");
  const value = box.querySelector("[data-hold-value]");
  const form = box.closest("form");
  if (!button || !value || !form || !form.requestSubmit) return;
  box.querySelector("[data-hold-press]").hidden = false;
  value.value = "";
  let timer = 0;

  const begin = (event) => {
    if (event.button > 0 || timer) return;
    button.classList.add("holding");
    timer = setTimeout(done, HOLD);
  };
  const cancel = () => {
    clearTimeout(timer);
    timer = 0;
    button.classList.remove("holding");
  };
  const done = () => {
    if (!form.noValidate && !form.reportValidity()) return cancel();
    value.value = "oui";
    form.requestSubmit();
  };
  button.addEventListener("pointerdown", begin);
  for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(end, cancel);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  // By keyboard one types the word: a key that sticks must not launch.
  button.addEventListener("click", (event) => {
    if (event.detail === 0) box.querySelector(".hold-word input").focus();
  });
}
