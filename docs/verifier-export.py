#!/usr/bin/env python3
"""Verifies an archive of traces of Tocsin without Tocsin: Python 3 and the openssl command, nothing else.

   python3 verifier.py ARCHIVE.zip [--key public.pem ...] [--ca authority.pem]

--key: the public keys of the hospital, got by another way than the archive; without it those inside the archive are
believed, which proves only that the archive agrees with itself. --ca: the time-stamping authority. Exit 0 when all holds, 1
when not, 2 when it cannot be read."""
import base64, csv, hashlib, io, json, os, re, shutil, subprocess, sys, tempfile, zipfile
from datetime import datetime

args, opt, flaws = [], {"--key": [], "--ca": []}, []
def stop(text): sys.stdout.flush(); print(text, file=sys.stderr, flush=True); os._exit(2)  # said in one sentence, whatever is wrong
def trouble(kind, e, _): stop(f"NOT READ: {getattr(e, 'filename', None) or args[0]}: {getattr(e, 'strerror', None) or f'is not an archive of traces, or is altered ({e!r})'}.")
sys.excepthook = trouble
it = iter(sys.argv[1:])
for a in it: (opt[a] if a in opt else args).append(next(it, "") if a in opt else a)
if len(args) != 1: stop(__doc__)
if not shutil.which("openssl"): stop("NOT READ: the openssl command is not there: install it, then try again.")
H = lambda b: hashlib.sha256(b).digest()
node = lambda l, r: H(b"\1" + l + r)  # RFC 6962, 2.1
flaw = lambda text: (flaws.append(text), print("FLAW:", text))
b64 = base64.b64decode

def run(*command, **files):  # openssl, with files named in the command as {name}
    with tempfile.TemporaryDirectory() as tmp:
        for name, content in files.items(): open(tmp + "/" + name, "wb").write(content)
        return subprocess.run(["openssl"] + [c.format(**{n: tmp + "/" + n for n in files}) for c in command], capture_output=True)

def climb(leaf, i, n, path):  # from a leaf to the root (RFC 6962, 2.1.1); None when the path does not fit
    path = list(path)
    while n > 1:
        if not (i == n - 1 and i % 2 == 0):
            if not path: return None
            beside = path.pop(0)
            leaf = node(beside, leaf) if i % 2 else node(leaf, beside)
        i, n = i // 2, (n + 1) // 2
    return leaf if not path else None

# The files: those of the manifest, no other, each with its SHA-256; the manifest is signed.
try:
    archive = zipfile.ZipFile(args[0])
    names = archive.namelist()
    files = {n: archive.read(n) for n in names}
except zipfile.BadZipFile: stop(f"NOT READ: {args[0]} is not a ZIP archive, or is cut or damaged.")
if "manifeste.json" not in files: stop(f"NOT READ: {args[0]} is not an archive of traces: it has no manifeste.json.")
if len(names) != len(set(names)): flaw("a file is there twice")
raw = files.get("manifeste.json", b"{}")
manifest = json.loads(raw)
sums = manifest.get("sha256", {})
for n in sorted(set(sums) | set(files) - {"manifeste.json", "manifeste.sig"}):
    if n not in files: flaw(n + ": is missing")
    elif hashlib.sha256(files[n]).hexdigest() != sums.get(n): flaw(n + ": is not what the manifest says")
