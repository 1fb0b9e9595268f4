#!/bin/bash
# Takes cosign out of its Debian package, so that signatures of releases are made and verified by it. Nothing is installed:
# only that one program goes into the cache.
#
# Usage: cosign.sh          make it where it is absent, print its directory
#        cosign.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/cosign-<hash of this script>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
OUT=$CACHE/cosign-$(hash_of "$HERE/cosign.sh")
COMPLETE=cosign
begin "$@"
. "$HERE/debian-packages.sh"
# The first release of Debian that has cosign 3, whose bundles are those of a release.
finish_debian forky cosign usr/bin/cosign version
