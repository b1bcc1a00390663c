#!/usr/bin/env python3
"""Verifies sealed traces of Tocsin without Tocsin: Python 3 and the openssl command, nothing else.

   tocsin traces verify --export FOLDER [--month 2026-11]
   python3 docs/verifier-traces.py FOLDER [--key public.pem ...] [--copies FOLDER] [--ca authority.pem]

The folder holds log.txt (one entry a line), *.checkpoint (signed heads of the log; .tsr beside: RFC 3161 stamps), *.pem
(public keys) and one .jsonl for each class and month (blocks of events). --key: the keys noted elsewhere, then no other
is believed. --copies: checkpoints kept outside, which the log must hold too. Exit 0 when all holds, 1 when not, 2 when it
cannot be read."""
import base64, glob, hashlib, json, os, shutil, subprocess, sys, tempfile

args, opt, flaws = [], {"--key": [], "--copies": [], "--ca": []}, []
def stop(text): sys.stdout.flush(); print(text, file=sys.stderr, flush=True); os._exit(2)  # said in one sentence, whatever is wrong
reading = ""
def trouble(kind, e, _): stop(f"NOT READ: {getattr(e, 'filename', None) or reading}: {getattr(e, 'strerror', None) or f'is cut or altered ({e!r})'}.")
sys.excepthook = trouble
it = iter(sys.argv[1:])
for a in it: (opt[a] if a in opt else args).append(next(it, "") if a in opt else a)
if len(args) != 1: stop(__doc__)
if not shutil.which("openssl"): stop("NOT READ: the openssl command is not there: install it, then try again.")
folder = args[0]
if not os.path.isfile(folder + "/log.txt"): stop(f"NOT READ: {folder} is not a folder that tocsin traces verify --export made: it has no log.txt.")
H = lambda b: hashlib.sha256(b).digest()
node = lambda l, r: H(b"\1" + l + r)  # RFC 6962, 2.1
flaw = lambda text: (flaws.append(text), print("FLAW:", text))

def openssl(*command): return subprocess.run(("openssl",) + command, capture_output=True).returncode == 0

