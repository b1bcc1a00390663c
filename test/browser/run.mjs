// Runs the specs of test/browser/specs:
//
//   node test/browser/run.mjs [--only word] [--pictures] [--out folder]
//   node test/browser/run.mjs --base http://127.0.0.1:8080    the style guide of a running Tocsin
//
// A spec exports `tests`, an object of name → async (t) => …, and may export
// `needs`: "guide" runs against the style guide only, "empty" against a fresh
// installation, "demo" against the demonstration; and `after`, the spec whose house
// it goes on in: that one runs first, also with --only; and `lane`, a name: what of a
// house is in another lane runs beside it, and must not see what it does. What a spec needs is started
// here, on free ports, and stopped at the end; TOCSIN_PROGRAM names another
// program than bin/tocsin.
// A house in which something failed is built anew and its specs run once more,
// in the open: a browser may die, and a test goes on where the one before
// stopped. Ends with "N passed, N failed"; the exit code says the same. What fails leaves
// the picture of its pages in test/browser/out; --pictures keeps one of each page.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { launch, Visit } from "./lib/browser.mjs";
import { startDemo, startEmpty } from "./lib/house.mjs";

const here = dirname(fileURLToPath(import.meta.url));
// Only what hangs is stopped: a test takes seconds on a quiet machine, and
// minutes where ten other things run.
const LIMIT = 600_000;

const { values: args } = parseArgs({
  options: { base: { type: "string" }, only: { type: "string" }, pictures: { type: "boolean", default: false }, out: { type: "string", default: join(here, "out") } },
});

const starters = { guide: startGuide, empty: startEmpty, demo: startDemo };

async function main() {
  const specs = await chooseSpecs();
  // Started at once, each taking its time. What runs in one lane of a house runs in
  // order; lanes and houses live side by side, each with a browser of its own.
  const counts = await Promise.all([...new Set(specs.map((s) => s.needs))].map((needs) => runHouse(needs, specs.filter((s) => s.needs === needs))));
  const count = { passed: 0, failed: 0 };
  for (const c of counts) count.passed += c.passed, count.failed += c.failed;
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exitCode = count.failed || !count.passed ? 1 : 0;
}

async function chooseSpecs() {
  const all = [];
  for (const name of readdirSync(join(here, "specs")).filter((f) => f.endsWith(".mjs")).sort()) {
    const { tests, after, lane = "", needs = args.base ? "base" : "guide" } = await import(join(here, "specs", name));
    if (!args.base || needs === "base") all.push({ file: name.replace(/\.mjs$/, ""), needs, after, lane, tests: Object.entries(tests) });
  }
  if (!args.only) return all;
  const chosen = all.map((spec) => ({ ...spec, tests: spec.tests.filter(([name]) => `${spec.file}: ${name}`.includes(args.only)) }));
  const before = new Set(chosen.filter((spec) => spec.tests.length).map((spec) => spec.after));
  return all.map((spec, i) => (before.has(spec.file) ? spec : chosen[i])).filter((spec) => spec.tests.length);
}

async function runHouse(needs, specs) {
  for (let again = false; ; again = true) {
    const count = { passed: 0, failed: 0 };
    const house = args.base ? { base: args.base.replace(/\/$/, ""), stop() {} } : await starters[needs]();
    const browser = await launch();
    try {
      await Promise.all([...new Set(specs.map((s) => s.lane))].map(async (lane) => {
        for (const spec of specs.filter((s) => s.lane === lane)) await runSpec(browser, house, spec, count);
      }));
    } finally {
      await browser.close().catch((error) => console.log(`      ${error.message.split("\n")[0]}`));
      await house.stop();
    }
    if (!count.failed || again || args.base) return count;
    console.log(`again ${needs}: ${count.failed} failed, a new house and a second and last run`);
  }
}

async function runSpec(browser, house, { file, tests }, count) {
  for (const [name, test] of tests) {
    const title = `${file}: ${name}`;
    const visit = new Visit(browser, house.base, resolve(args.out, file), args.pictures);
    visit.house = house;
    const begun = performance.now();
    try {
      await withLimit(test(visit));
      count.passed++;
      console.log(`ok    ${title} (${Math.round(performance.now() - begun)} ms)`);
    } catch (error) {
      count.failed++;
      await visit.witness(name);
      console.log(`FAIL  ${title}\n      ${String((error && error.stack) || error).replace(/\n/g, "\n      ")}`);
    } finally {
      await visit.close().catch((error) => console.log(`      ${error.message.split("\n")[0]}`));
    }
  }
}

function withLimit(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished after ${LIMIT / 1000} s`)), LIMIT);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function startGuide() {
  return new Promise((found, lost) => {
    // A group of its own: "go run" has the server as its child.
    const child = spawn("go", ["run", "./test/browser/guide"], { cwd: join(here, "../.."), detached: true, stdio: ["ignore", "pipe", "inherit"] });
    child.on("exit", (code) => lost(new Error(`the style guide ended with ${code}`)));
    child.stdout.on("data", (text) => {
      child.removeAllListeners("exit");
      found({ base: String(text).trim().replace(/\/$/, ""), stop: () => process.kill(-child.pid, "SIGINT") });
    });
  });
}

await main();
