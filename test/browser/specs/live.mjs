// A live page that loses its link says so, since when, and recovers alone.
import assert from "node:assert/strict";

export const needs = "guide";

export const tests = {
  "a broken link is told with its hour, then mended": async (t) => {
    const page = await t.open("/vivant");
    await page.waitForFunction(() => document.querySelector("[sse-swap]").textContent.trim() === "412");
    await page.waitForSelector(".live-lost:not(:empty)");
    assert.match(await page.textContent(".live-lost"), /coupée depuis \d\d:\d\d:\d\d/);
    assert.equal(await page.evaluate(() => document.body.classList.contains("live-stale")), true);
    await t.shot(page, "lost", false);
    await page.waitForFunction(() => document.querySelector("[sse-swap]").textContent.trim() === "413");
    await page.waitForFunction(() => !document.body.classList.contains("live-stale"));
    await page.waitForSelector(".live-lost:empty", { state: "attached" });
  },
};
