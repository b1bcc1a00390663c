#!/usr/bin/env bash
# Installs what the tests need on Debian 12: PostgreSQL, the protocol peers,
# the browser, the checkers of documents, and the npm packages. Does nothing
# where all is present.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(postgresql slapd chromium postfix libnet-smpp-perl kannel libmail-dkim-perl poppler-utils qpdf zbar-tools openssl iproute2 prometheus-alertmanager)
missing=()
for p in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
done
if ((${#missing[@]})); then
  echo "Installing: ${missing[*]}"
  sudo=()
  if [ "$(id -u)" -ne 0 ]; then sudo=(sudo); fi
  "${sudo[@]}" apt-get update -qq
  # Debian starts services at installation; the tests start their own.
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

for dir in . test/peers; do
  if [ -f "$dir/package-lock.json" ] && ! [ "$dir/node_modules/.package-lock.json" -nt "$dir/package-lock.json" ]; then
    npm ci --prefix "$dir" --no-audit --no-fund --silent
    touch "$dir/node_modules/.package-lock.json"
  fi
done
