#!/usr/bin/env bash
# A migration that landed never changes: a hospital has already run it.
# docs/migrations.sha256 lists them; add new lines with --record.
set -euo pipefail
cd "$(dirname "$0")/.."
list=docs/migrations.sha256
if [ "${1:-}" = --record ]; then
  find internal -path '*/migrations/*.sql' | sort | xargs sha256sum > "$list"
  exit 0
fi
sha256sum --quiet --check "$list"
unlisted=$(comm -13 <(awk '{print $2}' "$list" | sort) <(find internal -path '*/migrations/*.sql' | sort))
if [ -n "$unlisted" ]; then
  echo "New migrations, not yet recorded (bash test/migrations-untouched.sh --record):" >&2
  echo "$unlisted" >&2
  exit 1
fi
