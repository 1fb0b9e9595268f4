import { readFileSync } from 'node:fs';
import { hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { findPsbtReader } from './psbt-reader.ts';
import { decode, digestOf, FORMS, makePsbt, type SigningAlgorithm, type Spec } from './support.ts';

const reader = findPsbtReader();

const NETWORKS = [
  ['bitcoin', '000000000019d6689c085ae165831e93'],
  ['testnet', '000000000933ea01ad0ee984209779ba'],
  ['testnet4', '00000000da84f2bafbbc53dee25a72ae'],
  ['signet', '00000008819873e925422c1ff0f99f7c'],
  ['regtest', '0f9188f13cb7b2c71f2a335e3a4fc328'],
] as const;

const outputs: Spec['outputs'] = [
  ...Object.values(FORMS).map(({ script }, index) => ({ script, amount: 1000n + BigInt(index) })),
  { script: hexToBytes('51024e73'), amount: 240n },
  { script: hexToBytes(`5210${'75'.repeat(16)}`), amount: 240n },
  { script: hexToBytes(`a914${'75'.repeat(20)}87`), amount: 240n },
  { script: hexToBytes(`6028${'75'.repeat(40)}`), amount: 240n },
];

describe.skipIf(reader === undefined)('rust-bitcoin', () => {
  it.each(NETWORKS)('knows the first block of %s', (network, id) => {
    expect(reader?.readGenesis(network).slice(0, 32)).toBe(id);
  });

  it.each(NETWORKS)('writes the same addresses on %s', (network, id) => {
    const psbt = makePsbt({ inputs: [{ form: 'multisig', amount: 50_000n }], outputs });
    const { transaction } = decode(psbt, 'ecdsa-secp256k1', [`bip122:${id}`]);
    const [reading] = reader?.read([psbt], network) ?? [];
    if (typeof reading !== 'object') throw new RangeError(reading);
    // The output to the multisig itself is change.
    const addresses = reading.outputs.filter((_, index) => index !== 1).map(({ address }) => address);
    expect(transaction.effects.map(({ to }) => to)).toEqual(addresses);
    expect(transaction.effects).toHaveLength(outputs.length - 1);
  });

  it.each([0, 2] as const)('hashes the same in a PSBT of version %i', (version) => {
    for (const [form, algorithm] of [
      ['p2wpkh', 'ecdsa-secp256k1'],
      ['multisig', 'ecdsa-secp256k1'],
      ['p2tr', 'bip340'],
      ['p2tr-tree', 'frost-secp256k1-taproot'],
    ] as const satisfies readonly (readonly [keyof typeof FORMS, SigningAlgorithm])[]) {
      for (const sighashType of [undefined, 1, 2, 3, 0x81, 0x82, 0x83]) {
        const type = sighashType === undefined ? {} : { sighashType };
        const inputs = [50_000n, 60_000n].map((amount) => ({ form, amount, ...type }));
        const psbt = makePsbt({ inputs, outputs }, version);
        const decoded = decode(psbt, algorithm);
        const [reading] = reader?.read([psbt]) ?? [];
        expect(reading).toMatchObject({
          psbtVersion: version,
          txid: decoded.transaction.details['txid'],
          inputs: [{ digest: digestOf(decoded, 0) }, { digest: digestOf(decoded, 1) }],
        });
      }
    }
  });

  it('refuses what the BIPs call invalid, but for fields of version 2 in version 0 and a height of 0', () => {
    const vectors = JSON.parse(
      readFileSync(new URL('../../../vectors/bitcoin/psbt.json', import.meta.url), 'utf8'),
    ) as { name: string; psbt: string; expected: string }[];
    const invalid = vectors.filter(({ expected }) => expected === 'invalid');
    const readings = reader?.read(invalid.map(({ psbt }) => hexToBytes(psbt))) ?? [];
    const taken = invalid.filter((_, index) => typeof readings[index] === 'object').map(({ name }) => name);
    expect(taken.filter((name) => !/^PSBTv0 but with|HEIGHT_LOCKTIME of 0/.test(name))).toEqual([]);
    expect(readings).toHaveLength(55);
  });
});
