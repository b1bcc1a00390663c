#!/usr/bin/env bash
# Fuzzes every target of the project for as long as is said, side by side.
# Built one after another, so that what they share is compiled once.
#   test/fuzz.sh 30s
# A target fails when it found an input. Go 1.26 may also end one with nothing but
# "context deadline exceeded" as its time is up (go.dev/issue/75804): that is no
# finding, and is said.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go} time=${1:-30s} work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
targets=()
while IFS=: read -r file target; do
  package=./$(dirname "$file")
  program=$work/${package//[.\/]/_}.test
  # What -fuzz does, for the package itself and what it reads bytes with: coverage
  # of all that it imports would cost minutes of compilation, and shows no road.
  [ -e "$program" ] || "$go" test -vet=off '-ldflags=-s -w' '-gcflags=all=-dwarf=false' "-gcflags=tocsin/internal/wire/...=-d=libfuzzer -dwarf=false" "-gcflags=tocsin/${package#./}=-d=libfuzzer -dwarf=false" -c -o "$program" "$package"
  targets+=("$package" "$target" "$program")
done < <(grep -r --include='*_test.go' '^func Fuzz' internal | sed -E 's/:func (Fuzz[A-Za-z]+).*/:\1/' | sort)

# one PACKAGE TARGET PROGRAM: its last words, or all of them when it failed.
one() {
  local log=$work/$2.${1//\//_}.log
  if (cd "$1" && "$3" -test.run '^$' -test.fuzz "^$2\$" -test.fuzztime "$time" -test.parallel 1 -test.fuzzminimizetime 2s -test.fuzzcachedir "$work/found") >"$log" 2>&1; then
    echo "ok  $1 $2: $(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
  elif grep -q 'context deadline exceeded' "$log" && ! grep -qE 'Failing input|panic:|_test\.go:|fatal error' "$log"; then
    echo "ok  $1 $2: $(grep -o 'execs: [0-9]*' "$log" | tail -n 1), ended by Go's own deadline (go.dev/issue/75804)"
  else
    cat "$log"
    echo "FAIL $1 $2"
    return 1
  fi
}
export -f one
export time work
printf '%s\0' "${targets[@]}" | xargs -0 -n 3 -P "${#targets[@]}" bash -c 'one "$@"' one
