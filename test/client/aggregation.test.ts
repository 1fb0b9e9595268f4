import { describe, expect, it } from 'vitest';
import { aggregateSignature, ClientError, signWithGroup } from '../../client/index.ts';
import type { NonceCommitment, BlindPayload } from '../../shared/api/bodies.ts';
import { signTogether, startGroup } from '../enclave/frost/group.ts';

/** By the field's own numbers (RFC 8032, 5.1; SEC 2, 2.4.1), not by the code that is judged. */
const SUITES = {
  'frost-ed25519': {
    payload: { kind: 'message', message: 'c0ffee' } as BlindPayload,
    /** The order, little-endian. */
    order: 'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010',
    noPoints: [
      // The identity, a point of order 8, y = 2 (no point), y not reduced, and one more spelling of the identity.
      `01${'00'.repeat(31)}`,
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      `02${'00'.repeat(31)}`,
      'ff'.repeat(32),
      `01${'00'.repeat(30)}80`,
      // Of the other group.
      '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
    ],
  },
  'frost-secp256k1-taproot': {
    payload: { kind: 'digest', digest: '5e'.repeat(32) } as BlindPayload,
    order: 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141',
    noPoints: [
      // x = 5 is on no point; x not reduced; another first byte; uncompressed; the other group's generator.
      `02${'00'.repeat(31)}05`,
      `02${'ff'.repeat(32)}`,
      '0579be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
      '0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8',
      `58${'66'.repeat(31)}`,
    ],
  },
} as const;

describe.each(['frost-ed25519', 'frost-secp256k1-taproot'] as const)(
  'putting shares of %s together',
  (type) => {
    const { payload, order, noPoints } = SUITES[type];
    const { group, nodes } = startGroup(type, 3, 5);
    const { commitments, shares } = signTogether(nodes, payload);
    const one = `${'00'.repeat(31)}01`;
    const noScalars = [
      order,
      'ff'.repeat(32),
      '00'.repeat(32),
      one.slice(2),
      `${one}00`,
      '',
      'xy'.repeat(32),
    ];

    function culprits(list: readonly NonceCommitment[], values: typeof shares): unknown {
      try {
        aggregateSignature(group, payload, list, values);
        return 'a signature';
      } catch (error) {
        expect(error).toBeInstanceOf(ClientError);
        expect(error).toMatchObject({ code: 'AGGREGATION_FAILED' });
        return (error as ClientError).details['signers'];
      }
    }
    const withShare = (participant: number, signatureShare: string, from = shares) =>
      from.map((share) => (share.participant === participant ? { participant, signatureShare } : share));
    const withCommitment = (participant: number, change: object) =>
      commitments.map((one) => (one.participant === participant ? { ...one, ...change } : one));

    it('makes a signature where nobody is at fault', () => {
      expect(culprits(commitments, shares)).toBe('a signature');
    });

    it.each(noScalars)('names the signer whose share is no scalar: %s', (scalar) => {
      expect(culprits(commitments, withShare(4, scalar))).toEqual([4]);
    });

    it('names all at fault: shares that are no scalars beside shares that are wrong', () => {
      const [first] = shares;
      const values = withShare(2, order, withShare(5, first?.signatureShare ?? ''));
      expect(culprits(commitments, values)).toEqual([2, 5]);
      expect(culprits(commitments, withShare(1, order, withShare(3, '', withShare(4, one))))).toEqual([
        1, 3, 4,
      ]);
      expect(culprits(commitments, withShare(2, shares[2]?.signatureShare ?? '', withShare(3, one)))).toEqual(
        [2, 3],
      );
    });

    it.each(noPoints)('names the signer whose commitment is no point: %s', (point) => {
      for (const field of ['hiding', 'binding']) {
        expect(culprits(withCommitment(3, { [field]: point }), shares)).toEqual([3]);
      }
      expect(culprits(withCommitment(3, { hiding: point }), withShare(5, order))).toEqual([3, 5]);
    });

    it('names a signer that is there twice, missing, or not of the group', () => {
      const [, second, third] = shares;
      if (second === undefined || third === undefined) throw new RangeError('a group has shares');
      expect(culprits(commitments, [...shares, second])).toEqual([2]);
      expect(
        culprits(
          commitments,
          shares.filter(({ participant }) => participant !== 3),
        ),
      ).toEqual([3]);
      expect(culprits(commitments, [...shares, { ...third, participant: 6 }])).toEqual([6]);
      for (const participant of [0, 6, 1.5, -1]) {
        const strangers = commitments.map((one, index) => (index === 0 ? { ...one, participant } : one));
        expect(culprits(strangers, shares)).toContain(participant);
      }
      expect(culprits([...commitments, ...commitments.slice(0, 1)], shares)).toEqual([1]);
    });

    it('names nobody where the group is not the one that has signed, or too few have', () => {
      expect(culprits(commitments.slice(0, 2), shares.slice(0, 2))).toEqual([]);
      const other = { ...group, commitments: [new Uint8Array(group.commitments[0]?.length ?? 0).fill(0xff)] };
      expect(() => aggregateSignature(other, payload, commitments, shares)).toThrow(RangeError);
    });

    it('names a node at once whose commitment is no point, before the others are asked to sign', async () => {
      let signed = 0;
      const clients = nodes.slice(0, 3).map((_, index) => ({
        frostRound1: () => {
          const commitment = withCommitment(2, { hiding: noPoints[0] })[index];
          if (commitment === undefined) throw new RangeError('a node has a commitment');
          return Promise.resolve({ handle: '00'.repeat(16), commitment });
        },
        frostRound2: () => {
          signed += 1;
          return Promise.reject(new Error('not to be asked'));
        },
      }));
      await expect(signWithGroup(clients, group, 'shared', payload)).rejects.toMatchObject({
        code: 'AGGREGATION_FAILED',
        details: { signers: [2] },
      });
      expect(signed).toBe(0);
    });

    it('names a node that answers round two in the name of another', async () => {
      const round = signTogether(nodes.slice(0, 3), payload);
      const clients = round.shares.map((share, index) => ({
        frostRound1: () =>
          Promise.resolve({
            handle: '00'.repeat(16),
            commitment: round.commitments[index] as NonceCommitment,
          }),
        frostRound2: () =>
          Promise.resolve({
            ...share,
            participant: index === 2 ? 1 : share.participant,
            rule: 'r',
            configuration: 1,
          }),
      }));
      await expect(signWithGroup(clients, group, 'shared', payload)).rejects.toMatchObject({
        code: 'AGGREGATION_FAILED',
        details: { signers: [3] },
      });
    });
  },
);
