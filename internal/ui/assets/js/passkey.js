// Sign-in and registration with a passkey. The server speaks the JSON of the
// standard; bytes travel in base64url.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0)).buffer;
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

export function startPasskey(box) {
  const button = box.querySelector("button");
  const note = box.querySelector("[data-passkey-note]");
  box.hidden = false;
  if (!window.PublicKeyCredential) {
    button.disabled = true;
    note.textContent = box.dataset.unsupported;
    return;
  }
  button.addEventListener("click", async () => {
    note.textContent = "";
    button.disabled = true;
    try {
      const answer = box.dataset.passkey === "register" ? await register(box) : await signIn(box);
      location.assign(answer.redirect);
    } catch (error) {
      note.textContent = (error && error.sentence) || box.dataset.failed;
    }
    button.disabled = false;
  });
}

async function signIn(box) {
  const { publicKey } = await post(box.dataset.begin, filled(box));
  publicKey.challenge = bytes(publicKey.challenge);
  for (const c of publicKey.allowCredentials || []) c.id = bytes(c.id);
  const found = await navigator.credentials.get({ publicKey });
  const r = found.response;
  return post(box.dataset.finish, {
    ...named(found),
    response: {
      authenticatorData: text(r.authenticatorData),
      clientDataJSON: text(r.clientDataJSON),
      signature: text(r.signature),
      userHandle: r.userHandle ? text(r.userHandle) : undefined,
    },
  });
}

async function register(box) {
  const { publicKey } = await post(box.dataset.begin, filled(box));
  publicKey.challenge = bytes(publicKey.challenge);
  publicKey.user.id = bytes(publicKey.user.id);
  for (const c of publicKey.excludeCredentials || []) c.id = bytes(c.id);
  const made = await navigator.credentials.create({ publicKey });
  const r = made.response;
  return post(box.dataset.finish, {
    ...named(made),
    response: {
      attestationObject: text(r.attestationObject),
      clientDataJSON: text(r.clientDataJSON),
      transports: r.getTransports ? r.getTransports() : [],
    },
  });
}

const named = (c) => ({ id: c.id, rawId: text(c.rawId), type: c.type, clientExtensionResults: c.getClientExtensionResults() });

// filled are the fields of the box (the name given to the key, the e-mail).
function filled(box) {
  const out = {};
  for (const field of box.querySelectorAll("input[name]")) out[field.name] = field.value;
  return out;
}

async function post(url, body) {
  const response = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw { sentence: answer.error };
  return answer;
}
