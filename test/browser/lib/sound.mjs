// What every page owes, on a desk, on a phone and magnified.
import assert from "node:assert/strict";
import { axe, DESK, overflow, PHONE } from "./browser.mjs";

export const none = (list, what) => assert.deepEqual(list, [], what);

// What the width of the window can change of a page that axe has read whole.
const NARROW = ["target-size", "scrollable-region-focusable", "color-contrast", "landmark-unique", "region", "page-has-heading-one"];

// sound looks at a page at 1440 and 390 pixels, and at 1440 magnified twice: no
// error, no axe violation, nothing that sticks out, no key without its sentence.
export async function sound(t, page, name) {
  const where = `${name} (${new URL(page.url()).pathname})`;
  for (const [device, size] of [["desk", DESK], ["phone", PHONE]]) {
    await page.setViewportSize(size);
    await t.shot(page, `${name}-${device}`);
    none(await axe(page, device === "desk" ? {} : { rules: NARROW }), `axe, ${device}: ${where}`);
    none(await overflow(page), `what sticks out, ${device}: ${where}`);
  }
  await page.setViewportSize({ width: DESK.width / 2, height: DESK.height / 2 });
  none(await overflow(page), `what sticks out at 200 %: ${where}`);
  await page.setViewportSize(DESK);
  none(page.faults, `errors in the page: ${where}`);
  const said = await page.evaluate(() => ({ words: document.body.innerText, titles: document.querySelectorAll("h1").length }));
  assert.doesNotMatch(said.words, unfinished(page), `a text is not finished: ${where}`);
  assert.equal(said.titles, 1, `one title: ${where}`);
}

// unfinished is a key without its sentence or a hole nobody filled; a scenario and a door show their holes on purpose.
const unfinished = (page) => (/\/(scenarios|entrees)\//.test(page.url()) ? /⟦|\bundefined\b|%!/ : /⟦|\bundefined\b|%!|\{[a-z_]+\}/);

// openAll opens what is folded in the page, not the menus around it.
export const openAll = (page) => page.locator("main details").evaluateAll((list) => list.forEach((d) => { d.open = true; }));

// press presses a button and waits for the page after.
export async function press(page, selector) {
  await Promise.all([page.waitForEvent("load"), page.locator(selector).first().click()]);
}

// submit presses the main button of the form that holds a selector.
export async function submit(page, within) {
  const form = page.locator("form").filter({ has: page.locator(within) });
  await Promise.all([page.waitForEvent("load"), form.locator("button.primary").first().click()]);
}

// hold keeps a button pressed until the next page.
export async function hold(page) {
  const button = page.locator("[data-hold-button]").first();
  await button.scrollIntoViewIfNeeded();
  await button.hover();
  const next = page.waitForEvent("load");
  await page.mouse.down();
  await next;
  await page.mouse.up();
}

// fillSheet asks for an improvised exercise that wants answers.
export async function fillSheet(page, words) {
  await page.fill("#f-texte", words);
  await page.check("input[name=reponse]");
  await page.fill("#f-ordre", "Dr Ordre");
  await Promise.all([page.waitForNavigation(), page.click("button[name=mode][value=exercice]")]);
}
