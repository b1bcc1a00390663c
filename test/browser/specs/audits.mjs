// Questions that are kept and sent, dashboards, requests for audit and archives:
// made by the keyboard alone, from the first word to the last.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { axe } from "../lib/browser.mjs";
import { as } from "../lib/doors.mjs";
import { go, pick, reach, type } from "../lib/keyboard.mjs";
import { none, openAll, sound } from "../lib/sound.mjs";

export const needs = "demo";
export const lane = "traces";

const officer = "Délégué à la protection des données";
const controller = "Représentant du responsable de traitement";
const physician = "Médecin responsable de l’information médicale (DIM)";
const PATIENT = "800424242"; // of the demonstration

const words = (page) => page.locator("main").innerText();

export const tests = {
  "a question is kept, sent every month and put on a dashboard that is printed": async (t) => {
    const page = await as(t, officer, "/traces/questions/exports");
    await type(page, "motif", "Revue mensuelle");
    await go(page, "main button[formaction$='/garder']");
    await type(page, "nom", "Exports du mois");
    await go(page, "main form button.primary");
    await sound(t, page, "80-gardee");
    assert.match(await words(page), /Posée seulement à la main/);
    // An hour that is not said is no midnight.
    await page.locator("main form[action$='/envoi']").evaluate((form) => { form.noValidate = true; });
    await page.fill("main [name=heure]", "");
    await Promise.all([page.waitForEvent("load"), page.locator("main form[action$='/envoi'] button").first().click()]);
    assert.equal(await page.locator("main [name=heure][aria-invalid=true]").count(), 1, "an empty hour is taken for midnight");
    await page.locator("main").evaluate(() => document.activeElement.blur());
    await pick(page, "rythme", "mois");
    await type(page, "heure", "7");
    await type(page, "jour_mois", "3");
    await reach(page, "main [name=destinataires]");
    if (!(await page.evaluate(() => document.activeElement.checked))) await page.keyboard.press("Space");
    await go(page, "main form[action$='/envoi'] button");
    assert.match(await words(page), /Chaque mois, le 3 à 7 h\. Prochain envoi/);
    await page.goto(t.base + "/traces/gardees");
    await sound(t, page, "81-gardees");

    await page.goto(t.base + "/traces/tableaux");
    await sound(t, page, "82-tableaux");
    await type(page, "nom", "Comité");
    await type(page, "motif", "Réunion du comité");
    await go(page, "main form.form button");
    await reach(page, "main [name=question]");
    await page.keyboard.type("Exports du mois");
    await pick(page, "forme", "nombre");
    await go(page, "main form[action$='/questions'] button");
    await openAll(page);
    await sound(t, page, "83-tableau");
    await go(page, "main form[action$='/afficher'] button");
    await sound(t, page, "84-affiche");
    assert.match(await words(page), /Exports du mois[\s\S]*Événements\s+\d/);
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator("nav, main form").evaluateAll((list) => list.filter((e) => e.checkVisibility()).length), 0, "what is pressed is printed");
    assert.ok(await page.getByText("Exports du mois").first().isVisible());
  },

  "a request for audit is advised, decided, and looked at within its bounds": async (t) => {
    const asker = await as(t, "Lecteur", "/traces/demandes/nouvelle");
    await sound(t, asker, "85-demande");
    await pick(asker, "sorte", "service");
    await type(asker, "objet", "Dossier ouvert la nuit");
    await type(asker, "motif", "Une consultation que rien n’explique dans le service");
    await type(asker, "patients", PATIENT);
    await go(asker, "main form button.primary");
    const path = new URL(asker.url()).pathname;
    for (const role of [officer, physician]) {
      const adviser = await as(t, role, path);
      if (role === officer) await sound(t, adviser, "86-avis");
      await pick(adviser, "sens", "favorable");
      await type(adviser, "avis", "Un patient, un mois : proportionné");
      await go(adviser, "main form[action$='/avis'] button");
    }
    const boss = await as(t, controller, path);
    await sound(t, boss, "87-decider");
    await pick(boss, "sens", "accepter");
    await type(boss, "decision", "Accordée");
    await reach(boss, "main [name=delegue]");
    await boss.keyboard.type("Thierry");
    await go(boss, "main form[action$='/decision'] button");
    assert.match(await words(boss), /Confiée à Thierry Payet/);

    const delegate = await as(t, "Auditeur", path);
    await sound(t, delegate, "88-confiee");
    await go(delegate, "main a[href$='/questions/record']");
    await type(delegate, "motif", "Vérification");
    await go(delegate, "main form button.primary");
    assert.match(await words(delegate), /Yann BONNET/);
    none(await axe(delegate), "axe on an answer under a request");
    // What the request does not cover gives nothing, and the room itself stays shut.
    await delegate.goto(t.base + path + "/questions/record");
    await type(delegate, "patient", "800131313");
    await type(delegate, "motif", "Vérification");
    await go(delegate, "main form button.primary");
    assert.doesNotMatch(await words(delegate), /Karim ROUX/);
    assert.equal((await delegate.goto(t.base + "/traces/questions/record")).status(), 403);
    await delegate.goto(t.base + path);
    await type(delegate, "conclusion", "Une consultation sans motif, transmise");
    await go(delegate, "main form[action$='/conclusion'] button");
    assert.match(await words(delegate), /Conclue par Thierry Payet/);
    await asker.goto(t.base + "/traces/demandes");
    await sound(t, asker, "89-demandes");
    assert.match(await words(asker), /Dossier ouvert la nuit[\s\S]*conclue/);
  },

  "an archive leaves when a second person approved it": async (t) => {
    const page = await as(t, officer, "/traces/exports/nouvelle");
    await sound(t, page, "90-archive");
    await pick(page, "nature", "patient");
    await type(page, "patient", PATIENT);
    await type(page, "identite", "Carte d’identité vue au guichet");
    await type(page, "motif", "Droit d’accès");
    await go(page, "main form button.primary");
    await sound(t, page, "91-attend");
    assert.match(await words(page), /une autre personne doit l’approuver/);
    assert.equal(await page.locator("main form[action$='/approuver']").count(), 0, "one approves one's own request");
    const path = new URL(page.url()).pathname;

    // Who approves finds the way alone: from the requests, which are in the rail.
    const boss = await as(t, controller, "/traces/demandes");
    await go(boss, "main a[href='/traces/exports']");
    await sound(t, boss, "92-archives");
    await go(boss, `main a[href='${path}']`);
    await go(boss, "main form[action$='/approuver'] button");
    await sound(t, boss, "93-approuvee");

    for (let n = 0; !(await page.locator("main form[action$='/archive']").count()); n++) {
      assert.ok(n < 120, "the archive is never ready");
      await page.waitForTimeout(250);
      await page.reload();
    }
    await reach(page, "main form[action$='/archive'] button");
    const [archive] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    assert.equal(readFileSync(await archive.path()).subarray(0, 2).toString(), "PK", "the archive is no ZIP");
  },

  "the pages around": async (t) => {
    const page = await as(t, officer, "");
    for (const [name, path] of Object.entries({
      "94-soins": "/traces/soins", "95-connus": "/traces/soins/connus", "96-comptes": "/traces/comptes", "97-consommateurs": "/traces/consommateurs", "98-consommateur": "/traces/consommateurs/nouveau",
    })) {
      assert.equal((await page.goto(t.base + path)).status(), 200, path);
      await openAll(page);
      await sound(t, page, name);
    }
  },
};
