const starters = [];

// each runs start once on every element the selector matches, now and in the
// pieces htmx brings later.
export function each(selector, start) {
  starters.push([selector, start]);
  run(document, selector, start);
}

function run(root, selector, start) {
  const found = [...root.querySelectorAll(selector)];
  if (root.matches && root.matches(selector)) found.push(root);
  for (const element of found) {
    const key = "started:" + selector;
    if (element[key]) continue;
    element[key] = true;
    start(element);
  }
}

document.addEventListener("htmx:load", (event) => {
  for (const [selector, start] of starters) run(event.target, selector, start);
});
