#!/bin/bash
# Makes the programs that the transparency log is shown to, pinned in test/audit/log/peers: the witnesses litewitness and
# omniwitness, and log-peer, which reads and judges by x/mod's, torchwood's and transparency-dev's libraries.
#
# Usage: log-peers.sh          make them where they are absent (a minute or two), print their directory
#        log-peers.sh --path   print their directory; exit 3 where they were not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/log-peers-<hash of this script and of the sources>
# Exit 1 where they cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
SOURCE=$HERE/../test/audit/log/peers
OUT=$CACHE/log-peers-$(hash_of "$HERE/log-peers.sh" "$SOURCE"/*)
COMPLETE=complete
begin "$@"
finish_go '' . tool
