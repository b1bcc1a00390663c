#!/usr/bin/env bash
# go test with a PostgreSQL beside it. A package that fails while everything
# runs at once is run a second time, alone, and both results stay on the screen:
# two shared cores make peers time out, and a second failure is a real one.
# What vet says is asked once, by make check, and test programs carry no
# debugger's tables: the same on every link would be minutes.
#   test/go-test.sh [-race] PACKAGES…
set -uo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
# Packages and the tests inside wait for peers and clocks of the real world: more of
# them than the machine has cores run at once.
flags=(-vet=off '-ldflags=-s -w' -shuffle=on -timeout 20m -p "$(($(nproc) + 1))" -parallel "$(($(nproc) + 2))")
if [ "${1:-}" = -race ]; then
  # The SQL engine is not ours to watch, and would be most of the time.
  flags+=(-race '-gcflags=all=-dwarf=false' '-gcflags=modernc.org/...=-race=false -dwarf=false')
  shift
fi
# What tests write is theirs alone and short-lived: in memory where there is plenty.
# What the compiler writes is large, and stays on the disk.
export GOTMPDIR=${GOTMPDIR:-${TMPDIR:-/tmp}}
room=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
memory=/dev/shm/t-XXXX # short: sockets have names of at most 107 bytes
if [ "${room:-0}" -lt $((6 * 1024 * 1024)) ] || grep -q '^[^ ]* /dev/shm .*noexec' /proc/mounts; then memory=$GOTMPDIR/t-XXXX; fi
TMPDIR=$(mktemp -d "$memory")
export TMPDIR
chmod 1777 "$TMPDIR"
log=$TMPDIR/log
trap 'rm -rf "$TMPDIR"' EXIT
"$go" run ./test/postgres -- "$go" test "${flags[@]}" "$@" 2>&1 | tee "$log"
if [ "${PIPESTATUS[0]}" -eq 0 ]; then exit 0; fi
mapfile -t failed < <(awk '$1 == "FAIL" && $2 ~ /^tocsin\// { print $2 }' "$log" | sort -u)
if [ "${#failed[@]}" -eq 0 ] || [ "${#failed[@]}" -gt 5 ]; then exit 1; fi
echo "Second run, alone: ${failed[*]}"
"$go" run ./test/postgres -- "$go" test "${flags[@]}" -p 1 -parallel "$(nproc)" "${failed[@]}"
