import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toSigningInput } from '../../../policy/transactions/index.ts';
import { adjustShare, createTaprootTweak } from '../../../shared/frost/index.ts';
import { listCleared } from '../../support/clearing.ts';
import { frostCode, startGroup } from './group.ts';

const digest = randomBytes(32);
const TYPES = ['frost-ed25519', 'frost-secp256k1-taproot'] as const;
const payloadOf = (type: (typeof TYPES)[number]) =>
  toSigningInput(
    type === 'frost-ed25519'
      ? { kind: 'message', message: 'ab' }
      : { kind: 'digest', digest: digest.toString('hex') },
  );
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function start(type: (typeof TYPES)[number]) {
  const [one, other] = startGroup(type).nodes;
  if (one === undefined || other === undefined) throw new RangeError('a group has nodes');
  return { share: one.share, other: other.share };
}

it('clears the tweaked share', () => {
  const { share } = start('frost-secp256k1-taproot');
  const merkleRoot = randomBytes(32);
  const tweaked = adjustShare(
    share.group,
    share.serialise().slice(-32),
    createTaprootTweak(share.group, merkleRoot),
  );
  const nonces = share.commit();
  const payload = { kind: 'taproot-sighash', digest, merkleRoot } as const;
  const round = { nonces, commitments: [] };
  const cleared = listCleared(() =>
    frostCode(() => share.sign({ algorithm: 'frost-secp256k1-taproot', payload, round })),
  );
  expect(cleared).toContain(hex(tweaked));
});

describe.each(TYPES)('a share of %s', (type) => {
  it('signs once with a pair of nonces, and clears it when it fails as when it signs', () => {
    const { share, other } = start(type);
    for (const isValid of [false, true]) {
      const nonces = share.commit();
      const commitments = isValid ? [nonces.commitments, other.commit().commitments] : [];
      const before = [nonces.hiding, nonces.binding].map(hex);
      const sign = () =>
        share.sign({ algorithm: type, payload: payloadOf(type), round: { nonces, commitments } });
      const cleared = listCleared(() =>
        expect(frostCode(sign)).toBe(isValid ? 'none' : 'COMMITMENTS_INVALID'),
      );
      expect(cleared).toEqual(expect.arrayContaining(before));
      expect(frostCode(sign)).toBe('COMMITMENTS_INVALID');
    }
  });

  it('signs with no other commitment for itself than the one it made, and with none that is no point', () => {
    const { share, other } = start(type);
    for (const alter of ['own', 'theirs']) {
      const nonces = share.commit();
      const mine = nonces.commitments;
      const theirs = other.commit().commitments;
      const zero = new Uint8Array(theirs.hiding.length);
      const commitments =
        alter === 'own' ? [{ ...mine, hiding: theirs.hiding }, theirs] : [mine, { ...theirs, hiding: zero }];
      const sign = () =>
        share.sign({ algorithm: type, payload: payloadOf(type), round: { nonces, commitments } });
      expect(frostCode(sign)).toBe('COMMITMENTS_INVALID');
    }
  });

  it('does nothing once it is destroyed, and clears what it held', () => {
    const { share } = start(type);
    const nonces = share.commit();
    const secret = hex(share.serialise().slice(-32));
    expect(listCleared(() => share.destroy())).toContain(secret);
    const round = { nonces, commitments: [nonces.commitments] };
    expect(frostCode(() => share.sign({ algorithm: type, payload: payloadOf(type), round }))).toBe(
      'SHARE_DESTROYED',
    );
    expect(frostCode(() => share.commit())).toBe('SHARE_DESTROYED');
    expect(frostCode(() => share.serialise())).toBe('SHARE_DESTROYED');
  });
});
