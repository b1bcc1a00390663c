// A person without a mouse: Tab, letters, Space, arrows and Enter.
import assert from "node:assert/strict";
import { none } from "./sound.mjs";

// reach goes with Tab until what is focused fits, as a person without a mouse does.
export async function reach(page, selector, most = 150) {
  for (let n = 0; n < most; n++) {
    if (await page.evaluate((s) => document.activeElement.matches(s), selector)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not lead to ${selector}`);
}

// type goes to a field and writes in it, in the place of what was there.
export async function type(page, name, words) {
  await reach(page, `main [name="${name}"]`);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(words);
}

// pick goes to a choice among several and takes the one of a value.
export async function pick(page, name, value) {
  await reach(page, `main [name="${name}"]`);
  const all = await page.$$eval(`main [name="${name}"]`, (list) => (list[0].options ? [...list[0].options] : list).map((e) => e.value));
  const radio = await page.evaluate(() => document.activeElement.type === "radio");
  if (radio) await page.keyboard.press("Space");
  const now = await page.evaluate(() => document.activeElement.value);
  const steps = all.indexOf(value) - all.indexOf(now);
  for (let n = 0; n < Math.abs(steps); n++) await page.keyboard.press(steps > 0 ? "ArrowDown" : "ArrowUp");
  assert.equal(await page.evaluate(() => document.activeElement.value), value, `the arrows do not lead to ${value}`);
}

// follow presses a key that leads to the next page, which refuses nothing.
export async function follow(page, key = "Enter") {
  await Promise.all([page.waitForEvent("load"), page.keyboard.press(key)]);
  none(await page.locator("main .error, main .summary").allInnerTexts(), "what was sent is refused");
}

// go leads to a link or a button and presses it.
export async function go(page, selector) {
  await reach(page, selector);
  await follow(page);
}