def root_of(level):  # pairs, a last one passes: the tree of RFC 6962
    while len(level) > 1: level = [node(*level[i:i+2]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
    return level[0]

# The log, and its root at each size: the roots of the whole trees so far, folded from the right.
reading = folder + "/log.txt"
entries, roots, forest = open(folder + "/log.txt", encoding="utf-8").read().splitlines(), {0: b""}, []
for n, line in enumerate(entries):
    h, k = H(b"\0" + line.encode()), n
    while k & 1: h, k = node(forest.pop(), h), k >> 1
    forest.append(h)
    r = forest[-1]
    for left in reversed(forest[:-1]): r = node(left, r)
    roots[n + 1] = r

# The checkpoints: text, empty line, "— name base64(4 octets of the key's id, signature)" (signed notes of Go).
keys = {}
for path in opt["--key"] or glob.glob(folder + "/*.pem"):
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", path, "-outform", "DER"], capture_output=True).stdout
    if len(der) < 32: stop(f"NOT READ: {path} is not a public key that openssl reads.")
    keys[path] = der[-32:]
def signed(text, last):
    name, sig = last.split(" ")[1], base64.b64decode(last.split(" ")[2])
    for path, key in keys.items():
        if H(name.encode() + b"\n\1" + key)[:4] != sig[:4]: continue
        with tempfile.TemporaryDirectory() as tmp:
            open(tmp + "/m", "wb").write(text); open(tmp + "/s", "wb").write(sig[4:])
            return openssl("pkeyutl", "-verify", "-pubin", "-inkey", path, "-rawin", "-in", tmp + "/m", "-sigfile", tmp + "/s")
    return False
notes = glob.glob(folder + "/*.checkpoint") + [p for d in opt["--copies"] for p in glob.glob(d + "/**/*.checkpoint", recursive=True)]
covered = stamps = 0
origin = "tocsin-traces/" + entries[0].split(" ")[1] if entries else ""
for content, path in {open(p, "rb").read(): p for p in sorted(notes, reverse=True)}.items():  # each once
    reading = path
    text, _, last = content.partition(b"\n\n")
    text, lines = text + b"\n", text.decode().split("\n")
    if lines[0] != origin:
        if os.path.dirname(path) == folder.rstrip("/"): flaw(f"{path} is of another log")
        continue
    if not signed(text, last.decode().split("\n")[0]): flaw(f"{path}: the signature is not of a key that is believed"); continue
    if roots.get(int(lines[1])) != base64.b64decode(lines[2]): flaw(f"{path}: the log is not the one that was signed at {lines[3]}")
    covered, tsr = max(covered, int(lines[1])), path[:-len("checkpoint")] + "tsr"
    if opt["--ca"] and os.path.exists(tsr):
        if openssl("ts", "-verify", "-data", path, "-in", tsr, "-CAfile", opt["--ca"][0]): stamps += 1
        else: flaw(f"{tsr}: the stamp does not hold")
if covered != len(entries): flaw(f"checkpoints sign {covered} entries, the log has {len(entries)}")

reading = folder + "/log.txt"
# What the log says: blocks by place, what purges left of them (held or not), purges, lifted holds.
blocks, cuts, purges, frees, ends = {}, {}, [], {}, {}
for n, line in enumerate(entries):
    w = line.split(" ")
    if w[0] == "block":
        blocks.setdefault((w[2], w[3], int(w[4])), []).append((n, int(w[5]), int(w[6]), int(w[7]), w[8]))
        ends[w[2], w[3]] = max(ends.get((w[2], w[3]), 0), int(w[4]) + int(w[5]))
    elif w[0] in ("cut", "held"): cuts.setdefault((w[2], w[3], int(w[4])), []).append((n, int(w[5]), w[6], w[0] == "held"))
    elif w[0] == "purge": purges.append((n, w[2], int(w[3])))
    elif w[0] == "free": frees[w[2]] = n
def last_of(place, n): return ([(n, 0, "", False)] + [c for c in cuts.get(place, []) if c[0] > n])[-1]
def taken(place, last, time):  # by a purge since; none takes what is held, until the hold is lifted
    if last[3] and frees.get(place[0], -1) < last[0]: return False
    return any(p[0] > last[0] and p[1] == place[0] and p[2] > time for p in purges)

# The blocks: SHA-256 of 0, salt, record for each event; what a purge took has its digest only.
whole, purged, fresh = 0, 0, 0
def judge(place, count, leaves, removed, cut):
    global whole, purged, fresh
    name, sealed = "%s %s event %d to %d" % (place + (place[2] + count - 1,)), blocks.get(place, [])
    found = [e for e in sealed if leaves and len(leaves) == count == e[1] and root_of(leaves).hex() == e[4]]
    if not sealed and place[2] >= ends.get(place[:2], 0): fresh += count; return
    if not sealed: flaw(name + ": nothing was sealed there"); return
    if not found: flaw(name + ": is not what was sealed"); sealed.pop(); return
    n, _, lo, _, _ = e = found[0]; sealed.remove(e)
    last = last_of(place, n)
    if (last[1], last[2]) != (removed, cut) and not taken(place, last, lo):
        flaw(name + ": lost events that no purge took"); return
    whole += count - removed; purged += removed
for path in sorted(glob.glob(folder + "/*.jsonl")):
    reading = path
    class_, month = os.path.basename(path)[:-6].split("-", 1)
    place = None
    for line in open(path):
        e = json.loads(line)
        if "block" in e:
            if place: judge(place, count, leaves, removed, cut.hexdigest() if removed else "")
            w = e["block"].split(" "); place, count, leaves, removed, cut = (w[0], w[1], int(w[2])), int(w[3]), [], 0, hashlib.sha256()
            if place[:2] != (class_, month): flaw(f"{path} holds a block of {place[0]} {place[1]}")
        elif "open" in e:
            fresh += e["open"]
            if e["strays"]: flaw(f"{class_} {month}: {e['strays']} rows are in no block")
        elif e.get("record") and e.get("salt"):
            salt = base64.b64decode(e["salt"]); leaves.append(H(b"\0" + salt + base64.b64decode(e["record"]))); cut.update(b"\1" + salt)
        else: removed += 1; leaves.append(base64.b64decode(e["digest"])); cut.update(b"\0" + leaves[-1])
    if place: judge(place, count, leaves, removed, cut.hexdigest() if removed else "")
only = open(folder + "/month").read().strip()  # empty when every month was exported
for (class_, month, first), left in blocks.items():
    for n, count, lo, hi, _ in left:
        if only and month != only: continue
        if taken((class_, month, first), last_of((class_, month, first), n), hi): purged += count
        else: flaw(f"{class_} {month} event {first} to {first + count - 1}: is not there, and no purge took it")
print(f"{'OK' if not flaws else 'NOT OK'}: {len(entries)} entries, {len(notes)} checkpoints ({stamps} stamps verified), {whole} events as sealed, {purged} purged, {fresh} not in the log yet.")
sys.exit(1 if flaws else 0)
