// On-call rosters are made and changed with a keyboard alone, without a script.
import assert from "node:assert/strict";
import { as } from "../lib/doors.mjs";
import { none, sound } from "../lib/sound.mjs";
import { axe, overflow, PHONE, tabTo } from "../lib/browser.mjs";

export const needs = "demo";

// typed fills the field a label names, reached by Tab, as a person would.
async function typed(page, id, text) {
  await tabTo(page, `[id="f-${id}"]`);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}

// entered presses Enter on what the focus reaches, and waits for the next page.
async function entered(page, selector) {
  const seen = await tabTo(page, selector);
  assert.equal(seen.visible, true, `the focus cannot be seen on ${selector}`);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
}

// people gives two members of staff as a rotation writes them, and their names.
async function people(page) {
  await page.locator("main table a", { hasText: "Directeur de garde" }).click();
  await page.locator("a[href*='/tours/'][href$='/modifier']").first().click();
  const labels = (await page.locator("[id='f-members']").inputValue()).split(/\r?\n/).slice(0, 2);
  return [labels, labels.map((label) => label.replace(/ \(.*/, ""))];
}

export const tests = {
  "roster editing by keyboard": async (t) => {
    const page = await as(t, "Gestionnaire d’annuaire", "/annuaire/astreintes", { script: false });
    assert.match(await page.locator("main table").innerText(), /Cadre de garde/);
    const [[one, other], [first, second]] = await people(page);
    await page.goto(t.base + "/annuaire/astreintes");
    // A function…
    await entered(page, "a[href$='/fonctions/nouvelle']");
    await typed(page, "name", "RSSI d’astreinte");
    await entered(page, "main form button");
    assert.match(page.url(), /tours\/nouveau$/);
    // …its rotation: an unknown name is told at its field, and what was typed stays.
    await typed(page, "members", "Personne Inconnue");
    await entered(page, "main form button");
    assert.match(await page.locator("main .error, main .field-error").first().innerText(), /Personne Inconnue/);
    assert.equal(await page.locator("[id='f-members']").inputValue(), "Personne Inconnue");
    await typed(page, "members", `${one}\n${other}`);
    await entered(page, "main form button");
    assert.match(await page.locator("main").innerText(), new RegExp(`${first}[\\s\\S]*${second}`));
    // Turned round: the lines change places.
    await entered(page, "a[href*='/tours/'][href$='/modifier']");
    await typed(page, "members", `${other}\n${one}`);
    await entered(page, "main form button");
    assert.match(await page.locator("main .card ol").first().innerText(), new RegExp(`^${second}\\s+${first}`));
    // Replaced from now on: the page says it in words.
    await entered(page, "a[href$='/remplacement']");
    await typed(page, "person", one);
    await entered(page, "main form button");
    assert.match(await page.locator("main").innerText(), /Remplacement/);
    await entered(page, "form[action*='/remplacements/'] button");
    assert.match(await page.locator("main").innerText(), /Remplacement retiré/);
    await entered(page, "a[href$='/supprimer']");
    assert.match(await page.locator("main").innerText(), /RSSI d’astreinte/);
    await entered(page, "main form button");
    assert.doesNotMatch(await page.locator("main table").innerText(), /RSSI/);
  },

  "on-call pages on a desk and on a phone": async (t) => {
    const page = await as(t, "Gestionnaire d’annuaire", "/annuaire/astreintes");
    const path = await page.locator("main table a", { hasText: "Astreinte réanimation" }).getAttribute("href");
    const turn = async () => page.locator("a[href*='/tours/'][href$='/modifier']").first().getAttribute("href");
    await sound(t, page, "50-astreintes");
    await page.goto(t.base + path);
    const rotation = await turn();
    await sound(t, page, "51-astreinte");
    for (const [name, at] of Object.entries({
      "52-astreinte-modifier": path + "/modifier", "53-tour": rotation, "54-remplacement": path + "/remplacement", "55-echange": path + "/echange",
      "56-supprimer": path + "/supprimer", "57-problemes": "/annuaire/astreintes/problemes", "58-alertes": "/alertes",
      "59-fichiers": "/annuaire/astreintes/fichiers", "59b-calendriers": path + "/calendriers",
    })) {
      const answer = await page.goto(t.base + at);
      assert.equal(answer.status(), 200, at);
      await sound(t, page, name);
    }
    await page.setViewportSize(PHONE);
    for (const [name, at] of Object.entries({ "60-astreintes-telephone": "/annuaire/astreintes", "61-astreinte-telephone": path, "62-tour-telephone": rotation, "63-alertes-telephone": "/alertes" })) {
      await page.goto(t.base + at);
      await t.shot(page, name);
      none(await axe(page), `axe on ${name}`);
      none(await overflow(page), `what sticks out of ${name}`);
    }
  },
};
