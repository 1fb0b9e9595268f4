#!/bin/bash
# Makes what the tests of releases are judged by: cosign, an OCI registry (go-containerregistry), and a validator of
# CycloneDX (cyclonedx-python-lib), pinned in test/admin/artifacts/tools.
#
# Usage: release-tools.sh cosign|registry|sbom          make it where it is absent, print its directory
#        release-tools.sh cosign|registry|sbom --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/release-tool-<name>-<hash of this script and of what pins it>
# Exit 1 where it cannot be made, with the reason on standard error. cosign takes several minutes of two cores.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
TOOL=${1:-}
SOURCE=$HERE/../test/admin/artifacts/tools/$TOOL
[[ $TOOL =~ ^(cosign|registry|sbom)$ ]] || OUT= COMPLETE=none begin "${TOOL:-none}"
shift
OUT=$CACHE/release-tool-$TOOL-$(hash_of "$HERE/release-tools.sh" "$SOURCE"/*)
COMPLETE=complete
begin "$@"

# run WHAT COMMAND…: the last lines of its output are the reason where it fails.
run() {
  local what=$1
  shift
  "$@" > "$WORK/log" 2>&1 || {
    tail -3 "$WORK/log" >&2
    say "$TOOL: $what"
    exit 1
  }
}

new=$WORK/new
mkdir "$new"
case $TOOL in
  cosign | registry)
    need go
    package=.
    [ "$TOOL" = registry ] || package=github.com/sigstore/cosign/v3/cmd/cosign
    (cd "$SOURCE" && run 'it could not be built' go build -mod=readonly -o "$new/$TOOL" "$package")
    touch "$new/$COMPLETE"
    finish "$new"
    ;;
  sbom)
    need python3
    # Made where it stays, because its programs name their interpreter by its path.
    rm -rf "$OUT"
    run 'no virtual environment (on Debian: python3-venv)' python3 -m venv "$OUT"
    run 'the packages could not be installed' "$OUT/bin/pip" install --disable-pip-version-check --no-deps \
      --requirement "$SOURCE/requirements.txt"
    touch "$OUT/$COMPLETE"
    prune_cache
    printf '%s\n' "$OUT"
    ;;
esac
