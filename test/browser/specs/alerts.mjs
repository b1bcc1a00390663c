// Cases of traces: one handled from the list to its justification by the keyboard
// alone, and the pages around it.
import assert from "node:assert/strict";
import { as } from "../lib/doors.mjs";
import { follow, reach } from "../lib/keyboard.mjs";
import { sound } from "../lib/sound.mjs";

export const needs = "demo";
export const lane = "traces";

const officer = "Responsable de la sécurité des systèmes d’information";

export const tests = {
  "a case is handled by the keyboard alone": async (t) => {
    const page = await as(t, officer, "/traces/alertes");
    for (let n = 0; !(await page.locator("main table a[href^='/traces/alertes/']").count()); n++) {
      assert.ok(n < 60, "what servers said has become no case");
      await page.waitForTimeout(500);
      await page.reload();
    }
    await sound(t, page, "70-alertes");
    await reach(page, "main table a[href^='/traces/alertes/']");
    await follow(page, "Enter");
    assert.match(await page.locator("main").innerText(), /Sauvegardes|Mots de passe/);
    await sound(t, page, "71-dossier");
    const address = page.url();
    await reach(page, "main form[action$='/conclure'] [name=state]");
    await page.keyboard.press("Space");
    assert.equal(await page.evaluate(() => document.activeElement.value), "justified");
    await reach(page, "main form[action$='/conclure'] [name=reason]");
    await page.keyboard.type("Essai de restauration annoncé par l’équipe des serveurs");
    await reach(page, "main form[action$='/conclure'] button");
    await follow(page, "Enter");
    assert.equal(page.url(), address);
    assert.match(await page.locator("main").innerText(), /Essai de restauration/);
    await sound(t, page, "72-justifie");
    await page.goto(t.base + "/traces/regles");
    await sound(t, page, "73-regles");
    await page.goto(t.base + "/traces/regles/" + encodeURIComponent("sigma:7b1f5a52-3c0e-4a64-9a53-2f6f5b8f1006"));
    await sound(t, page, "74-regle");
  },

  "the officer of data protection sees the law, and her cases only": async (t) => {
    const page = await as(t, "Délégué à la protection des données", "/traces/detection");
    await sound(t, page, "75-detection");
    await page.goto(t.base + "/traces/detection/registre");
    await sound(t, page, "76-registre");
    await page.goto(t.base + "/traces/alertes");
    const words = await page.locator("main").innerText();
    assert.match(words, /Bris de glace/);
    assert.doesNotMatch(words, /Sauvegardes/);
  },
};
