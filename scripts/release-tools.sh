#!/bin/bash
# Makes what the tests of releases are judged by beside cosign (cosign.sh): an OCI registry (go-containerregistry), and a
# validator of CycloneDX (cyclonedx-python-lib), pinned in test/admin/artifacts/tools.
#
# Usage: release-tools.sh registry|sbom          make it where it is absent, print its directory
#        release-tools.sh registry|sbom --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/release-tool-<name>-<hash of this script and of what pins it>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
TOOL=${1:-}
SOURCE=$HERE/../test/admin/artifacts/tools/$TOOL
[[ $TOOL =~ ^(registry|sbom)$ ]] || OUT= COMPLETE=none begin "${TOOL:-none}"
shift
OUT=$CACHE/release-tool-$TOOL-$(hash_of "$HERE/release-tools.sh" "$SOURCE"/*)
COMPLETE=complete
begin "$@"
case $TOOL in
  registry) finish_go registry . ;;
  sbom) finish_python "$SOURCE/requirements.txt" ;;
esac
