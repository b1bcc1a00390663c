#!/usr/bin/env bash
# Installs what the tests need on Debian 12: PostgreSQL, the protocol peers,
# the browser, the checkers of documents, the npm packages, and the commit of the
# previous version. Does nothing where all is present.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ postgresql slapd chromium-headless-shell firefox-esr postfix libnet-smpp-perl kannel libmail-dkim-perl poppler-utils qpdf zbar-tools openssl iproute2 prometheus-alertmanager sip-tester kamailio baresip-core espeak-ng gammu-smsd hylafax-server libxml2-utils rsyslog rsyslog-gnutls libjson-c5 libwrap0)
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

# Its package refuses to stand beside that of rsyslog: it is unpacked apart.
if ! command -v syslog-ng >/dev/null && ! [ -x test/peers/syslog-ng/usr/sbin/syslog-ng ]; then
  echo "Unpacking: syslog-ng"
  mkdir -p test/peers/syslog-ng
  (
    cd test/peers/syslog-ng
    apt-get download -qq -o APT::Sandbox::User=root syslog-ng-core libivykis0 libnet1 && for p in ./*.deb; do dpkg-deb -x "$p" .; done && rm ./*.deb
  ) || echo "It cannot be fetched: its test will be skipped."
fi

for dir in . test/peers; do
  if [ -f "$dir/package-lock.json" ] && ! [ "$dir/node_modules/.package-lock.json" -nt "$dir/package-lock.json" ]; then
    npm ci --prefix "$dir" --no-audit --no-fund --silent
    touch "$dir/node_modules/.package-lock.json"
  fi
done

# The version that upgrades are tested from: a shallow clone may be without it.
previous=$(grep -v '^#' test/upgrade/previous)
if git rev-parse --git-dir >/dev/null 2>&1 && ! git cat-file -e "$previous^{commit}" 2>/dev/null; then
  remote=$(git remote | head -n 1)
  if [ -n "$remote" ]; then
    echo "Fetching the previous version, $previous"
    depth=()
    if [ "$(git rev-parse --is-shallow-repository)" = true ]; then depth=(--unshallow); fi
    git fetch --quiet "${depth[@]}" --tags "$remote" || echo "It cannot be fetched: the tests of upgrades will be skipped."
  fi
fi
