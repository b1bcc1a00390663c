// Counts characters and SMS as one types, in step with internal/wire/gsm: the
// verification sheet counts again on the server.
const BASIC =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED = "\f^{}\\[~]|€";
const PLAIN = { "’": "'", "‘": "'", "‚": ",", "“": '"', "”": '"', "«": '"', "»": '"', "…": "...", "–": "-", "—": "-", "•": "-", "œ": "oe", "Œ": "OE", "æ": "ae", "\u00a0": " ", "\u202f": " ", "\t": " " };

export function measure(typed) {
  const text = typed.normalize("NFC").replace(/\r\n/g, "\n");
  const letters = [...text];
  const forced = [...new Set(letters.filter((c) => !BASIC.includes(c) && !EXTENDED.includes(c)))];
  const sizes = forced.length ? letters.map((c) => c.length) : letters.map((c) => (EXTENDED.includes(c) ? 2 : 1));
  const units = sizes.reduce((sum, n) => sum + n, 0);
  const [single, part] = forced.length ? [70, 67] : [160, 153];
  return { characters: letters.length, forced, segments: units === 0 ? 0 : units <= single ? 1 : parts(sizes, part) };
}

// parts never splits a letter between two SMS.
function parts(sizes, part) {
  let count = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > part) {
      count++;
      used = 0;
    }
    used += size;
  }
  return count;
}

export function spelledPlainly(typed) {
  const text = typed.normalize("NFC").replace(/«[\u00a0\u202f ]/g, '"').replace(/[\u00a0\u202f ]»/g, '"');
  return [...text]
    .map((c) => {
      if (BASIC.includes(c) || EXTENDED.includes(c)) return c;
      if (c in PLAIN) return PLAIN[c];
      const bare = c.normalize("NFD").replace(/[\u0300-\u036f]/g, "");
      return bare && [...bare].every((b) => BASIC.includes(b)) ? bare : c;
    })
    .join("");
}

// filled is the text as it leaves: {blanks} take the values the page gives, and
// the establishment's word comes last where the author did not place it.
export function filled(area) {
  const samples = JSON.parse(area.dataset.samples || "{}");
  const text = area.value.replace(/\{([a-z_]{1,30})\}/g, (all, name) => samples[name] ?? all);
  if (!samples.mot || !text.trim() || area.value.includes("{mot}")) return text;
  return text + ("sms" in area.dataset ? ` (${samples.mot})` : `\n\n${samples.mot}`);
}

export function startCounter(area) {
  const note = document.getElementById(area.id + "-count");
  if (!note) return;
  const line = note.querySelector("[data-sms-line]");
  const button = note.querySelector("[data-sms-plain]");
  const count = () => {
    const m = measure(filled(area));
    const fill = (text) => text.replace("%c", m.characters).replace("%s", m.segments).replace("%l", m.forced.map((c) => (c.trim() ? c : "␣")).join(" "));
    line.textContent = fill(note.dataset.smsCount) + (m.forced.length ? " · " + fill(note.dataset.smsForced) : "");
    note.classList.toggle("over", m.forced.length > 0 || m.segments > 1);
    button.hidden = m.forced.length === 0 || spelledPlainly(area.value) === area.value;
  };
  const offer = document.getElementById(area.id + "-simple");
  if (offer) offer.hidden = true; // the button of those without script
  button.addEventListener("click", () => {
    area.value = spelledPlainly(area.value);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  });
  area.addEventListener("input", count);
  count();
}
