// Traces: every question by the keyboard alone, a source added and heard, and who
// may not ask.
import assert from "node:assert/strict";
import { as } from "../lib/doors.mjs";
import { none, sound } from "../lib/sound.mjs";

export const needs = "demo";
export const lane = "traces";

const officer = "Délégué à la protection des données";

// What goes in the blanks of each question; the patient is the one of the demonstration.
const blanks = { patient: "800424242", account: "u70099", name: "PC-005-11", service: "Gériatrie 1" };

// fill goes through the form with Tab as a person without a mouse does, types in
// what is empty, and presses Enter.
async function ask(page, reason) {
  await page.locator("main form:has([name=motif]) [name]:visible").first().focus();
  for (let n = 0; n < 20; n++) {
    const field = await page.evaluate(() => ({ name: document.activeElement.name, tag: document.activeElement.tagName, value: document.activeElement.value }));
    if (field.name === "motif") break;
    if (field.tag === "INPUT" && blanks[field.name] && !field.value) await page.keyboard.type(blanks[field.name]);
    await page.keyboard.press("Tab");
  }
  assert.equal(await page.evaluate(() => document.activeElement.name), "motif", "Tab does not lead to the reason");
  await page.keyboard.type(reason);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  none(await page.locator("main .error").allInnerTexts(), "the question is refused");
}

export const tests = {
  "each question is answered by the keyboard alone": async (t) => {
    const page = await as(t, officer, "/traces");
    await sound(t, page, "60-questions");
    const links = await page.$$eval("main a[href^='/traces/questions/']", (all) => [...new Set(all.map((a) => a.getAttribute("href")))]);
    assert.ok(links.length >= 12, `${links.length} questions`);
    for (const link of links) {
      await page.goto(t.base + link);
      await ask(page, "Contrôle mensuel");
      const name = link.split("/").pop();
      // They are drawn alike: three of them show all that an answer may hold.
      if (["record", "volume", "logins"].includes(name)) await sound(t, page, `61-${name}`);
      assert.ok((await page.locator("main").innerText()).includes("Réponse"), `${name} has no answer`);
      assert.ok(!page.url().includes("800424242"), "the patient is in the address");
    }
  },

  "who opened this record, without scripts": async (t) => {
    const page = await as(t, officer, "/traces/questions/record", { script: false });
    await page.fill("[name=patient]", "800424242");
    await page.fill("[name=motif]", "Plainte");
    await Promise.all([page.waitForEvent("load"), page.click("main form:has([name=motif]) button.primary")]);
    const words = await page.locator("main").innerText();
    for (const who of ["Yann BONNET", "Agnès FAURE", "Rémi LAMBERT"]) assert.ok(words.includes(who), `${who} is not in the answer`);
    const event = await page.locator("main a[href^='/traces/evenements/']").first().getAttribute("href");
    const seen = await as(t, officer, event);
    await sound(t, seen, "62-evenement");
    await seen.goto(t.base + "/traces/recherche");
    await sound(t, seen, "63-recherche");
  },

  "a source is added, speaks and is heard": async (t) => {
    const page = await as(t, "Administrateur", "/traces/sources");
    await sound(t, page, "64-sources");
    await page.goto(t.base + "/traces/sources/nouvelle");
    await sound(t, page, "65-nouvelle");
    await page.fill("main form [name=name]", "Pharmacie du tour");
    await page.selectOption("main form [name=format]", "jsonl");
    await Promise.all([page.waitForEvent("load"), page.click("main form button.primary")]);
    none(await page.locator("main .error").allInnerTexts(), "the source is refused");
    await sound(t, page, "66-jeton");
    const token = (await page.locator("main").innerText()).match(/src_[\w-]+/)[0];
    const line = JSON.stringify({ timestamp: new Date().toISOString(), login: "phtour", action: "read", ipp: "8100001", patient: "Paul TOUR" });
    const bad = await fetch(t.base + "/intake/events", { method: "POST", headers: { Authorization: "Bearer faux" }, body: line });
    assert.equal(bad.status, 401);
    const sent = await fetch(t.base + "/intake/events", { method: "POST", headers: { Authorization: `Bearer ${token}` }, body: line + "\n" });
    assert.deepEqual(await sent.json(), { taken: 1, unread: 0 });
    const asked = await as(t, officer, "/traces/questions/person");
    for (let n = 0; ; n++) { // seen within two seconds; a busy machine is given more
      await asked.fill("[name=account]", "phtour");
      await asked.fill("[name=motif]", "Essai");
      await Promise.all([asked.waitForEvent("load"), asked.click("main form:has([name=motif]) button.primary")]);
      if ((await asked.locator("main").innerText()).includes("8100001")) break;
      assert.ok(n < 30, "what was acknowledged is not found");
      await asked.waitForTimeout(500);
    }
    await page.goto(t.base + "/traces/conservation");
    await sound(t, page, "67-conservation");
    const refused = await page.goto(t.base + "/traces/questions/record");
    assert.notEqual(refused.status(), 200, "an administrator asks the traces");
  },
};
