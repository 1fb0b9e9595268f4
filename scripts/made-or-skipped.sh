# Sourced by the scripts that make what tests need and `make test` goes on without. The caller sets
#   REASON     a file in build/: says what could not be made, for the tests, which repeat it and count as skipped
#   UNTESTED   what is not tested then
# and calls
#   made_or_skipped COMMAND…   true where the command succeeds. Otherwise says loudly what is skipped, and why: the last
#                              line of its standard error

made_or_skipped() {
  local log line
  mkdir -p "$(dirname "$REASON")"
  rm -f "$REASON"
  log=$(mktemp)
  if "$@" 2>&1 > /dev/null | tee "$log" >&2; then
    rm -f "$log"
    return 0
  fi
  tail -1 "$log" > "$REASON"
  rm -f "$log"
  line=$(printf '%.0s#' {1..100})
  printf '\n%s\n#  SKIPPED: %s\n#  Why: %s\n%s\n\n' "$line" "$UNTESTED" "$(cat "$REASON")" "$line" >&2
  return 1
}
