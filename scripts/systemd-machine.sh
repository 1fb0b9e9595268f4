#!/usr/bin/env bash
# Makes what the test of the installed unit under a booted systemd needs: a Debian tree, on a machine that can boot one.
# Where it cannot be made it says so, why, and what is skipped for it, and succeeds: the test counts as skipped.
#
# Usage: systemd-machine.sh   a minute or two on a fresh machine, a moment afterwards
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-or-skipped.sh"
REASON=$HERE/../build/no-systemd-machine
UNTESTED='the parent is not installed and run on a machine that systemd has booted.'

made_or_skipped "$HERE/../test/systemd/harness/machine.sh" --check || exit 0
made_or_skipped "$HERE/debian-tree.sh" || exit 0
