#!/bin/bash
# Builds the enclave's kernel from the pinned source (docker/inputs.lock) with the pinned tools and docker/kernel.config,
# once, and prints the directory:
#   bzImage   the kernel
#   config    all of its configuration, as it was built
# The same inputs give the same bytes, wherever and whenever they are built.
#
# Usage: kernel.sh               make it where it is absent (a few minutes on two cores), print its path
#        kernel.sh --path        print its path; exit 3 where it was not made
#        kernel.sh --into DIR    make it anew, as DIR, whatever the cache has of it
#        kernel.sh --take DIR    put what --into made in the cache, where that has none; exit 1 where the digest is not the
#                                published one, docker/kernel.sha256, which is that of the pinned inputs alone
# HOLDFAST_INPUTS_LOCK     another lock file than docker/inputs.lock
# HOLDFAST_INPUTS_FOLDER   with --into: what image-inputs.sh made, instead of asking it. The cache is never made from that
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/kernel-<hash of what it is made from>
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
CONFIG=$HERE/../docker/kernel.config
LOCK=${HOLDFAST_INPUTS_LOCK:-$HERE/../docker/inputs.lock}
OUT=$CACHE/kernel-$(hash_of "$LOCK" "$CONFIG" "$HERE/image-inputs.sh" "$HERE/kernel.sh")
COMPLETE=complete
die() {
  say "$*"
  exit 1
}
TAKEN=
if made_anew "$@"; then
  shift 2
else
  unset HOLDFAST_INPUTS_FOLDER
  if [ "${1:-}" = --take ] && [ -n "${2:-}" ]; then
    TAKEN=$(realpath -m "$2")
    shift 2
  fi
fi
begin "$@"

if [ -n "$TAKEN" ]; then
  [ -z "${HOLDFAST_INPUTS_LOCK:-}" ] || die 'only a kernel of the pinned inputs has a published digest'
  cp -a "$TAKEN" "$WORK/new"
  (cd "$WORK/new" && sha256sum --check --status "$HERE/../docker/kernel.sha256") || die 'not the published kernel'
  finish "$WORK/new"
  exit 0
fi

INPUTS=${HOLDFAST_INPUTS_FOLDER:-$("$HERE/image-inputs.sh")}
say 'building the kernel: a few minutes'
STARTED=$SECONDS
# A root directory of its own: the tools with the source at /linux, so that no path of this machine gets into the build.
ROOT=$WORK/root
mkdir -p "$ROOT/linux" "$ROOT/tmp" "$ROOT/dev"
for entry in bin lib lib64 usr; do cp -a "$INPUTS/root/$entry" "$ROOT"; done
tar x -J -f "$INPUTS/kernel/linux.tar.xz" -C "$ROOT/linux" --strip-components=1 --no-same-owner
cp "$CONFIG" "$ROOT/kernel.config"

# The one device that compilers need. Not everybody may make it, and not every file system has devices.
if [ "$(id -u)" = 0 ] && mknod -m 666 "$ROOT/dev/null" c 1 3 2> /dev/null && (: > "$ROOT/dev/null") 2> /dev/null; then
  ENTER=(chroot "$ROOT")
else
  rm -f "$ROOT/dev/null"
  touch "$ROOT/dev/null"
  ENTER=(unshare --mount)
  [ "$(id -u)" = 0 ] || ENTER+=(--user --map-root-user)
  ENTER+=(sh -c 'mount --bind /dev/null "$0/dev/null" && exec chroot "$0" "$@"' "$ROOT")
fi
TOOLS=x86_64-linux-gnu-
run_make() {
  "${ENTER[@]}" /usr/bin/env -i PATH=/usr/bin HOME=/tmp TMPDIR=/tmp LC_ALL=C TZ=UTC \
    KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_VERSION=1 \
    KBUILD_BUILD_USER=holdfast KBUILD_BUILD_HOST=holdfast \
    make -s -C /linux ARCH=x86_64 CROSS_COMPILE=$TOOLS CC=${TOOLS}gcc-14 HOSTCC=${TOOLS}gcc-14 "$@" > "$WORK/make.log" 2>&1 || {
    tail -20 "$WORK/make.log" >&2
    die 'the kernel cannot be built'
  }
}

run_make KCONFIG_ALLCONFIG=/kernel.config allnoconfig
# Kconfig drops an option without a word when something that it depends on is missing.
awk 'NR == FNR { has[$0] = 1; if (/^CONFIG_/) { sub(/=.*/, ""); set[$0] = 1 } next }
  /^CONFIG_/ && !($0 in has) { print "not in effect: " $0 }
  /^# CONFIG_.* is not set$/ && ($2 in set) { print "not in effect: " $0 }' "$ROOT/linux/.config" "$CONFIG" > "$WORK/dropped"
[ ! -s "$WORK/dropped" ] || die "docker/kernel.config: $(cat "$WORK/dropped")"
run_make "-j$(nproc)" bzImage

NEW=$WORK/new
mkdir "$NEW"
cp "$ROOT/linux/arch/x86/boot/bzImage" "$ROOT/linux/.config" "$NEW"
mv "$NEW/.config" "$NEW/config"
chmod 644 "$NEW"/*
touch "$NEW/complete"
say "built in $((SECONDS - STARTED)) s"
finish "$NEW"
