# Sourced by the scripts that make what tests need and `make test` goes on without. The caller sets
#   REASON     a file in build/: says what could not be made, for the tests, which repeat it and count as skipped
#   UNTESTED   what is not tested then
# and calls
#   made_or_skipped COMMAND…   true where the command succeeds. Otherwise says loudly what is skipped, and why: the last
#                              line of its standard error

# box LINE…: a message that nobody may miss, in a box.
box() {
  local bar
  bar=$(printf '%.0s#' {1..100})
  { printf '\n%s\n' "$bar" && printf '#  %s\n' "$@" && printf '%s\n\n' "$bar"; } >&2
}

made_or_skipped() {
  local log
  mkdir -p "$(dirname "$REASON")"
  rm -f "$REASON"
  log=$(mktemp)
  if "$@" 2>&1 > /dev/null | tee "$log" >&2; then
    rm -f "$log"
    return 0
  fi
  tail -1 "$log" > "$REASON"
  rm -f "$log"
  box "SKIPPED: $UNTESTED" "Why: $(cat "$REASON")"
  return 1
}
