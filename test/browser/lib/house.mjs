// The product itself, started for the specs and stopped after: an empty house
// as after the installation, and the demonstration with its 4,300 people.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const PATIENCE = 120_000;

function program() {
  const path = process.env.TOCSIN_PROGRAM || join(root, "bin/tocsin");
  if (!existsSync(path)) {
    const built = spawnSync("go", ["build", "-o", path, "./cmd/tocsin"], { cwd: root, stdio: "inherit" });
    if (built.status !== 0) throw new Error("bin/tocsin cannot be built");
  }
  return path;
}

// startEmpty is `tocsin serve` on an empty folder, with a mail server beside it
// that keeps what it receives.
export async function startEmpty() {
  const folder = mkdtempSync(join(tmpdir(), "tocsin-browser-"));
  const port = await freePort();
  const base = `http://localhost:${port}`;
  const mail = await startMail();
  const args = ["serve", "--listen", `127.0.0.1:${port}`, "--public-url", base, "--data", join(folder, "data"), "--key-file", join(folder, "tocsin.key"), "--log-level", "warn"];
  const house = run(args, /(http:\S+\/bienvenue\/\S+)/);
  const [, link] = await house.said;
  await reachable(base + "/healthz");
  return {
    base, mail, link,
    stop: async () => {
      await house.stop();
      mail.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// startDemo is `tocsin demo` in a hurry, with its links by role.
export async function startDemo() {
  const demo = run(["demo", "--port", String(await freePort()), "--speed", "40"], /Ctrl-C/);
  const { input } = await demo.said;
  const doors = {};
  for (const [, role, link] of input.matchAll(/^ {4}(\S.*?) {2,}(http:\S+\/demonstration\/\S+)$/gm)) doors[role] = link;
  return { base: new URL(Object.values(doors)[0]).origin, doors, stop: demo.stop };
}

// run starts the program; said is the match of what it must print.
function run(args, expected) {
  const child = spawn(program(), args, { cwd: tmpdir(), env: { PATH: process.env.PATH, HOME: tmpdir(), LANG: "fr_FR.UTF-8" }, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((done) => child.on("exit", done));
  const said = new Promise((found, lost) => {
    let text = "";
    const timer = setTimeout(() => lost(new Error(`tocsin ${args[0]} is not ready after ${PATIENCE / 1000} s:\n${text}`)), PATIENCE);
    child.stdout.on("data", (part) => {
      text += part;
      const match = text.match(expected);
      if (match) found(match), clearTimeout(timer);
    });
    ended.then((code) => lost(new Error(`tocsin ${args[0]} ended with ${code}:\n${text}`)));
  });
  said.catch(() => {}); // told to whoever awaits it; the others need not fail twice
  return {
    said,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function reachable(url) {
  for (const end = Date.now() + PATIENCE; ; await new Promise((next) => setTimeout(next, 100))) {
    try {
      if ((await fetch(url)).ok) return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

function freePort() {
  return new Promise((found) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

// startMail takes every mail and keeps it: { to, text }.
function startMail() {
  const letters = [];
  const server = createServer((socket) => {
    let rest = "", to = [], body = null;
    const say = (line) => socket.write(line + "\r\n");
    socket.on("error", () => socket.destroy());
    socket.on("data", (part) => {
      rest += part.toString("utf8");
      for (let end; (end = rest.indexOf("\r\n")) >= 0; ) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (body) {
          if (line !== ".") body.push(line);
          else letters.push({ to, text: plain(body.join("\n")) }), (to = []), (body = null), say("250 kept");
        } else if (/^RCPT TO:/i.test(line)) to.push(line.replace(/^.*<|>.*$/g, "")), say("250 ok");
        else if (/^DATA/i.test(line)) (body = []), say("354 go on");
        else if (/^QUIT/i.test(line)) say("221 bye"), socket.end();
        else say("250 ok");
      }
    });
    say("220 mailbox");
  });
  return new Promise((ready) => server.listen(0, "127.0.0.1", () => ready({
    port: server.address().port, letters, close: () => server.close(),
    // for waits for a letter to an address that contains a text.
    for: async (address, text) => {
      for (const end = Date.now() + PATIENCE; Date.now() < end; await new Promise((next) => setTimeout(next, 50))) {
        const letter = letters.find((l) => l.to.includes(address) && l.text.includes(text));
        if (letter) return letter;
      }
      throw new Error(`no letter to ${address} with « ${text} »: ${JSON.stringify(letters)}`);
    },
  })));
}

// plain undoes the quoted-printable of RFC 2045 § 6.7.
function plain(text) {
  const bytes = text.replace(/=\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}
