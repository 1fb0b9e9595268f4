#!/bin/bash
# Makes nats-server, pinned in test/parent/peers/nats-server, to which the parent's carrier by NATS is shown.
#
# Usage: nats-server.sh          make it where it is absent (a minute or two), print its directory
#        nats-server.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/nats-server-<hash of this script and of the pins>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
SOURCE=$HERE/../test/parent/peers/nats-server
OUT=$CACHE/nats-server-$(hash_of "$HERE/nats-server.sh" "$SOURCE"/*)
COMPLETE=nats-server
begin "$@"
finish_go '' tool
