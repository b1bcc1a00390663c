// Live curves, drawn from the table that stands beside them: what is drawn is
// what can be read, and a new table draws a new curve.
import uPlot from "uplot";

const DASHES = [[], [8, 4], [2, 3], [12, 4, 2, 4]];
const COLOURS = ["--accent", "--alerte", "--succes", "--quiet"];

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function read(table) {
  const labels = [...table.querySelectorAll("thead th")].map((th) => th.textContent.trim());
  const columns = labels.map(() => []);
  for (const row of table.querySelectorAll("tbody tr")) {
    [...row.children].forEach((cell, i) => {
      const value = cell.dataset.value;
      columns[i].push(value === undefined || value === "" ? null : Number(value));
    });
  }
  return { labels, columns };
}

function draw(figure) {
  const target = figure.querySelector("[data-curve]");
  // uPlot's own legend is a table too.
  const table = [...figure.querySelectorAll("table")].find((t) => !target || !target.contains(t));
  if (!table || !target) return;
  const { labels, columns } = read(table);
  if (columns.length < 2 || columns[0].length === 0) return;
  const axis = { stroke: token("--quiet"), grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line") }, font: "14px system-ui" };
  const series = labels.map((label, i) => (i === 0 ? { label } : { label, stroke: token(COLOURS[(i - 1) % 4]), width: 2.5, dash: DASHES[(i - 1) % 4], spanGaps: true }));
  target.replaceChildren();
  new uPlot(
    { width: target.clientWidth || 600, height: 280, scales: { x: { time: false } }, axes: [{ ...axis, label: labels[0] }, axis], series, legend: { live: false }, cursor: { show: false } },
    columns,
    target,
  );
}

function all() {
  for (const figure of document.querySelectorAll("[data-curves]")) draw(figure);
}

all();
document.addEventListener("htmx:afterSettle", all);
let pending = 0;
window.addEventListener("resize", () => {
  clearTimeout(pending);
  pending = setTimeout(all, 150);
});
