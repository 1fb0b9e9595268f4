#!/bin/bash
# Holds node_modules against package-lock.json: the pinned Node, the bundler and every package that is bundled. npm
# installs the same packages into a temporary folder, without running a script of theirs; it compares each with the
# SHA-512 in package-lock.json, those in its own cache too. Then the two trees are compared, file by file.
# That is done by the machine's own npm, Node and shell, because node_modules is what is in doubt.
#
# Usage: check-node-modules.sh
# Exit 1 where a file differs, 3 where the packages cannot be had, with the reason on standard error.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

die() {
  printf 'check-node-modules: %s\n' "$2" >&2
  exit "$1"
}

# npm is started by the first node on the way, which must not be the one in doubt.
PATH=$(printf %s "$PATH" | tr : '\n' | grep -v node_modules | paste -sd :)
command -v npm > /dev/null || die 3 'needs npm, which installed node_modules, to hold it against package-lock.json'
[ -d "$ROOT/node_modules" ] || die 1 'there is no node_modules: run npm ci'

cp "$ROOT/package.json" "$ROOT/package-lock.json" "$WORK"
(cd "$WORK" && npm ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error) > "$WORK/npm.log" 2>&1 || {
  cat "$WORK/npm.log" >&2
  die 3 'the packages of package-lock.json cannot be had, so node_modules cannot be checked'
}

# The one file that a package's script makes: esbuild puts its program in the place of what starts it.
PROGRAM=$WORK/node_modules/@esbuild/linux-x64/bin/esbuild
if [ -f "$PROGRAM" ] && cmp -s "$PROGRAM" "$ROOT/node_modules/esbuild/bin/esbuild"; then
  cp -f "$PROGRAM" "$WORK/node_modules/esbuild/bin/esbuild"
fi
# What tools keep there for themselves is in no package, and no name that can be imported.
(cd "$WORK" && diff -rq --no-dereference -x .vite -x .vite-temp -x .vitest-cache -x .cache \
  node_modules "$ROOT/node_modules/") > "$WORK/different" || {
  head -20 "$WORK/different" >&2
  die 1 "node_modules is not what package-lock.json names ($(wc -l < "$WORK/different") differences): run npm ci, and find out who changed it"
}
