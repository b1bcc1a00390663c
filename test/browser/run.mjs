// Runs the specs of test/browser/specs against a running Tocsin:
//
//   node test/browser/run.mjs --base http://127.0.0.1:8080 [--only word] [--out folder]
//
// Without --base it starts the style guide alone and runs its spec. A spec
// exports `tests`, an object of name → async (t) => …, and may export
// `needs = "app"` when the style guide is not enough, "guide" when it runs
// against the style guide only.
// Ends with "N passed, N failed"; the exit code says the same.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { launch, Visit } from "./lib/browser.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const LIMIT = 90_000;

const { values: args } = parseArgs({
  options: { base: { type: "string" }, only: { type: "string" }, out: { type: "string", default: join(here, "out") } },
});

async function main() {
  const guide = args.base ? null : await startGuide();
  const base = (args.base || guide.url).replace(/\/$/, "");
  const browser = await launch();
  const count = { passed: 0, failed: 0 };
  try {
    for (const file of readdirSync(join(here, "specs")).filter((f) => f.endsWith(".mjs")).sort()) {
      const spec = await import(join(here, "specs", file));
      if (spec.needs && spec.needs !== (guide ? "guide" : "app")) continue;
      await runSpec(browser, base, file.replace(/\.mjs$/, ""), spec.tests, count);
    }
  } finally {
    await browser.close();
    if (guide) guide.stop();
  }
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exitCode = count.failed || !count.passed ? 1 : 0;
}

async function runSpec(browser, base, file, tests, count) {
  for (const [name, test] of Object.entries(tests)) {
    const title = `${file}: ${name}`;
    if (args.only && !title.includes(args.only)) continue;
    const visit = new Visit(browser, base, resolve(args.out, file));
    const begun = performance.now();
    try {
      await withLimit(test(visit));
      count.passed++;
      console.log(`ok    ${title} (${Math.round(performance.now() - begun)} ms)`);
    } catch (error) {
      count.failed++;
      console.log(`FAIL  ${title}\n      ${String((error && error.stack) || error).replace(/\n/g, "\n      ")}`);
    } finally {
      await visit.close();
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
      found({ url: String(text).trim(), stop: () => process.kill(-child.pid, "SIGINT") });
    });
  });
}

await main();
