#!/bin/bash
# Takes promtool, which checks alerts and metrics, out of Debian's package prometheus: to install that starts a server.
#
# Usage: promtool.sh          fetch it where it is absent (30 MB of downloads), print its directory
#        promtool.sh --path   print its directory; exit 3 where it was not fetched
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/promtool-<hash of this script>
# Exit 1 where it cannot be had, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
OUT=$CACHE/promtool-$(hash_of "$HERE/promtool.sh")
COMPLETE=promtool
begin "$@"
. "$HERE/debian-packages.sh"
finish_debian bookworm prometheus usr/bin/promtool --version
