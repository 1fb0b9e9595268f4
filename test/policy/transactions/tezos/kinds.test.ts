import { CODEC } from '@taquito/local-forging';
import { b58Encode, PrefixV2 } from '@taquito/utils';
import { describe, expect, it } from 'vitest';
import { type Content, EVERY_KIND, forge, manager, OTHER, outcomeOf, PAYLOAD_HASH } from './samples.ts';

/** Kinds of operations by taquito's own list. */
const FORGED = Object.entries(CODEC)
  .filter(([name]) => name.startsWith('OP_'))
  .map(([, kind]) => kind as string);
const attestation = { slot: 0, level: 1, round: 0, block_payload_hash: PAYLOAD_HASH };
/** Operations that no account's manager signs: refused by their names. */
const REFUSED: readonly Content[] = [
  { kind: 'activate_account', pkh: OTHER, secret: '00'.repeat(20) },
  { kind: 'seed_nonce_revelation', level: 1, nonce: '00'.repeat(32) },
  { kind: 'attestation', ...attestation },
  { kind: 'attestation_with_dal', ...attestation, dal_attestation: '1' },
];
const TAKEN: readonly Content[] = [
  ...Object.values(EVERY_KIND),
  {
    kind: 'dal_publish_commitment',
    ...manager(),
    slot_header: {
      slot_index: 3,
      commitment: b58Encode(new Uint8Array(48).fill(7), PrefixV2.SlotHeader),
      commitment_proof: '09'.repeat(96),
    },
  },
];

describe('kinds of operations that taquito forges', () => {
  it('are all among the samples, and nothing else is', () => {
    expect(FORGED).toHaveLength(22);
    const kinds = new Set([...TAKEN, ...REFUSED].map(({ kind }) => kind));
    expect([...kinds].toSorted()).toEqual(FORGED.toSorted());
  });

  it('are read to their last byte', async () => {
    for (const content of TAKEN)
      expect([content.kind, outcomeOf(`03${await forge(content)}`)]).toEqual([content.kind, 'accepted']);
  });

  it('are refused by name where no manager signs them, behind another operation too', async () => {
    for (const content of REFUSED) {
      const expected = [content.kind, 'TRANSACTION_UNSUPPORTED'];
      expect([content.kind, outcomeOf(`03${await forge(content)}`)]).toEqual(expected);
      const behind = await forge(EVERY_KIND['transaction'] ?? content, content);
      expect([content.kind, outcomeOf(`03${behind}`)]).toEqual(expected);
    }
  });
});