pems = [open(p, "rb").read() for p in opt["--key"]] or [files[n] for n in names if n.startswith("preuve/") and n.endswith(".pem")]
if not opt["--key"]: print("NOTE: the keys believed are those inside the archive; ask the hospital for its key and give it with --key.")
pems = [p for text in pems for p in re.findall(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\n?", text, re.S)]
if opt["--key"] and not pems: stop(f"NOT READ: {opt['--key'][0]} is not a public key in PEM.")
keys = [(pem, run("pkey", "-pubin", "-in", "{k}", "-outform", "DER", k=pem).stdout[-32:]) for pem in pems]
def signs(pem, text, sig): return run("pkeyutl", "-verify", "-pubin", "-inkey", "{k}", "-rawin", "-in", "{m}", "-sigfile", "{s}", k=pem, m=text, s=sig).returncode == 0
if not any(signs(pem, raw, files.get("manifeste.sig", b"")) for pem, _ in keys): flaw("the manifest is not signed by a key that is believed")

# The heads of the log: text, empty line, "— name base64(4 octets of the key's id, signature)" (signed notes of Go).
heads = {}
def head(note):
    if note in heads: return heads[note]
    text, _, last = note.partition(b"\n\n")
    text, name, sig = text + b"\n", last.split(b" ")[1], b64(last.split(b" ")[2])
    ok = any(H(name + b"\n\1" + key)[:4] == sig[:4] and signs(pem, text, sig[4:]) for pem, key in keys)
    lines = text.decode().split("\n")
    if not ok or lines[0] != "tocsin-traces/" + manifest.get("identifiant_etablissement", ""): flaw("a head of the log is not signed by a key that is believed")
    heads[note] = (int(lines[1]), b64(lines[2]), lines[3])
    return heads[note]

# The proofs: an event climbs to the root of its block, the block to the head of the log.
records, digests = [], []
def prove(name, p):
    size, root, _ = head(p["checkpoint"].encode())
    blocks = {}
    for b in p["blocks"]:
        if climb(H(b"\0" + b["entry"].encode()), b["number"], size, map(b64, b["path"] or [])) != root: flaw(f"{name}: entry {b['number']} is not in the log")
        blocks[b["number"]] = b["entry"].split(" ")
    for e in p["events"]:
        record = b64(e.get("record", ""))
        digest = H(b"\0" + b64(e["salt"]) + record) if record else b64(e.get("digest", ""))
        w = blocks.get(e["block"])
        if not w or w[0] != "block" or climb(digest, e["seq"] - int(w[4]), int(w[5]), map(b64, e["path"] or [])) != bytes.fromhex(w[8]): flaw(f"{name}: event {e['ref']} is not in its block")
        records.append((e["ref"], record)); digests.append(digest.hex())
for n in sorted(n for n in names if re.fullmatch(r"preuve/preuve-\d+\.json", n)):
    try: prove(n, json.loads(files[n]))
    except Exception as e: flaw(f"{n}: cannot be read ({e!r})")
stamps = 0
for n in sorted(n for n in names if n.endswith(".tsr")):
    if not opt["--ca"]: continue
    if run("ts", "-verify", "-data", "{d}", "-in", "{t}", "-CAfile", opt["--ca"][0], d=files.get(n[:-3] + "checkpoint", b""), t=files[n]).returncode == 0: stamps += 1
    else: flaw(n + ": the stamp does not hold")

# The sealed form of an event: two ids, times, five octets, then texts with their lengths.
ACTIONS = "unsaid create read update delete execute print export break_glass login logout search send receive start stop configure sign".split()
OUTCOMES = "unsaid success failure denied".split()
TEXTS = "format key account person function delegate verb ipp ins patient_name stay document object parameter device application workstation address site service purpose relation message rest original".split()
def sealed(b):
    def number():
        nonlocal at
        v = shift = 0
        while True:
            v |= (b[at] & 127) << shift; shift += 7; at += 1
            if b[at-1] < 128: return v
    at, out = 32, {}
    for n in ("at", "received"): v = number(); out[n] = (v >> 1) ^ -(v & 1)
    out["action"], out["outcome"] = ACTIONS[b[at+2]], OUTCOMES[b[at+3]]
    at += 5
    for n in TEXTS: k = number(); out[n] = b[at:at+k]; at += k
    h = b[16:32].hex(); out["source"] = "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))
    return out

# The lines of the table: a cell is what was sealed, but for control characters and the apostrophe before a formula.
COLUMNS = "account person function delegate action verb outcome ipp ins patient_name stay document object parameter device application workstation address site service purpose relation message rest format source".split()
def same(cell, value):
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    plain = lambda s: re.sub(r"[\x00-\x1f\ufffd\ufffe\uffff]", "", s)
    cell, text = plain(cell), plain(text)
    if cell == text or cell == "'" + text: return True
    return cell.endswith("…") and text.startswith(cell.lstrip("'")[:-1])
rows = list(csv.reader(io.StringIO(files.get("traces.csv", b"").decode("utf-8-sig"), newline=""), delimiter=";"))[1:]
if len(rows) != manifest.get("evenements"): flaw(f"the table has {len(rows)} lines, the manifest says {manifest.get('evenements')}")
if manifest.get("preuve"):
    if len(records) != len(rows): flaw(f"{len(records)} events are proven, the table has {len(rows)} lines")
    micros = lambda t: round((datetime.fromisoformat(t) - datetime.fromisoformat("1970-01-01T00:00:00+00:00")).total_seconds() * 10**6)
    for i, (row, (ref, record), digest) in enumerate(zip(rows, records, digests), 1):
        if manifest.get("noms_masques"):
            if row[-1] != digest: flaw(f"line {i}: bears another digest than that which is proven")
            continue
        e = sealed(record)
        wrong = [c for c, cell in zip(COLUMNS, row[3:]) if not same(cell, e[c])]
        if row[29] != ref: wrong.append("reference")
        if abs(micros(row[1].replace("Z", "+00:00")) - e["at"]) > 1 or abs(micros(row[2].replace("Z", "+00:00")) - e["received"]) > 1: wrong.append("time")
        if (files.get(row[30]) if row[30] else b"") != e["original"]: wrong.append("original")
        if wrong: flaw(f"line {i}: is not what was sealed ({', '.join(wrong)})")
else: print("NOTE: the base that held these traces had no seal: nothing but the signature of the hospital is verified.")
said = "; ".join(sorted({h[2] for h in heads.values()}))
print(f"{'OK' if not flaws else 'NOT OK'}: {len(files)} files, {len(rows)} lines, {len(records)} events proven, heads signed at {said or '-'}, {stamps} stamps verified{', names masked' if manifest.get('noms_masques') else ''}.")
sys.exit(1 if flaws else 0)
