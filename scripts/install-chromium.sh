#!/bin/sh
# Installs the browser that the tests of the verifier page drive. On Debian and Ubuntu from the distribution; elsewhere
# playwright's own build.
set -eu
if command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1; then
  exit 0
fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  apt-get update -qq
  exec apt-get install -y --no-install-recommends chromium
fi
exec "$(dirname "$0")/../node_modules/.bin/playwright-core" install chromium-headless-shell
