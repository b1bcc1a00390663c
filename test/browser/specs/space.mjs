// The space of an agent on his own telephone: invited, called, cut off.
import assert from "node:assert/strict";
import { PHONE } from "../lib/browser.mjs";
import { plug } from "../lib/cable.mjs";
import { fillSheet, hold, press, sound } from "../lib/sound.mjs";

export const needs = "empty";
export const after = "road";

const WORDS = "Fuite d’eau au sous-sol, venez";
// What the tests hand on to those after.
const own = {};

export const tests = {
  "an invitation opens a space, once": async (t) => {
    const desk = await t.open("/annuaire?q=ABADIE", { state: t.house.administrator });
    await desk.locator("main table a").first().click();
    await desk.click("a[href$='/espace']");
    await press(desk, "form[action$='/inviter'] button");
    await sound(t, desk, "01-appareils-invitee");
    own.devices = new URL(desk.url()).pathname;
    const letter = await t.house.mail.for("lea@ch.example", "/espace/entrer/");
    const path = letter.text.match(/\/espace\/entrer\/[A-Za-z0-9_-]+/)[0];

    own.cable = await plug(t.base);
    const phone = await t.open("", { size: PHONE });
    await phone.goto(own.cable.base + path);
    await sound(t, phone, "02-invitation");
    await press(phone, "main form button");
    assert.equal(new URL(phone.url()).pathname, "/espace");
    assert.match(await phone.innerText("h1"), /Mes alertes/);
    await sound(t, phone, "03-espace");
    for (const [name, at] of [["04-astreintes-vides", "/espace/astreintes"], ["05-moi", "/espace/moi"]]) {
      await phone.goto(own.cable.base + at);
      await sound(t, phone, name);
    }
    await phone.fill("input[name=code]", "123456");
    await press(phone, "#code button");
    assert.match(await phone.innerText("#code"), /le premier qu’on essaierait/);
    await sound(t, phone, "05-moi-code-facile");
    await phone.fill("input[name=code]", "482957");
    await press(phone, "#code button");
    assert.match(await phone.innerText("#code"), /Votre nouveau code est enregistré/);
    assert.equal(await phone.locator("input[name=current]").count(), 1);
    await sound(t, phone, "05-moi-code");
    own.state = await phone.context().storageState();
    const again = await t.open(path, { size: PHONE });
    assert.equal(again.answer.status(), 404);
    await sound(t, again, "06-invitation-perimee");
    await desk.reload();
    assert.match(await desk.innerText("main table"), /Chrome/);
    assert.match(await desk.innerText("main"), /Code choisi le/);
    await sound(t, desk, "07-appareils");
  },

  "an alert is answered, then read and answered again without a network": async (t) => {
    const desk = await t.open("/alertes/improviser", { state: t.house.administrator });
    await fillSheet(desk, WORDS);
    await hold(desk);
    const letter = await t.house.mail.for("lea@ch.example", WORDS);

    const phone = await t.open("", { size: PHONE, state: own.state });
    await phone.goto(own.cable.base + "/espace");
    // Other exercises of this house still run: the last is the first.
    assert.match(await phone.locator(".pocket-alert").first().innerText(), /EXERCICE[\s\S]*Fuite d’eau/);
    await sound(t, phone, "08-alerte");
    await press(phone, ".pocket-alert button.primary");
    assert.match(await phone.innerText("main"), /Votre réponse est notée[\s\S]*arrivée prévue/);
    await sound(t, phone, "09-repondu");
    await phone.goto(own.cable.base + "/espace/reponses");
    assert.match(await phone.innerText("main"), /Vous venez[\s\S]*dans cet espace/);
    await sound(t, phone, "10-reponses");
    await phone.goto(own.cable.base + letter.text.match(/\/r\/[A-Za-z0-9_-]+/)[0]);
    await sound(t, phone, "11-page-de-reponse");

    await phone.goto(own.cable.base + "/espace");
    await phone.waitForFunction(async (words) => {
      const kept = await caches.match("/espace");
      return kept && (await kept.text()).includes(words) && (await caches.match("/espace/reponses"));
    }, "Fuite d");
    await own.cable.cut();
    await phone.goto(own.cable.base + "/espace/reponses");
    assert.match(await phone.innerText("main"), /Vous venez/, "what was received is read without a network");
    await phone.goto(own.cable.base + "/espace");
    await phone.waitForSelector("[data-offline]:not([hidden])");
    phone.faults.length = 0; // a dead network is told by the browser too
    await sound(t, phone, "12-sans-reseau");
    const before = Date.now();
    await phone.locator(".pocket-alert button[value=unavailable]").first().click();
    await phone.waitForSelector("[data-waits]:not([hidden])");
    const after = Date.now();
    await sound(t, phone, "13-attend-le-reseau");
    await phone.goto(own.cable.base + "/espace/moi");
    await phone.waitForSelector("[data-waiting]:not([hidden])");
    assert.match(await phone.innerText("body"), /réponse que vous avez donnée n’est pas encore partie/, "the other pages say that an answer waits");
    phone.faults.length = 0;
    await sound(t, phone, "13-moi-attend");
    await phone.goto(own.cable.base + "/espace");
    await phone.waitForSelector("[data-waits]:not([hidden])");
    assert.equal(await phone.locator("[data-waiting]:not([hidden])").count(), 0, "it is said once");
    phone.faults.length = 0;

    await own.cable.mend();
    const [sent] = await Promise.all([
      phone.waitForRequest((request) => request.url().endsWith("/espace/repondre")),
      phone.waitForEvent("load"),
      phone.evaluate(() => dispatchEvent(new Event("online"))),
    ]);
    const at = Number(new URLSearchParams(sent.postData()).get("a"));
    assert.ok(at >= before && at <= after, `given between ${before} and ${after}, said ${at}`);
    assert.match(await phone.innerText("main"), /Vous ne pouvez pas venir/);
    assert.equal(await phone.locator("[data-waits]:not([hidden])").count(), 0, "an answer that left still waits");
    await desk.waitForFunction(() => /ne peut pas|indisponible/i.test(document.querySelector("#personnes, main").innerText), null);
  },

  "a telephone taken back forgets all": async (t) => {
    const phone = await t.open("", { size: PHONE, state: own.state });
    await phone.goto(own.cable.base + "/espace/moi");
    const desk = await t.open(own.devices, { state: t.house.administrator });
    await press(desk, "form[action$='/retirer'] button");
    const answer = await phone.goto(own.cable.base + "/espace");
    assert.equal(answer.status(), 401);
    await sound(t, phone, "14-retire");
    await phone.waitForFunction(async () => !(await caches.match("/espace")));
    await own.cable.cut();
  },
};
