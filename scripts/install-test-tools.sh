#!/bin/sh
# Installs what tests drive besides Node: a Chromium for the pages, the server programs of PostgreSQL for the parent's
# store, systemd's containers for its unit; and, in the cache, promtool for its alerts, clients by AWS's other SDKs
# and cosign for the KMS stand-in and the gateway, readers of transactions by other people's libraries (go-ethereum,
# rust-bitcoin, pytezos, Agave, solders), a participant of FROST by the Zcash Foundation's crates, witnesses and clients of
# transparency logs, a peer of Noise handshakes (snow), Go's crypto beside the keys of an enclave, nats-server, Canton's
# reader of HOCON, and linters of CloudFormation templates. On Debian and Ubuntu, as root, from the distribution. Where it
# cannot, it says so and succeeds: the tests that need them are then counted as skipped.
set -eu
# Each of these waits for downloads or computes, and none needs another: all at once.
install_packages() {
  missing=
  command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || missing="$missing chromium"
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
  command -v systemd-nspawn >/dev/null 2>&1 || missing="$missing systemd-container"
  if [ -n "$missing" ] && { ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; }; then
    echo "holdfast: not on this machine, and not to be installed by this user:$missing; tests that need it are skipped" >&2
  elif [ -n "$missing" ]; then
    # With this setting Debian does not start a server of its own as soon as it is installed.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >/dev/null || {
      echo "holdfast: apt-get could not install$missing; tests that need it are skipped" >&2
    }
  fi
  # These come by the package lists that may have been fetched just now.
  command -v promtool >/dev/null 2>&1 || "$(dirname "$0")/promtool.sh" >/dev/null || {
    echo "holdfast: no promtool; tests that need it are skipped" >&2
  }
  "$(dirname "$0")/cosign.sh" >/dev/null || echo "holdfast: no cosign; tests that need it are skipped" >&2
}
install_packages &
for language in python go java; do
  "$(dirname "$0")/kms-client.sh" "$language" >/dev/null || {
    echo "holdfast: no KMS client by $language; tests that need it are skipped" >&2
  } &
done
for reader in agave solders; do
  "$(dirname "$0")/solana-reader.sh" "$reader" >/dev/null || {
    echo "holdfast: no reader of Solana messages by $reader; tests that need it are skipped" >&2
  } &
done
"$(dirname "$0")/deploy-linters.sh" >/dev/null || {
  echo "holdfast: no linters of CloudFormation templates; tests that need them are skipped" >&2
} &
for peer in geth-peer psbt-reader tezos-forger moto slip39-judge log-peers noise-peer key-peer frost-peer nats-server \
  hocon-oracle; do
  "$(dirname "$0")/$peer.sh" >/dev/null || {
    echo "holdfast: no peer by $peer.sh; tests that need it are skipped" >&2
  } &
done
for tool in registry sbom; do
  "$(dirname "$0")/release-tools.sh" "$tool" >/dev/null || {
    echo "holdfast: no $tool for releases; tests that need it are skipped" >&2
  } &
done
wait
