// The parts of pages, on every sort of device.
import assert from "node:assert/strict";
import { axe, DESK, overflow, PHONE, smallTargets, tabTo, transferred } from "../lib/browser.mjs";

const none = (list, what) => assert.deepEqual(list, [], what);

async function sound(t, page) {
  none(page.faults, "errors in the page");
  none(await axe(page), "axe");
  none(await overflow(page), "what sticks out");
}

export const tests = {};

for (const [device, size] of [["desk", DESK], ["phone", PHONE]]) {
  for (const dark of [false, true]) {
    const name = `${device} ${dark ? "dark" : "light"}`;
    tests[`guide, ${name}`] = async (t) => {
      const page = await t.open("/styleguide", { size, dark });
      await page.waitForSelector("[data-curve] canvas");
      await t.shot(page, name.replace(" ", "-"));
      await t.shot(page, name.replace(" ", "-") + "-top", false);
      await sound(t, page);
      none(await smallTargets(page), "targets under 44 px");
    };
    for (const frame of ["porte", "mur", "reponse"]) {
      tests[`${frame}, ${name}`] = async (t) => {
        const page = await t.open("/styleguide/" + frame, { size, dark });
        await t.shot(page, frame + "-" + name.replace(" ", "-"));
        await sound(t, page);
        none(await smallTargets(page), "targets under 44 px");
      };
    }
  }
}

tests["a refused form keeps what was typed and says where to mend it"] = async (t) => {
  const page = await t.open("/styleguide");
  await page.fill("#f-nom", "Noël Çelik");
  await page.fill("#f-places", "900");
  await page.click("button:has-text('Enregistrer')");
  await page.waitForSelector(".summary");
  assert.equal(await page.inputValue("#f-nom"), "Noël Çelik");
  assert.equal(await page.evaluate(() => document.activeElement.className), "summary tone-alerte");
  assert.equal(await page.getAttribute("#f-places", "aria-invalid"), "true");
  await page.click(".summary a[href='#f-mobile']");
  await t.shot(page, "refused");
  await sound(t, page);
};

tests["holding the button two seconds launches, letting go does not"] = async (t) => {
  const page = await t.open("/styleguide");
  await page.fill("#f-nom", "Noël Çelik");
  await page.fill("#f-mobile", "06 39 98 00 12");
  await page.check("input[name=mode][value=exercice]");
  const button = page.locator("[data-hold-button]");
  await button.scrollIntoViewIfNeeded();
  const box = await button.boundingBox();
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  await page.waitForSelector(".hold-button.holding");
  await page.mouse.up();
  await page.waitForSelector(".hold-button:not(.holding)");
  assert.equal(await page.inputValue("[data-hold-value]"), "");
  const left = page.waitForURL((url) => url.pathname === "/styleguide", { waitUntil: "load" });
  await page.mouse.down();
  await page.waitForSelector("#notices .message");
  await left;
  assert.match(await page.textContent("#notices"), /complet/);
};

tests["by keyboard alone: skip link, search, form, word to type"] = async (t) => {
  const page = await t.open("/styleguide");
  assert.equal((await tabTo(page, ".skip")).visible, true);
  await page.keyboard.press("Enter");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "find");
  for (const [selector, text] of [["#f-nom", "Élodie"], ["#f-mobile", "0639980012"]]) {
    assert.equal((await tabTo(page, selector)).visible, true);
    await page.keyboard.type(text);
  }
  await tabTo(page, "input[name=mode]");
  await page.keyboard.press("Space");
  assert.equal((await tabTo(page, "#f-mot")).visible, true);
  await page.keyboard.type("declencher");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#notices .message");
};

tests["a dialog opens, takes the focus and closes with Escape"] = async (t) => {
  const page = await t.open("/styleguide");
  await page.click("[data-dialog=aide]");
  await page.waitForSelector("dialog[open]");
  none(await axe(page, { within: "dialog" }), "axe");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
};

tests["without script everything is there"] = async (t) => {
  const page = await t.open("/styleguide", { script: false });
  assert.equal(await page.isVisible("[data-hold-press]"), false);
  assert.equal(await page.isVisible("#f-mot"), true);
  await page.fill("#f-nom", "Noël");
  await page.fill("#f-mobile", "0639980012");
  await page.check("input[name=mode][value=test]");
  await page.fill("#f-mot", "Déclencher");
  await page.click("button:has-text('Valider par le mot')");
  assert.match(await page.textContent("#notices"), /complet/);
  await page.click(".menu summary");
  await page.click("button[value=dark]");
  assert.equal(await page.getAttribute("html", "data-theme"), "dark");
};

tests["zoomed to 200 % nothing sticks out"] = async (t) => {
  const page = await t.open("/styleguide", { size: { width: 1280, height: 900 }, zoom: 2 });
  none(await overflow(page), "what sticks out");
  const narrow = await t.open("/styleguide", { size: { width: 320, height: 640 } });
  none(await overflow(narrow), "what sticks out at 320 px");
};

tests["SMS counter: letters that force the short alphabet, plain spelling"] = async (t) => {
  const page = await t.open("/styleguide");
  await page.fill("#f-sms", "a".repeat(161));
  assert.match(await page.textContent("#f-sms-count"), /161 caractères, 2 SMS/);
  await page.fill("#f-sms", "Forêt ça");
  assert.match(await page.textContent("#f-sms-count"), /ê ç/);
  await page.click("[data-sms-plain]");
  assert.equal(await page.inputValue("#f-sms"), "Foret ca");
  // The establishment's word goes with each message, and counts; placed, it counts once.
  await page.locator("#f-sms").evaluate((area) => { area.dataset.samples = JSON.stringify({ mot: "CIGOGNE" }); });
  await page.fill("#f-sms", "a".repeat(155));
  assert.match(await page.textContent("#f-sms-count"), /165 caractères, 2 SMS/);
  await page.fill("#f-sms", "{mot} " + "a".repeat(147));
  assert.match(await page.textContent("#f-sms-count"), /155 caractères, 1 SMS/);
};

// How long it takes on such a line is a bar of `tocsin bench alert`: here the
// machine may be busy, and the reasons are looked at rather than the clock.
tests["the answer page is one request of less than 20 kB, its style applied"] = async (t) => {
  const asked = [];
  const { bytes, page } = await transferred(t, "/styleguide/reponse", { size: PHONE, asked });
  assert.ok(bytes < 20_000, `${bytes} bytes`);
  assert.deepEqual(asked.filter((url) => !url.startsWith("data:")), [t.base + "/styleguide/reponse"]);
  const height = await page.locator("button.yes").first().evaluate((b) => b.getBoundingClientRect().height);
  assert.ok(height >= 44, `a button of ${height} px: its style is refused`);
  const slow = await t.open("", { size: PHONE, slow: true, script: false });
  await slow.goto(t.base + "/styleguide/reponse", { waitUntil: "commit" });
  await slow.waitForSelector("button.yes");
};

tests["forced colours and print"] = async (t) => {
  const forced = await t.open("/styleguide", { forcedColors: "active" });
  await t.shot(forced, "forced-colours");
  const page = await t.open("/styleguide");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.isVisible(".rail"), false);
  assert.equal(await page.isVisible(".find"), false);
  await t.shot(page, "print");
};
