// A browser as people have it: an old PC, a phone, no script, a bad network.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--renderer-process-limit=2",
  "--disable-dev-shm-usage", // a container has little of it, and a browser without dies
];
// The same engine without the windows that nobody sees takes less than half of the
// processor; where only the whole program is installed, that one serves.
const SHELL = "/usr/bin/chromium-headless-shell";
const PROGRAM = process.env.CHROMIUM || (existsSync(SHELL) ? SHELL : "/usr/bin/chromium");
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// PATIENCE is how long a page may take on a machine that does much else.
export const PATIENCE = 90_000;

export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1440, height: 900 };

export async function launch() {
  return chromium.launch({ executablePath: PROGRAM, headless: true, args: FLAGS });
}

// Visit is one person with one device.
export class Visit {
  constructor(browser, base, out, pictures) {
    Object.assign(this, { browser, base, out, pictures, contexts: [] });
  }

  // open returns a page. dark, script (false for none), slow (50 kbit/s and 1 s
  // of latency), language and size change the device.
  async open(path, { size = DESK, dark = false, script = true, slow = false, language = "fr-FR", zoom = 1, reducedMotion = "no-preference", forcedColors = "none", context, state } = {}) {
    const made = context || await this.browser.newContext({
      viewport: { width: Math.round(size.width / zoom), height: Math.round(size.height / zoom) },
      deviceScaleFactor: zoom, colorScheme: dark ? "dark" : "light", javaScriptEnabled: script, locale: language,
      reducedMotion, forcedColors, storageState: state, hasTouch: size.width < 768, isMobile: false,
    });
    if (!context) this.contexts.push(made);
    made.setDefaultTimeout(PATIENCE);
    const page = await made.newPage();
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(String(error)));
    page.on("console", (line) => { if (line.type() === "error" && !/Failed to load resource/.test(line.text())) page.faults.push(line.text()); });
    if (slow) await slowDown(page);
    if (path) page.answer = await page.goto(this.base + path);
    return page;
  }

  // note says a figure that is not judged here.
  note(text) {
    console.log(`      ${text}`);
  }

  // shot keeps a picture for a person to look at; nothing is compared with it.
  async shot(page, name, fullPage = true) {
    if (!this.pictures) return;
    mkdirSync(this.out, { recursive: true });
    // A list of a thousand lines is seen at its top.
    const high = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.screenshot({ path: join(this.out, name + ".png"), fullPage: fullPage && high < 5000 });
  }

  // witness keeps what each open page showed when a test failed.
  async witness(name) {
    mkdirSync(this.out, { recursive: true });
    const pages = this.contexts.flatMap((context) => context.pages());
    for (const [i, page] of pages.entries()) {
      const path = join(this.out, `failed-${name.replace(/[^a-z0-9]+/gi, "-").slice(0, 60)}-${i + 1}.png`);
      await page.screenshot({ path, timeout: 10_000 }).then(
        () => console.log(`      seen at ${page.url().replace(/\/(r|bienvenue|invitation|demonstration)\/.*/, "/$1/…")}: ${path}`),
        (error) => console.log(`      no picture of ${page.url()}: ${error.message.split("\n")[0]}`),
      );
    }
  }

  async close() {
    for (const context of this.contexts) await context.close();
  }
}

// slowDown is the network of a basement: 50 kbit/s, one second to answer.
export async function slowDown(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false, latency: 1000, downloadThroughput: 50000 / 8, uploadThroughput: 50000 / 8,
  });
}

// axe returns the violations, one readable line each: of all rules, or of those given.
export async function axe(page, { within, rules } = {}) {
  if (!(await page.evaluate(() => Boolean(window.axe)))) await page.evaluate(axeSource);
  const result = await page.evaluate(({ at, only }) => window.axe.run(at || document, {
    resultTypes: ["violations"], // the others need not be described: half of the time
    runOnly: only ? { type: "rule", values: only } : ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }), { at: within, only: rules });
  return result.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")} (${(n.any[0] || n.all[0] || n.none[0] || {}).message || v.help})`));
}

// overflow returns what sticks out of the width of the window.
export async function overflow(page) {
  return page.evaluate(() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    return [...document.querySelectorAll("body *")]
      .filter((e) => e.getBoundingClientRect().right > wide + 1 && !e.closest(".table, .hidden"))
      .map((e) => e.tagName.toLowerCase() + "." + e.className);
  });
}

// smallTargets returns the controls under 44 px that are not links of a sentence.
export async function smallTargets(page) {
  return page.evaluate(() => {
    const small = [];
    for (const e of document.querySelectorAll("button, summary, select, textarea, nav a, a.button, input:not([type=hidden])")) {
      const box = (e.matches("[type=checkbox], [type=radio]") ? e.closest("label, .check") || e : e).getBoundingClientRect();
      if (box.width === 0 || e.closest(".hidden")) continue;
      if (box.height < 43.5 && !e.closest(".crumbs")) small.push(`${e.tagName.toLowerCase()}.${e.className} ${Math.round(box.width)}×${Math.round(box.height)} « ${e.textContent.trim().slice(0, 30)} »`);
    }
    return small;
  });
}

// tabTo presses Tab until the focus is on what the selector matches, and says
// whether the focus could be seen there.
export async function tabTo(page, selector, most = 120) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate((s) => {
      const at = document.activeElement;
      if (!at || !at.matches(s)) return null;
      const style = getComputedStyle(at);
      return { visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
    }, selector);
    if (seen) return seen;
  }
  throw new Error(`Tab never reaches ${selector}`);
}

// transferred is what the network carried for a page, and in asked what the
// page asked for.
export async function transferred(visit, path, { asked = [], ...options } = {}) {
  const page = await visit.open("", options);
  page.on("request", (request) => asked.push(request.url()));
  const session = await page.context().newCDPSession(page);
  let bytes = 0;
  await session.send("Network.enable");
  session.on("Network.loadingFinished", (event) => { bytes += event.encodedDataLength; });
  await page.goto(visit.base + path, { waitUntil: "networkidle" });
  return { bytes, page };
}
