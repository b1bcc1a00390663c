const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

// Filters the rows shown of one table as one types; the server filters the rest.
export function startFilter(box) {
  const field = box.querySelector("input");
  const count = box.querySelector("[data-filter-count]");
  box.hidden = false;
  const run = () => {
    const table = document.getElementById(box.dataset.filter);
    if (!table) return;
    const wanted = plain(field.value).split(/\s+/).filter(Boolean);
    const rows = [...table.querySelectorAll("tbody tr")];
    let shown = 0;
    for (const row of rows) {
      const text = plain(row.textContent);
      row.hidden = !wanted.every((word) => text.includes(word));
      if (!row.hidden) shown++;
    }
    count.textContent = wanted.length ? box.dataset.filterShown.replace("%s", shown).replace("%t", rows.length) : "";
  };
  field.addEventListener("input", run);
  document.addEventListener("htmx:afterSettle", run);
}
