#!/usr/bin/env bash
# Reproducible programs, their checksums, what they are made of, and under which licences.
#   deploy/release.sh VERSION LDFLAGS
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1 ldflags=$2
rm -rf dist && mkdir -p dist/licences

for target in linux/amd64 linux/arm64 windows/amd64; do
  os=${target%/*} arch=${target#*/} suffix=
  if [ "$os" = windows ]; then suffix=.exe; fi
  echo "tocsin $version $target"
  CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=false -ldflags "$ldflags" -o "dist/tocsin-$os-$arch$suffix" ./cmd/tocsin
done

# The licence texts of every module that is linked in.
go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/tocsin | sort -u | sed '/^$/d' > dist/modules.txt
while read -r path mod dir; do
  found=$(find "$dir" -maxdepth 1 -iname 'licen[cs]e*' -o -maxdepth 1 -iname 'copying*' | sort | head -n 1)
  if [ -z "$found" ]; then echo "no licence file: $path" >&2; exit 1; fi
  cp "$found" "dist/licences/$(echo "$path@$mod" | tr '/' '_').txt"
done < dist/modules.txt

# CycloneDX 1.5, minimal and complete: what, which version, from where.
awk -v version="$version" 'BEGIN {
  printf "{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.5\",\n  \"version\": 1,\n  \"metadata\": {\"component\": {\"type\": \"application\", \"name\": \"tocsin\", \"version\": \"%s\"}},\n  \"components\": [", version
} {
  printf "%s\n    {\"type\": \"library\", \"name\": \"%s\", \"version\": \"%s\", \"purl\": \"pkg:golang/%s@%s\"}", (NR > 1 ? "," : ""), $1, $2, $1, $2
} END { print "\n  ]\n}" }' dist/modules.txt > dist/tocsin-sbom.cdx.json
rm dist/modules.txt

(cd dist && sha256sum tocsin-* > SHA256SUMS)
cat dist/SHA256SUMS
