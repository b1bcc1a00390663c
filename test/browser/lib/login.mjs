// Sign-in by what the pages say of their fields (autocomplete), not by names.
import { createHmac } from "node:crypto";

export async function login(page, base, { email, password, secret }, path = "/connexion") {
  await page.goto(base + path);
  await page.fill("input[autocomplete~=username]", email);
  await page.fill("input[autocomplete~=current-password]", password);
  await submit(page, "input[autocomplete~=current-password]");
  if (secret && (await page.locator("input[autocomplete=one-time-code]").count()) > 0) {
    await page.fill("input[autocomplete=one-time-code]", totp(secret, Date.now()));
    await submit(page, "input[autocomplete=one-time-code]");
  }
}

async function submit(page, within) {
  const form = page.locator("form").filter({ has: page.locator(within) });
  await Promise.all([page.waitForLoadState("load"), form.locator("button:not([type=button])").first().click()]);
  await page.waitForLoadState("domcontentloaded");
}

// totp is RFC 6238: 6 digits, 30 s, SHA-1, secret in base32.
export function totp(secret, now) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30000)));
  const digest = createHmac("sha1", base32(secret)).update(counter).digest();
  const at = digest[digest.length - 1] & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

function base32(text) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const c of text.replace(/[\s=]/g, "").toUpperCase()) bits += letters.indexOf(c).toString(2).padStart(5, "0");
  return Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
}
