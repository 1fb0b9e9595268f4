#!/bin/bash
# Holds node_modules against package-lock.json: the pinned Node, the bundler and every package that is bundled. npm's
# cache keeps the tarball of each package under its SHA-512. Each is compared with package-lock.json here, not by npm, and
# unpacked beside the others; then that tree and node_modules are compared file by file. Where the cache lacks one, or has
# other bytes there, npm downloads all of them into an empty one.
# That is done by the machine's own Node, npm and shell, because node_modules is what is in doubt.
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

# npm and node are started by name, and must not be those of node_modules, which are in doubt.
PATH=$(printf %s "$PATH" | tr : '\n' | grep -v node_modules | paste -sd :)
for tool in npm node; do
  command -v "$tool" > /dev/null || die 3 "needs $tool, which installed node_modules, to hold it against package-lock.json"
done
[ -d "$ROOT/node_modules" ] || die 1 'there is no node_modules: run npm ci'

# A line for each package: SHA-512 in hex, whether it may be absent (those for other machines may), its folder.
LIST_PACKAGES='
  const { packages } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
  for (const [path, { integrity = "", optional = false }] of Object.entries(packages)) {
    if (path === "") continue;
    const [, digest] = /^sha512-([A-Za-z0-9+\/]{86}==)$/.exec(integrity) ?? [];
    if (digest === undefined || !/^node_modules\/[\w@.\/-]+$/.test(path) || path.includes("..")) throw new Error(path);
    console.log(Buffer.from(digest, "base64").toString("hex"), optional, path);
  }'
node -e "$LIST_PACKAGES" "$ROOT/package-lock.json" > "$WORK/packages" ||
  die 1 'package-lock.json names a package without its SHA-512'

# unpack CACHE: unpacks each package that node_modules has, or should have. False where the cache does not have one.
unpack() {
  local sha512 optional path file
  rm -rf "$WORK/node_modules"
  while read -r sha512 optional path; do
    [ "$optional" = false ] || [ -e "$ROOT/$path" ] || continue
    file=$1/_cacache/content-v2/sha512/${sha512:0:2}/${sha512:2:2}/${sha512:4}
    [ -f "$file" ] || return 1
    cp "$file" "$WORK/tarball"
    printf '%s  %s\n' "$sha512" "$WORK/tarball" | sha512sum --check --status || return 1
    mkdir -p "$WORK/$path"
    # Old npm wrote header fields of its own, which tar names on standard error: they say nothing of the files.
    tar --warning=no-unknown-keyword -xzf "$WORK/tarball" -C "$WORK/$path" --strip-components=1 --no-same-owner || return 1
  done < "$WORK/packages"
}

if ! unpack "$(npm config get cache)"; then
  mkdir "$WORK/anew"
  cp "$ROOT/package.json" "$ROOT/package-lock.json" "$WORK/anew"
  (cd "$WORK/anew" && npm ci --cache "$WORK/npm" --ignore-scripts --no-audit --no-fund --loglevel=error) > "$WORK/npm.log" 2>&1 || {
    cat "$WORK/npm.log" >&2
    die 3 'the packages of package-lock.json cannot be had, so node_modules cannot be checked'
  }
  unpack "$WORK/npm" || die 3 'npm does not keep the packages where they were looked for, so node_modules cannot be checked'
fi

# The one file that a package's script makes: esbuild puts its program in the place of what starts it.
PROGRAM=$WORK/node_modules/@esbuild/linux-x64/bin/esbuild
if [ -f "$PROGRAM" ] && cmp -s "$PROGRAM" "$ROOT/node_modules/esbuild/bin/esbuild"; then
  cp -f "$PROGRAM" "$WORK/node_modules/esbuild/bin/esbuild"
fi
# Files that npm and tools keep there for themselves are in no package, and have no name that can be imported. The links
# in .bin are for people: no build takes one.
(cd "$WORK" && diff -rq --no-dereference -x .bin -x .package-lock.json -x .vite -x .vite-temp -x .vitest-cache -x .cache \
  node_modules "$ROOT/node_modules/") > "$WORK/different" || {
  head -20 "$WORK/different" >&2
  die 1 "node_modules is not what package-lock.json names ($(wc -l < "$WORK/different") differences): run npm ci, and find out who changed it"
}
