// Verifies an export of Tocsin's sealed journal without Tocsin: Node alone.
//
//   node docs/verifier-journal.mjs journal.jsonl [key in hexadecimal …]
//
// Reads JSON lines: the public keys, the entries in their order, the signed
// heads. Recomputes every digest, the chain, and the signatures; says the first
// line that does not hold. Keys given on the command line are those one noted
// elsewhere: then the file's own keys are not believed unless they are among
// them. Exit code 0 when all holds, 1 when not, 2 when it cannot be read.
import { createHash, createPublicKey, verify } from "node:crypto";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

const [file, ...trusted] = process.argv.slice(2);
if (!file) unread("usage: node docs/verifier-journal.mjs journal.jsonl [key …]");

let line = 0;
const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), createHash("sha256")).digest();
const netstring = (text) => { const b = Buffer.from(text, "utf8"); return Buffer.concat([Buffer.from(`${b.length}:`), b, Buffer.from(",")]); };
const hex = (text) => Buffer.from(text ?? "", "hex");
// An Ed25519 public key in the form that OpenSSL reads (RFC 8410).
const publicKey = (text) => createPublicKey({ key: Buffer.concat([hex("302a300506032b6570032100"), hex(text)]), format: "der", type: "spki" });

function fail(why, code = 1) {
  console.error(why);
  process.exit(code);
}
function unread(why) { fail(why, 2); }
process.on("uncaughtException", (e) => unread(`line ${line}: cannot be read: ${e.message}`));

let first, number = 0, erased = 0, heads = 0, signed = 0;
let chain = Buffer.alloc(32);
const ends = new Map();

// A trouble of the disk has its sentence; one of this script is none of the file.
const input = createReadStream(file).on("error", (e) => unread(`${file} cannot be read: ${e.message}`));
for await (const text of createInterface({ input, crlfDelay: Infinity })) {
  line++;
  let e;
  try { e = JSON.parse(text); } catch { fail(`line ${line}: not JSON${line > 1 ? ", or cut" : ""}`, 2); }
  if (e === null || typeof e !== "object") fail(`line ${line}: not an entry of a journal`, 2);
  if (line === 1) {
    if (e.tocsin_journal !== 1) unread("line 1: not an export of a journal that this script knows");
    first = e;
    for (const [id, key] of Object.entries(e.keys)) if (trusted.length && !trusted.includes(key)) fail(`key ${id} is not one of those you gave`);
  } else if (e.number !== undefined) entry(e);
  else if (e.head !== undefined) head(e);
  else fail(`line ${line}: neither an entry nor a head`);
}
if (!first) unread(`${file} is empty`);
if (number > 0 && signed !== number) fail(`the last signed head is at entry ${signed}, the journal goes on to ${number}: its end is not proven`);
console.log(`OK: ${number} entries chained, ${erased} of them without their words, ${heads} signed heads.`);

function entry(e) {
  if (heads) fail(`line ${line}: an entry after the heads`);
  if (e.number !== number + 1) fail(`line ${line}: entry ${number + 1} is missing`);
  const digest = hex(e.digest);
  if (e.erased) erased++;
  else {
    const fields = [first.establishment, e.id, String(e.at_us), e.actor_kind, e.actor_id, e.actor_name, e.actor_from, e.action, e.object_kind, e.object_id, e.object_name, e.before, e.after];
    if (!sha256(hex(e.salt), ...fields.map(netstring)).equals(digest)) fail(`line ${line}: entry ${e.number} is not what was sealed`);
  }
  chain = sha256(chain, digest);
  if (!chain.equals(hex(e.chain))) fail(`line ${line}: the chain does not lead to entry ${e.number}`);
  number = e.number;
  ends.set(number, e.chain);
}

function head(h) {
  if (ends.get(h.head) !== h.chain) fail(`line ${line}: the head signed at entry ${h.head} is not on this chain`);
  const said = `tocsin journal 1\n${first.establishment}\n${h.head}\n${h.chain}\n${h.at_us}\n`;
  const key = first.keys[h.key];
  if (!key || !verify(null, Buffer.from(said), publicKey(key), hex(h.signature))) fail(`line ${line}: the signature of the head at entry ${h.head} does not hold`);
  heads++;
  signed = Math.max(signed, h.head);
}
