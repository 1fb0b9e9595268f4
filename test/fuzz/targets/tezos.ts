import { bytesToHex } from '@noble/hashes/utils.js';
import { TransactionError } from '../../../policy/transactions/index.ts';
import { decodeTezos, readConsensusPosition } from '../../../policy/transactions/tezos/index.ts';
import { blsContext, contextOf } from '../../policy/transactions/tezos/samples.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

/** A reveal and a transaction, a call of an FA2 token, a block, a preattestation, an attestation with DAL content, one of BLS12-381, packed data. */
const SEEDS = [
  '032d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a48816b000a7fee18b358e5a108e8ab39941a08e7edd3f9738c0b2980bd3f8102009f4b3d213f6da2e448aa67dda3fc3cea74de362e325318771e22761e1f418d7e006c000a7fee18b358e5a108e8ab39941a08e7edd3f9738c0b2a80bd3f8102c0843d00006b82198cb179e8306c1bedd08f12dc863f32888600',
  '032d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a48816c000a7fee18b358e5a108e8ab39941a08e7edd3f9738c0b2980bd3f810200012d711642b726b04401627ca9fbac32f5c8530fb100ffff087472616e7366657200000066020000006107070100000024747a314c6259686d7266687764704142544b45774e6a66764a384e674d64435679667758020000003107070100000024747a31565355723877774e684c417a656d706f6368356436684c5269546838436a636a6207070000000a',
  '117a06a770004c4b40182d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a488100000000' +
    `6ab16d8004${'aa'.repeat(32)}000000210000000102000000040` +
    `04c4b400000000000000004ffffffff0000000400000000${'bb'.repeat(32)}${'cc'.repeat(32)}00000000${'00'.repeat(8)}000a`,
  `127a06a770${'bb'.repeat(32)}140003004c4b4000000000${'cc'.repeat(32)}`,
  `137a06a770${'bb'.repeat(32)}170003004c4b4000000000${'cc'.repeat(32)}05`,
  `137a06a770${'bb'.repeat(32)}29004c4b4000000000${'cc'.repeat(32)}`,
  '05010000001954657a6f73205369676e6564204d6573736167653a20686921',
];

const CASES = [
  ['tezos-operation', contextOf()],
  ['tezos-consensus', contextOf()],
  ['tezos-consensus', blsContext()],
  ['tezos-data', contextOf()],
] as const;

/** What is read is of the signing key, has an effect, and is hashed as it came; consensus payloads have a position. */
export const target: FuzzTarget = {
  maxBytes: 1024,
  seeds: () => SEEDS.map((seed) => Buffer.from(seed, 'hex')),
  fuzz(data) {
    const hex = bytesToHex(data);
    for (const [kind, context] of CASES) {
      try {
        const payload = kind === 'tezos-data' ? { kind, data: hex } : { kind, operation: hex };
        const { transaction, signings } = decodeTezos(payload, context);
        assertThat(transaction.effects.length > 0, 'no effect');
        assertThat(signings.length === 1 && signings[0]?.input.kind === 'message', 'no one signature');
        for (const { amount } of transaction.effects)
          assertThat(amount === null || amount >= 0n, 'a negative amount');
        if (kind !== 'tezos-consensus') continue;
        const { level, round } = readConsensusPosition({ kind, operation: hex }, transaction.source ?? '');
        assertThat(level >= 1 && round >= 0, 'no position');
      } catch (error) {
        if (!(error instanceof TransactionError)) throw error;
      }
    }
  },
};
