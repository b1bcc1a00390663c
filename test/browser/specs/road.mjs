// From the link of the first start to the report of the first alert, as the
// person who installs does it. Each test goes on where the one before stopped.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { PHONE, tabTo } from "../lib/browser.mjs";
import { totp } from "../lib/login.mjs";
import { fillSheet, hold, none, openAll, press, sound, submit } from "../lib/sound.mjs";

export const needs = "empty";

const LOGIN = "camille.martin@ch.example";
const PASSWORD = "quatre chevaux traversent la vallée";
// What the tests hand on to those after.
const road = {};

// enter opens a page as the administrator signed in by the first test.
const enter = (t, path, options = {}) => t.open(path, { ...options, state: road.state });

// authenticator plugs a virtual security key into a page.
async function authenticator(page) {
  const device = await page.context().newCDPSession(page);
  await device.send("WebAuthn.enable");
  const { authenticatorId } = await device.send("WebAuthn.addVirtualAuthenticator", { options: {
    protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
  } });
  return { device, authenticatorId };
}

const staff = (extra = "") => "Matricule;Nom;Prénom;Métier;Service;Portable;Courriel\r\n" +
  "1001;ABADIE;Léa;IADE;Urgences;;lea@ch.example\r\n" +
  "1002;BRUN;Hugo;IDE;Urgences;06 39 98 00 02;hugo@ch.example\r\n" + extra;

const wrong = "1003;CARRÉ;Zoé;IDE;Bloc;06 39 98;zoe@ch.example\r\n1003;DOUBLE;Max;IDE;Bloc;;max@ch.example\r\n";

