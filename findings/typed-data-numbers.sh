#!/bin/bash
# What ethers and viem hand a remote signer (eth_signTypedData_v4) for one document of EIP-712.
#
# One would guess that a library writes numbers in one way, and that the two agree: both sign the same digest by themselves.
#
# Seen: ethers writes `chainId` of the domain as a hexadecimal quantity, and each number of the message beside it, of the
# same type uint256, as a decimal string. viem writes `chainId` as a JSON number, bigints as decimal strings, and leaves
# numbers and the case of byte strings as the caller gave them. A signer that takes one form of uint256 refuses one of the
# two libraries, and whoever compares or remembers documents by their text takes one order for two.
#
# Needs npm, node. Exit 0: as written here; 1: the behaviour is another.
set -euo pipefail
ETHERS=6.17.0
VIEM=2.57.20

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts "ethers@$ETHERS" "viem@$VIEM"

cat > ask.mjs << 'END'
import { BrowserProvider, JsonRpcSigner, TypedDataEncoder } from 'ethers';
import { createWalletClient, custom, hashTypedData } from 'viem';

const ADDRESS = '0x1111111111111111111111111111111111111111';
const domain = { name: 'Vault', chainId: 1, verifyingContract: ADDRESS };
const types = { Order: [{ name: 'amount', type: 'uint256' }, { name: 'delta', type: 'int8' }, { name: 'memo', type: 'bytes' }] };
const message = { amount: 10n ** 18n, delta: -5, memo: '0xABCD' };

const documents = [];
const provider = {
  request: async ({ method, params }) => {
    if (method === 'eth_chainId') return '0x1';
    if (method.endsWith('ccounts')) return [ADDRESS];
    documents.push(JSON.parse(params[1]));
    throw new Error('not signed');
  },
};
await new JsonRpcSigner(new BrowserProvider(provider), ADDRESS).signTypedData(domain, types, message).catch(() => {});
await createWalletClient({ account: ADDRESS, transport: custom(provider) })
  .signTypedData({ domain, types, primaryType: 'Order', message })
  .catch(() => {});

const [ethers, viem] = documents.map(({ domain: { chainId }, message: { amount, delta, memo } }) =>
  JSON.stringify({ chainId, amount, delta, memo }));
console.log('ethers', ethers);
console.log('viem', viem);
const same = TypedDataEncoder.hash(domain, types, message) === hashTypedData({ domain, types, primaryType: 'Order', message });
console.log('digests', same ? 'equal' : 'different');
END
node ask.mjs | tee seen

diff - seen << END && printf 'As expected.\n'
ethers {"chainId":"0x1","amount":"1000000000000000000","delta":"-5","memo":"0xabcd"}
viem {"chainId":1,"amount":"1000000000000000000","delta":-5,"memo":"0xABCD"}
digests equal
END
