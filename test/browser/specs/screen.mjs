// A screen on a wall: paired, lit, cut off, and dark when light would betray.
import assert from "node:assert/strict";
import { plug } from "../lib/cable.mjs";
import { as } from "../lib/doors.mjs";
import { hold, none, press, sound, submit } from "../lib/sound.mjs";

export const needs = "demo";

// launch starts a test of a scenario and returns its path.
async function launch(t, page, title) {
  await page.goto(t.base + "/alertes/declencher");
  await page.click(`.card-link:has-text('${title}')`);
  for (const field of await page.locator("main .form input[required]:visible").all()) {
    if (!(await field.inputValue())) await field.fill((await field.getAttribute("inputmode")) === "numeric" ? "12" : "18 h");
  }
  await page.fill("#f-ordre", "Dr Ordre");
  await Promise.all([page.waitForEvent("load"), page.click("button[name=mode][value=test]")]);
  none(await page.locator("main .error").allInnerTexts(), "the sheet is refused");
  await hold(page);
  return new URL(page.url()).pathname;
}

async function stop(t, page, alert) {
  await page.goto(t.base + alert + "/arret");
  await page.fill("#f-motif", "Essai des écrans");
  await hold(page);
}

export const tests = {
  "a screen is paired by its code, shows what runs, and says when it is cut off": async (t) => {
    const cable = await plug(t.base);
    const wall = await t.open("");
    await wall.goto(cable.base + "/ecran");
    await sound(t, wall, "01-code");
    const code = await wall.innerText(".sign-digits");

    const desk = await as(t, "Administrateur", "");
    await desk.goto(t.base + "/administration/ecrans");
    await sound(t, desk, "02-aucun-ecran");
    await desk.fill("#f-code", code.toLowerCase());
    await desk.fill("#f-name", "Couloir des urgences");
    await submit(desk, "#f-code");
    await wall.waitForSelector("[data-sign-state] .sign-calm");
    await sound(t, wall, "03-calme");

    const caller = await as(t, "Déclencheur", "");
    const alert = await launch(t, caller, "Panne");
    await wall.waitForSelector(".sign-message");
    assert.match(await wall.innerText("[data-sign-state]"), /TEST[\s\S]*ne remplace jamais le système de sécurité incendie/);
    await sound(t, wall, "04-alerte");

    await cable.cut();
    await wall.waitForSelector("[data-sign-cut]:not([hidden])");
    assert.match(await wall.innerText("[data-sign-cut]"), /Liaison coupée depuis \d\d:\d\d/);
    assert.equal(await wall.locator(".sign-message").count(), 1, "the last state is lost");
    wall.faults.length = 0; // a dead network is told by the browser too
    await sound(t, wall, "05-coupe");
    await wall.reload();
    await wall.waitForSelector("[data-sign-cut]:not([hidden])");
    assert.equal(await wall.locator(".sign-message").count(), 1, "started again without a network, it shows nothing");

    await cable.mend();
    await wall.waitForSelector("[data-sign-cut][hidden]", { state: "attached" });
    await desk.goto(t.base + "/administration/ecrans");
    assert.match(await desk.innerText("main table"), /Couloir des urgences[\s\S]*affiche 1 alerte/);
    await sound(t, desk, "06-ecrans");

    await stop(t, caller, alert);
    await wall.waitForSelector(".sign-calm");

    const hidden = await launch(t, caller, "Intrusion");
    // The second asks once the answer to the first is shown.
    for (let i = 0; i < 2; i++) await wall.waitForRequest((asked) => asked.url().includes("/ecran/etat"));
    assert.equal(await wall.locator(".sign-message").count(), 0, "a screen lights up while people hide");
    await stop(t, caller, hidden);
    await press(desk, "form[action$='/retirer'] button");
    await wall.waitForSelector(".sign-digits");
    await cable.cut();
  },
};
