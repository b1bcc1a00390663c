// Every page of a hospital of 4,300 people, while an alert runs in it.
import assert from "node:assert/strict";
import { as } from "../lib/doors.mjs";
import { hold, none, sound } from "../lib/sound.mjs";
import { axe, overflow } from "../lib/browser.mjs";

export const needs = "demo";

// What the tests hand on: the alert.
const tour = {};

// visit looks at pages one after the other in the same window.
async function visit(t, role, pages) {
  const page = await as(t, role, "");
  for (const [name, path] of Object.entries(pages)) {
    const answer = await page.goto(t.base + path);
    assert.equal(answer.status(), 200, path);
    await sound(t, page, name);
  }
  return page;
}

export const tests = {
  "a scenario is rehearsed before it is needed": async (t) => {
    const page = await as(t, "Déclencheur", "/scenarios");
    await page.click("main a[href^='/scenarios/0']:has-text('victimes'), main a[href^='/scenarios/0']:has-text('Plan blanc')");
    await page.click("a[href$='/repetition']");
    await sound(t, page, "00-jamais-repete");
    await Promise.all([page.waitForEvent("load"), page.click("main form.form button:has-text('Répéter')")]);
    // The page that waits leads to the curves by itself.
    await page.waitForSelector("svg.chart path.chart-area");
    assert.equal(await page.locator("progress").count(), 0, "the work is over and its bar is still there");
    assert.match(await page.locator("main").innerText(), /200 tirages/);
    await sound(t, page, "00-repetition");
    const bare = await as(t, "Déclencheur", new URL(page.url()).pathname, { script: false });
    assert.equal(await bare.locator("svg.chart path.chart-area").count(), 3, "the curves need scripts");
  },

  "the launcher wakes the hospital": async (t) => {
    const page = await visit(t, "Déclencheur", { "01-alertes": "/alertes", "02-declencher": "/alertes/declencher" });
    await page.click(".card-link:has-text('Plan blanc'), .card-link:has-text('victimes')");
    await sound(t, page, "03-demander");
    for (const field of await page.locator("main .form input[required]:visible").all()) {
      if (!(await field.inputValue())) await field.fill((await field.getAttribute("inputmode")) === "numeric" ? "12" : "18 h");
    }
    await page.fill("#f-ordre", "Dr Ordre, directeur de garde");
    await Promise.all([page.waitForEvent("load"), page.click("button[name=mode][value=exercice]")]);
    none(await page.locator("main .error").allInnerTexts(), "the sheet is refused");
    await sound(t, page, "04-fiche");
    await hold(page);
    tour.alert = new URL(page.url()).pathname;
    await page.waitForFunction(() => [...document.querySelectorAll("#chiffres .stat")].some((s) => /[1-9]/.test(s.innerText) && /répond/i.test(s.innerText)), null);
    await sound(t, page, "05-suivi");
  },

  "the crisis cell conducts": async (t) => {
    const under = (path) => tour.alert + path;
    await visit(t, "Cellule de crise", {
      "07-arrivees": under("/arrivees"), "08-message": under("/message"), "09-elargir": under("/elargir"), "10-vagues": under("/vagues"),
      "11-reponses": under("/reponses"), "12-fin": under("/fin"), "13-arret": under("/arret"),
    });
  },

  "the crisis cell follows": async (t) => {
    const under = (path) => tour.alert + path;
    const page = await visit(t, "Cellule de crise", { "06-personnes": under("/personnes"), "14-rapport": under("/rapport") });
    await page.goto(t.base + under("/personnes"));
    await page.locator("main table a").first().click();
    await sound(t, page, "15-personne-alertee");
    await page.setViewportSize({ width: 1920, height: 1080 });
    await page.goto(t.base + under("/mur"));
    await t.shot(page, "16-mur", false);
    none(await axe(page), "axe on the wall");
    none(await overflow(page), "what sticks out of the wall");
  },

  "the directory": async (t) => {
    const page = await visit(t, "Gestionnaire d’annuaire", {
      "20-annuaire": "/annuaire", "21-qualite": "/annuaire/qualite", "22-groupes": "/annuaire/groupes", "23-groupe": "/annuaire/groupes/nouveau",
      "24-nouveau": "/annuaire/nouveau", "25-export": "/annuaire/export", "26-imports": "/annuaire/import", "27-etablissement": "/etablissement",
      "28-recherche": "/recherche?q=martin", "28b-planning": "/annuaire/planning", "28c-campagnes": "/annuaire/campagnes", "28d-campagne": "/annuaire/campagnes/nouvelle",
      "28e-alarmes": "/annuaire/qualite/alarmes", "28f-conflits": "/annuaire/conflits",
    });
    await page.goto(t.base + "/annuaire");
    await page.locator("main table a").first().click();
    await sound(t, page, "29-personne");
    await page.goto(page.url().replace("/annuaire/", "/annuaire/personnes/") + "/modifier");
    await sound(t, page, "30-modifier");
    await page.goto(t.base + "/etablissement");
    await page.locator("main a[href^='/etablissement/0']").first().click();
    await sound(t, page, "31-site");
  },

  "the inventory": async (t) => {
    const page = await visit(t, "Gestionnaire d’annuaire", {
      "32-inventaire": "/inventaire", "33-nouveau": "/inventaire/nouveau", "33b-application": "/inventaire/nouveau?nature=application",
      "33c-aucun": "/inventaire?q=introuvable", "34-imports": "/inventaire/import", "35-recherche": "/recherche?q=dossier",
    });
    await page.goto(t.base + "/inventaire");
    await page.locator("main table a", { hasText: "Dossier patient" }).click();
    await sound(t, page, "36-fiche");
    const sheet = page.url();
    for (const act of ["modifier", "dependances", "retirer"]) {
      await page.goto(`${sheet}/${act}`);
      await sound(t, page, `36-${act}`);
    }
    // A file with a stranger's column, a line nobody can read and a new thing.
    await page.goto(t.base + "/inventaire/import");
    await page.setInputFiles("input[type=file]", { name: "parc.csv", mimeType: "text/csv", buffer: Buffer.from("Nom;Nature;Criticité;Adresse IP;Couleur\nServeur du tour;Serveur;Vitale;10.99.0.1;bleu\nSans adresse;Serveur;Énorme;999.1.1.1;rouge\n;Serveur;;;\n") });
    await page.selectOption("main form select[name=kind]", { index: 1 });
    await page.fill("main form input[name=source]", "Tour");
    await Promise.all([page.waitForEvent("load"), page.click("main form button.primary")]);
    none(await page.locator("main .error").allInnerTexts(), "the file is refused");
    await sound(t, page, "37-colonnes");
    await Promise.all([page.waitForEvent("load"), page.click("main form button.primary")]);
    await sound(t, page, "37-comparaison");
    await page.goto(page.url() + "?vue=problemes");
    await sound(t, page, "37-a-relire");
    assert.match(await page.locator("main").innerText(), /999\.1\.1\.1/, "the line that cannot be read is not shown");
    await Promise.all([page.waitForEvent("load"), page.click("#confirmer button.primary")]);
    await sound(t, page, "37-fait");
    await Promise.all([page.waitForEvent("load"), page.click("main a[href$='/annuler']")]);
    await sound(t, page, "37-annuler");
    await Promise.all([page.waitForEvent("load"), page.click("main form button.danger")]);
    await sound(t, page, "37-annule");
    await page.goto(t.base + "/inventaire?q=tour");
    assert.equal(await page.locator("main table tbody a").count(), 0, "what was undone is still there");
  },

  "the administration": async (t) => {
    await visit(t, "Administrateur", {
      "40-administration": "/administration", "41-comptes": "/administration/comptes", "42-compte": "/administration/comptes/nouveau",
      "43-canaux": "/administration/canaux", "44-journal": "/administration/journal", "45-sante": "/administration/sante", "46-mon-compte": "/compte",
      "47-mot-de-passe": "/compte/mot-de-passe", "48-enveloppes": "/administration/enveloppes", "49-jetons": "/administration/jetons", "49b-jeton": "/administration/jetons/nouveau",
      "49c-liaisons": "/administration/liaisons", "49d-liaison": "/administration/liaisons/nouveau", "49e-entree": "/administration/liaisons/entrees/nouveau",
      "49f-regles": "/administration/alertes", "49g-serveurs": "/annuaire/serveurs", "49h-serveur": "/annuaire/serveurs/nouveau", "49i-isolement": "/isolement",
    });
  },

  "the scenarios": async (t) => {
    const page = await as(t, "Administrateur", "/scenarios");
    if (page.answer.status() === 404) throw new Error("there is no page of scenarios");
    await sound(t, page, "50-scenarios");
    await page.goto(t.base + "/scenarios/bibliotheque");
    await sound(t, page, "51-bibliotheque");
    await page.goto(t.base + "/scenarios");
    await page.locator("main a[href^='/scenarios/0']").first().click();
    await sound(t, page, "52-scenario");
    const path = new URL(page.url()).pathname;
    for (const section of ["presentation", "textes", "questions", "reponses", "public", "vagues", "effectifs", "autorite", "limites", "publication"]) {
      await page.goto(`${t.base}${path}/modifier/${section}`);
      await sound(t, page, `53-${section}`);
    }
  },

  "refusals say what to do": async (t) => {
    const page = await as(t, "Lecteur", "/alertes/declencher");
    assert.equal(page.answer.status(), 403);
    await sound(t, page, "60-refus");
    await page.goto(t.base + "/nulle-part");
    await sound(t, page, "61-introuvable");
    await page.goto(t.base + "/r/abcdefghijkl");
    await sound(t, page, "62-lien-inconnu");
  },
};
