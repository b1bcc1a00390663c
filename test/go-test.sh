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
# Several packages wait for peers and clocks of the real world: one more than the
# machine has cores runs at once.
flags=(-vet=off '-ldflags=-s -w' -shuffle=on -timeout 20m -p "$(($(nproc) + 1))")
if [ "${1:-}" = -race ]; then
  flags+=(-race)
  shift
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$go" run ./test/postgres -- "$go" test "${flags[@]}" "$@" 2>&1 | tee "$log"
if [ "${PIPESTATUS[0]}" -eq 0 ]; then exit 0; fi
mapfile -t failed < <(awk '$1 == "FAIL" && $2 ~ /^tocsin\// { print $2 }' "$log" | sort -u)
if [ "${#failed[@]}" -eq 0 ] || [ "${#failed[@]}" -gt 5 ]; then exit 1; fi
echo "Second run, alone: ${failed[*]}"
"$go" run ./test/postgres -- "$go" test "${flags[@]}" -p 1 "${failed[@]}"