export const tests = {
  "first start: link, establishment, administrator, second factor, recovery codes": async (t) => {
    const page = await t.open(new URL(t.house.link).pathname);
    await sound(t, page, "01-bienvenue");
    await page.fill("#f-establishment", "Centre hospitalier des Deux-Rives");
    await page.fill("#f-name", "Camille Martin");
    await page.fill("#f-login", LOGIN);
    await page.fill("#f-password", PASSWORD);
    await page.check("input[name=launches]");
    await submit(page, "#f-establishment");
    assert.equal(new URL(page.url()).pathname, "/compte/second-facteur");
    await sound(t, page, "02-second-facteur");
    await page.goto(t.base + "/alertes");
    assert.equal(new URL(page.url()).pathname, "/compte/second-facteur", "nothing opens before the second factor");
    await page.click("a[href='/compte/second-facteur/application']");
    await openAll(page);
    await sound(t, page, "03-application");
    const secret = (await page.locator("code").first().textContent()).replace(/\s/g, "");
    await page.fill("#f-code", "000000");
    await submit(page, "#f-code");
    await page.waitForSelector(".summary");
    await page.fill("#f-code", totp(secret, Date.now()));
    await submit(page, "#f-code");
    assert.equal(await page.locator("ol.columns code").count(), 10);
    road.secret = secret;
    await sound(t, page, "04-codes-de-secours");
    await press(page, "button.primary");
    assert.equal(new URL(page.url()).pathname, "/alertes");
    await sound(t, page, "05-premier-jour");
    road.state = await page.context().storageState();
  },

  "a passkey is registered, then signs in alone": async (t) => {
    const page = await enter(t, "/compte/second-facteur");
    const { device, authenticatorId } = await authenticator(page);
    await page.fill("#key-name", "Ordinateur de la salle de crise");
    await press(page, "[data-passkey=register] button");
    await page.goto(t.base + "/compte/second-facteur");
    await page.waitForSelector("text=Ordinateur de la salle de crise");
    await sound(t, page, "06-cle-acces");
    road.state = t.house.administrator = await page.context().storageState();
    await page.context().clearCookies();
    await page.goto(t.base + "/connexion?suite=/annuaire");
    await sound(t, page, "07-connexion");
    await Promise.all([page.waitForURL(t.base + "/annuaire"), page.click("[data-passkey] button")]);
    await page.waitForSelector("h1");
    [road.key] = (await device.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
  },

  "a stranger’s key is refused; a code, then one’s own key, are second steps": async (t) => {
    const page = await t.open("/connexion");
    const { device, authenticatorId } = await authenticator(page);
    const foreign = randomBytes(16).toString("base64");
    await device.send("WebAuthn.addCredential", { authenticatorId, credential: {
      credentialId: foreign, isResidentCredential: true, rpId: "localhost", userHandle: randomBytes(16).toString("base64"), signCount: 1,
      privateKey: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "der" }).toString("base64"),
    } });
    await page.click("[data-passkey] button");
    await page.waitForFunction(() => document.querySelector("[data-passkey-note]").textContent !== "");
    assert.equal(new URL(page.url()).pathname, "/connexion", "a key nobody registered opened the door");
    await device.send("WebAuthn.removeCredential", { authenticatorId, credentialId: foreign });

    const halfway = async () => {
      await page.goto(t.base + "/connexion");
      await page.fill("#f-login", LOGIN);
      await page.fill("#f-password", PASSWORD);
      await submit(page, "#f-password");
      assert.equal(new URL(page.url()).pathname, "/connexion/second-facteur");
    };
    await halfway();
    await sound(t, page, "07-second-facteur-demande");
    await page.fill("#f-code", "000000");
    await submit(page, "#f-code");
    await page.waitForSelector(".summary");
    await page.fill("#f-code", totp(road.secret, Date.now() + 30_000)); // the code of this half minute set the application up
    await submit(page, "#f-code");
    assert.equal(new URL(page.url()).pathname, "/alertes");

    await page.context().clearCookies();
    await device.send("WebAuthn.addCredential", { authenticatorId, credential: road.key });
    await halfway();
    await Promise.all([page.waitForURL(t.base + "/alertes"), page.click("[data-passkey] button")]);
  },

  "a sealed envelope: made, printed, kept": async (t) => {
    const page = await enter(t, "/administration/enveloppes");
    await sound(t, page, "07-enveloppes-vides");
    await page.fill("#f-label", "Coffre du standard");
    await submit(page, "#f-label");
    await sound(t, page, "07-enveloppe-a-imprimer");
    assert.match(await page.locator(".sheet code").innerText(), /^([A-Z2-9]{4} ){3}[A-Z2-9]{4}$/);
    await press(page, "form[action$='/imprimee'] button");
    await sound(t, page, "07-enveloppes");
    await page.goto(t.base + "/administration/alertes");
    await sound(t, page, "07-regles-des-alertes");
    await page.goto(t.base + "/administration/alertes/information");
    await sound(t, page, "07-notice");
    await page.goto(t.base + "/compte");
    await sound(t, page, "07-mon-compte");
  },

  "a gateway: added, tried, shown": async (t) => {
    const page = await enter(t, "/administration/canaux/nouveau");
    await sound(t, page, "08-canal-sorte");
    await page.goto(t.base + "/administration/canaux/nouveau?sorte=smtp");
    await openAll(page);
    await sound(t, page, "09-canal");
    await page.fill("#f-name", "Relais de l’hôpital");
    await page.fill("#f-host", "127.0.0.1");
    await page.fill("#f-port", String(t.house.mail.port));
    await page.selectOption("#f-tls", "none");
    await page.fill("#f-from", "alerte@ch.example");
    await page.check("input[name=enabled]");
    await submit(page, "#f-host");
    none(await page.locator(".summary").allInnerTexts(), "the gateway is refused");
    await press(page, "form[action$='/essai'] button");
    await sound(t, page, "10-canal-essaye");
  },

  "an import with errors: file, columns, comparison, confirmation, undo": async (t) => {
    const page = await enter(t, "/annuaire/import");
    await sound(t, page, "11-import");
    await upload(page, staff(wrong));
    await page.waitForSelector("select[name^=colonne]");
    await sound(t, page, "12-colonnes");
    await submit(page, "select[name^=colonne]");
    await page.waitForSelector("form[action$='/confirmer']");
    await openAll(page);
    await sound(t, page, "13-comparaison");
    assert.match(await page.innerText("main"), /DOUBLE Max/);
    await page.click("main nav a:has-text('Avertissements'), .tabs a:has-text('Avertissements')");
    await page.waitForFunction(() => /CARRÉ/.test(document.querySelector("main").innerText));
    const [file] = await Promise.all([page.waitForEvent("download"), page.click("a[href$='/illisibles']")]);
    assert.match(await text(file), /DOUBLE/, "the rows that cannot be read are given back");
    await press(page, "form[action$='/confirmer'] button.primary");
    await page.waitForSelector("a[href$='/annuler']");
    await sound(t, page, "14-importe");
    await page.click("a[href$='/annuler']");
    await sound(t, page, "15-annuler");
    await press(page, "form[action$='/annuler'] button[class*=primary], form[action$='/annuler'] button.danger");
    await page.waitForFunction(() => /annulé/i.test(document.querySelector("main").innerText), null);
    await page.goto(t.base + "/annuaire");
    assert.doesNotMatch(await page.innerText("main"), /ABADIE/i);

    await page.goto(t.base + "/annuaire/import");
    await upload(page, staff());
    await page.waitForSelector("select[name^=colonne]");
    assert.match(await page.innerText("main"), /votre choix d’alors est repris/, "the columns are remembered");
    await submit(page, "select[name^=colonne]");
    await page.waitForSelector("form[action$='/confirmer']");
    await press(page, "form[action$='/confirmer'] button.primary");
    await page.waitForSelector("a[href$='/annuler']");
    await page.goto(t.base + "/annuaire");
    assert.match(await page.innerText("main"), /ABADIE/i);
    await sound(t, page, "16-annuaire");
  },

  "a planning: read, its unread row explained, put in use": async (t) => {
    const page = await enter(t, "/annuaire/planning");
    await sound(t, page, "16b-planning");
    const today = new Date().toLocaleDateString("fr-FR", { timeZone: "Europe/Paris", day: "2-digit", month: "2-digit", year: "numeric" });
    const rows = `Matricule;Date;Horaire\r\n1002;${today};00:00-24:00\r\n1002;${today};M7\r\n`;
    await page.setInputFiles("input[name=fichier]", { name: "planning.csv", mimeType: "text/csv", buffer: Buffer.from(rows, "utf8") });
    await submit(page, "input[name=fichier]");
    assert.match(await page.innerText("main"), /M7.*n’est pas un horaire/);
    await sound(t, page, "16c-planning-lu");
    await press(page, "form[action$='/confirmer'] button.primary");
    assert.match(await page.innerText(".stats"), /En poste\s+1\b/);
  },

  "a launch held two seconds: an e-mail leaves with its link": async (t) => {
    const page = await enter(t, "/alertes/improviser");
    await sound(t, page, "17-improviser");
    await fillSheet(page, "Incendie à la chaufferie, venez");
    await sound(t, page, "18-fiche");
    await hold(page);
    road.alert = new URL(page.url()).pathname;
    assert.match(road.alert, /^\/alertes\/[0-9a-f-]{36}$/);
    await sound(t, page, "19-suivi");
    const letter = await t.house.mail.for("lea@ch.example", "Incendie");
    road.link = letter.text.match(/\/r\/[A-Za-z0-9_-]+/)[0];
  },

  "an answer without script, on a phone, at 50 kbit/s": async (t) => {
    const board = await enter(t, road.alert);
    await board.waitForFunction(() => document.querySelector("[sse-connect], [data-live]"));
    const page = await t.open("", { size: PHONE, script: false, slow: true });
    const begun = performance.now();
    await page.goto(t.base + road.link, { waitUntil: "commit" });
    await page.waitForSelector("button.yes");
    t.note(`usable after ${Math.round(performance.now() - begun)} ms`);
    await t.shot(page, "20-reponse");
    await Promise.all([page.waitForNavigation(), page.locator("button.yes").first().click()]);
    assert.match(await page.innerText("[role=status]"), /\d/);
    await t.shot(page, "21-repondu");
    // The board moves by itself.
    await board.waitForFunction(() => [...document.querySelectorAll("#chiffres .stat")].some((s) => /Annoncés\s+1\b/.test(s.innerText)), null);
    await sound(t, board, "22-suivi-repondu");
    const plain = await t.open(road.link, { size: PHONE });
    await sound(t, plain, "23-page-reponse");
  },

  "the dashboard without script": async (t) => {
    const page = await enter(t, road.alert, { script: false });
    assert.match(await page.innerText("main"), /Actualiser|actualiser/);
    assert.match(await page.innerText("#personnes"), /ABADIE/i);
    await t.shot(page, "24-suivi-sans-script");
    await Promise.all([page.waitForNavigation(), page.locator("a[href$='actualiser=1']").first().click()]);
  },

  "a launch by keyboard alone": async (t) => {
    const page = await enter(t, "/alertes/improviser");
    assert.equal((await tabTo(page, "#f-texte")).visible, true);
    await page.keyboard.type("Panne du standard, rappelez");
    await tabTo(page, "input[name=reponse]");
    assert.equal((await tabTo(page, "button[name=mode][value=test]")).visible, true);
    await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
    assert.equal((await tabTo(page, "[data-hold-button]")).visible, true);
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.name), "mot", "a key on the button leads to the word");
    await page.keyboard.type("test");
    await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
    assert.match(new URL(page.url()).pathname, /^\/alertes\/[0-9a-f-]{36}$/);
  },

  "a launch without script: a wrong word launches nothing": async (t) => {
    const page = await enter(t, "/alertes/improviser", { script: false });
    await fillSheet(page, "Exercice du matin, répondez");
    assert.equal(await page.isVisible("[data-hold-press]"), false);
    await page.fill("input[name=mot]", "réel");
    await Promise.all([page.waitForNavigation(), page.locator(".hold-word button").click()]);
    assert.equal(await page.locator(".hold .error").count() > 0, true);
    await t.shot(page, "25-mot-faux");
    await page.fill("input[name=mot]", "exercice");
    await Promise.all([page.waitForNavigation(), page.locator(".hold-word button").click()]);
    assert.match(new URL(page.url()).pathname, /^\/alertes\/[0-9a-f-]{36}$/);
  },

  "the end, its message, and the report to take away": async (t) => {
    const page = await enter(t, road.alert + "/fin");
    await sound(t, page, "26-fin");
    await hold(page);
    assert.match(await page.innerText("main"), /terminée/i);
    await t.house.mail.for("lea@ch.example", "fin de l");
    await page.goto(t.base + road.alert + "/rapport");
    await sound(t, page, "27-rapport");
    for (const [kind, begins] of [["pdf", "%PDF-"], ["xlsx", "PK"], ["json", "{"]]) {
      const [file] = await Promise.all([page.waitForEvent("download"), page.locator(`a[href$='rapport.${kind}']`).first().click()]);
      assert.ok((await text(file, "latin1")).startsWith(begins), `${kind} begins with ${begins}`);
    }
    const late = await t.open(road.link, { size: PHONE, script: false });
    assert.match(await late.innerText("main"), /terminée/i);
  },
};

async function upload(page, content) {
  await page.setInputFiles("input[name=fichier]", { name: "personnel.csv", mimeType: "text/csv", buffer: Buffer.from(content, "utf8") });
  await page.fill("#f-source", "RH");
  await submit(page, "input[name=fichier]");
}

async function text(file, encoding = "utf8") {
  const parts = [];
  for await (const part of await file.createReadStream()) parts.push(part);
  return Buffer.concat(parts).toString(encoding);
}
