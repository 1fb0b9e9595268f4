#!/bin/bash
# Takes nats-server out of its Debian package, to which the parent's carrier by NATS is shown. Nothing is installed: only
# that one program goes into the cache.
#
# Usage: nats-server.sh          make it where it is absent, print its directory
#        nats-server.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/nats-server-<hash of this script>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
OUT=$CACHE/nats-server-$(hash_of "$HERE/nats-server.sh")
COMPLETE=nats-server
begin "$@"
. "$HERE/debian-packages.sh"
finish_debian trixie nats-server usr/sbin/nats-server --version
