#!/usr/bin/env bash
# Builds Dendrite, a Matrix homeserver that Debian does not have, once for a machine
# (minutes of a processor, SQLite in C): that is why make test does without, and make
# test-matrix does not.
set -euo pipefail
version=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' "$(dirname "$0")/peers/dendrite/dendrite.go")
cache="${XDG_CACHE_HOME:-$HOME/.cache}/tocsin"
if [ -x "$cache/dendrite-$version" ]; then exit 0; fi
echo "Building Dendrite $version"
GOBIN="$cache/build" GOFLAGS=-trimpath CGO_ENABLED=1 go install "github.com/matrix-org/dendrite/cmd/dendrite@$version"
mv "$cache/build/dendrite" "$cache/dendrite-$version"
