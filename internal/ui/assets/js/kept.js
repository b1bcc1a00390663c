// What waits for a network: answers given without one, on this device only.
const NAME = "tocsin-espace";

function open() {
  return new Promise((done, failed) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("answers", { keyPath: "key" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
}

async function act(mode, what) {
  const base = await open();
  try {
    return await new Promise((done, failed) => {
      const asked = what(base.transaction("answers", mode).objectStore("answers"));
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
  } finally {
    base.close();
  }
}

export const keep = (answer) => act("readwrite", (store) => store.put(answer));
export const drop = (key) => act("readwrite", (store) => store.delete(key));
export const waiting = () => act("readonly", (store) => store.getAll());
export const forget = () => act("readwrite", (store) => store.clear());

// newAnswer notes the true time of a button, and a key by which it counts once.
export function newAnswer(code, choice) {
  return { key: crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) + Date.now(), code, choice, at: Date.now() };
}

// send posts an answer; it throws when there is no network, and returns the
// status of the server otherwise.
export async function send(answer) {
  const response = await fetch("/espace/repondre", {
    method: "POST", credentials: "same-origin", redirect: "manual",
    headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" },
    body: new URLSearchParams({ code: answer.code, reponse: answer.choice, a: String(answer.at), cle: answer.key, muet: "1" }),
  });
  if (response.status >= 500 || response.status === 429) throw new Error("later");
  return response.status;
}

// flush sends what waits, the oldest first; it stops at the first that cannot leave.
export async function flush() {
  const list = (await waiting()).sort((a, b) => a.at - b.at);
  for (const answer of list) {
    await send(answer);
    await drop(answer.key);
  }
  return list.length;
}
