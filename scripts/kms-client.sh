#!/bin/bash
# Makes a program that uses KMS by one of AWS's SDKs, pinned in test/local/kms/clients, so that the KMS stand-in and the
# gateway are shown to real clients: python (boto3 and the AWS CLI), go or java.
#
# Usage: kms-client.sh python|go|java          make it where it is absent, print its directory
#        kms-client.sh python|go|java --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/kms-client-<language>-<hash of this script and of the client>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
LANGUAGE=${1:-}
SOURCE=$HERE/../test/local/kms/clients/$LANGUAGE
[[ $LANGUAGE =~ ^(python|go|java)$ ]] || OUT= COMPLETE=none begin "${LANGUAGE:-none}"
shift
OUT=$CACHE/kms-client-$LANGUAGE-$(hash_of "$HERE/kms-client.sh" "$SOURCE"/*)
COMPLETE=complete
begin "$@"
case $LANGUAGE in
  python) finish_python "$SOURCE/requirements.txt" ;;
  go) finish_go client . ;;
  java)
    need keytool
    finish_java
    ;;
esac
