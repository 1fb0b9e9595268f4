import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { aggregateSignature, ClientError } from '../../../client/index.ts';
import { commitNonces, NonceStore, signShare } from '../../../enclave/frost/index.ts';
import { toSigningInput } from '../../../policy/transactions/index.ts';
import { adjustShare, createTaprootTweak } from '../../../shared/frost/index.ts';
import { listCleared } from '../../support/clearing.ts';
import { computeTapTweak } from '../../../shared/tap-tweak.ts';
import { type BlindPayload } from '../../../shared/api/bodies.ts';
import { frostCode, OWNER, signTogether, startGroup } from './group.ts';

const message: BlindPayload = { kind: 'message', message: Buffer.from('a transfer').toString('hex') };
const digest = randomBytes(32);
const TYPES = ['frost-ed25519', 'frost-secp256k1-taproot'] as const;
const payloadOf = (type: (typeof TYPES)[number]): BlindPayload =>
  type === 'frost-ed25519' ? message : { kind: 'digest', digest: digest.toString('hex') };

describe('a group', () => {
  it('makes an Ed25519 signature that node:crypto verifies, with any quorum', () => {
    const { group, nodes } = startGroup('frost-ed25519');
    for (const left of [0, 1, 2, 3]) {
      const signers = nodes.filter((_node, index) => index !== left);
      const { commitments, shares } = signTogether(signers, message);
      const { signature, publicKey } = aggregateSignature(group, message, commitments, shares);
      const key = createPublicKey({
        key: Buffer.from(publicKey),
        format: 'raw-public',
        asymmetricKeyType: 'ed25519',
      });
      expect(verify(null, Buffer.from('a transfer'), key, signature)).toBe(true);
    }
  });

  // Several groups: keys and nonces with an odd y take another path than those with an even one.
  it.each([1, 2, 3, 4, 5, 6])('makes BIP-340 signatures that noble verifies (group %i)', () => {
    const { group, nodes } = startGroup('frost-secp256k1-taproot');
    const payload = payloadOf('frost-secp256k1-taproot');
    const { commitments, shares } = signTogether(nodes.slice(1), payload);
    const { signature, publicKey } = aggregateSignature(group, payload, commitments, shares);
    expect(Buffer.from(publicKey)).toEqual(Buffer.from(group.commitments[0]?.subarray(1) ?? []));
    expect(schnorr.verify(signature, digest, publicKey)).toBe(true);
  });

  it.each([1, 2, 3, 4, 5, 6])('signs for the taproot output of its key (group %i)', () => {
    const { group, nodes } = startGroup('frost-secp256k1-taproot');
    for (const merkleRoot of ['', randomBytes(32).toString('hex')]) {
      const payload: BlindPayload = { kind: 'taproot-sighash', digest: digest.toString('hex'), merkleRoot };
      const { commitments, shares } = signTogether(nodes.slice(0, 2), payload);
      const { signature, publicKey } = aggregateSignature(group, payload, commitments, shares);
      const internalKey = group.commitments[0]?.subarray(1) ?? new Uint8Array(0);
      const tweak = computeTapTweak(internalKey, Buffer.from(merkleRoot, 'hex'));
      const outputKey = schnorr.utils
        .lift_x(BigInt(`0x${Buffer.from(internalKey).toString('hex')}`))
        .add(secp256k1.Point.BASE.multiply(tweak));
      expect(Buffer.from(publicKey)).toEqual(Buffer.from(schnorr.utils.pointToBytes(outputKey)));
      expect(schnorr.verify(signature, digest, publicKey)).toBe(true);
    }
  });

  it('clears the tweaked share', () => {
    const { nodes } = startGroup('frost-secp256k1-taproot');
    const [node] = nodes;
    if (node === undefined) throw new RangeError('a group has nodes');
    const merkleRoot = randomBytes(32);
    const { group } = node.share;
    const tweak = createTaprootTweak(group, merkleRoot);
    const tweaked = adjustShare(group, node.share.serialise().slice(-32), tweak);
    const nonces = node.share.commit();
    const cleared = listCleared(() =>
      frostCode(() =>
        node.share.sign({
          algorithm: 'frost-secp256k1-taproot',
          payload: { kind: 'taproot-sighash', digest, merkleRoot },
          round: { nonces, commitments: [] },
        }),
      ),
    );
    expect(cleared).toContain(Buffer.from(tweaked).toString('hex'));
  });

  it('names the signer whose share makes no signature', () => {
    const { group, nodes } = startGroup('frost-ed25519');
    const { commitments, shares } = signTogether(nodes, message);
    const forged = shares.with(1, { participant: 2, signatureShare: `01${'00'.repeat(31)}` });
    try {
      aggregateSignature(group, message, commitments, forged);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ClientError);
      expect(error).toMatchObject({ code: 'AGGREGATION_FAILED', details: { signers: [2] } });
    }
  });

  it('makes no signature of fewer shares than its threshold', () => {
    const { group, nodes } = startGroup('frost-ed25519');
    const { commitments, shares } = signTogether(nodes, message);
    expect(() => aggregateSignature(group, message, commitments.slice(0, 1), shares.slice(0, 1))).toThrow(
      ClientError,
    );
    expect(() => aggregateSignature(group, message, commitments, shares.slice(0, 2))).toThrow(ClientError);
  });
});

describe.each(TYPES)('round two of %s', (type) => {
  const payload = toSigningInput(payloadOf(type));

  function start() {
    const { nodes } = startGroup(type);
    const [node, other] = nodes;
    if (node === undefined || other === undefined) throw new RangeError('a group has nodes');
    const mine = commitNonces(node.store, { ...OWNER, share: node.share, now: 0 });
    const theirs = commitNonces(other.store, { ...OWNER, share: other.share, now: 0 });
    const request = {
      ...OWNER,
      share: node.share,
      now: 1,
      handle: mine.handle,
      commitments: [mine.commitment, theirs.commitment],
      payload,
    };
    const attempt = (change: object = {}) =>
      frostCode(() => signShare(node.store, { ...request, ...change }));
    return { attempt, mine: mine.commitment, theirs: theirs.commitment, node };
  }

  it('uses nonces once', () => {
    const { attempt } = start();
    expect(attempt()).toBe('none');
    expect(attempt()).toBe('NONCE_USED');
    expect(attempt({ payload })).toBe('NONCE_USED');
  });

  it('uses no nonces of another client, key, boot or of none', () => {
    const { attempt, node } = start();
    expect(attempt({ client: 'treasury' })).toBe('NONCE_UNKNOWN');
    expect(attempt({ key: 'other' })).toBe('NONCE_UNKNOWN');
    expect(attempt({ handle: '00'.repeat(16) })).toBe('NONCE_UNKNOWN');
    const { handle } = commitNonces(new NonceStore(), { ...OWNER, share: node.share, now: 0 });
    expect(attempt({ handle })).toBe('NONCE_UNKNOWN');
    expect(attempt()).toBe('none');
  });

  it('refuses payloads of another kind and leaves the nonces', () => {
    const { attempt } = start();
    const wrong = toSigningInput(
      type === 'frost-ed25519' ? { kind: 'digest', digest: '00'.repeat(32) } : message,
    );
    expect(attempt({ payload: wrong })).toBe('PAYLOAD_MISMATCH');
    expect(attempt()).toBe('none');
  });

  it('refuses a signer that is there twice, out of order or not of the group', () => {
    const { attempt, mine, theirs } = start();
    for (const commitments of [
      [],
      [mine],
      [mine, mine],
      [mine, { ...mine }],
      [theirs, mine],
      [mine, { ...theirs, participant: 0 }],
      [mine, { ...theirs, participant: 4 }],
      [mine, { ...theirs, participant: 2.5 }],
      [theirs, { ...theirs, participant: 3 }],
      [mine, { ...theirs, hiding: theirs.hiding.slice(2) }],
      [mine, { ...theirs, binding: `${theirs.binding}00` }],
    ]) {
      expect(attempt({ commitments })).toBe('COMMITMENTS_INVALID');
    }
    expect(attempt()).toBe('none');
  });

  it('signs with no other commitment for itself than the one it made, and burns the nonces', () => {
    const { attempt, mine, theirs } = start();
    expect(attempt({ commitments: [{ ...mine, hiding: theirs.hiding }, theirs] })).toBe(
      'COMMITMENTS_INVALID',
    );
    expect(attempt()).toBe('NONCE_USED');
  });

  it('signs with no commitment that is not a point of the group, and burns the nonces', () => {
    const { attempt, mine, theirs } = start();
    // On Ed25519 these are the identity and a point of small order, on secp256k1 no points at all.
    const bad = [`01${'00'.repeat(theirs.hiding.length / 2 - 1)}`, '00'.repeat(theirs.hiding.length / 2)];
    for (const hiding of bad) {
      const again = start();
      expect(again.attempt({ commitments: [again.mine, { ...again.theirs, hiding }] })).toBe(
        'COMMITMENTS_INVALID',
      );
      expect(again.attempt()).toBe('NONCE_USED');
    }
    expect(attempt({ commitments: [mine, theirs] })).toBe('none');
  });

  it('clears its nonces when it fails as when it signs, and its share when it is destroyed', () => {
    const { node, mine, theirs } = start();
    const list = [mine, theirs].map(({ participant, hiding, binding }) => ({
      participant,
      hiding: Buffer.from(hiding, 'hex'),
      binding: Buffer.from(binding, 'hex'),
    }));
    for (const commitments of [[], list]) {
      const nonces = node.share.commit();
      const before = [nonces.hiding, nonces.binding].map((bytes) => Buffer.from(bytes).toString('hex'));
      const cleared = listCleared(() =>
        frostCode(() =>
          node.share.sign({
            algorithm: type,
            payload,
            round: { nonces, commitments },
          }),
        ),
      );
      expect(cleared).toEqual(expect.arrayContaining(before));
    }
    const secret = Buffer.from(node.share.serialise().slice(-32)).toString('hex');
    expect(listCleared(() => node.share.destroy())).toContain(secret);
  });

  it('makes no signature with a destroyed share, and burns the nonces', () => {
    const { attempt, node } = start();
    node.share.destroy();
    expect(attempt()).toBe('SHARE_DESTROYED');
    expect(frostCode(() => commitNonces(node.store, { ...OWNER, share: node.share, now: 0 }))).toBe(
      'SHARE_DESTROYED',
    );
    expect(frostCode(() => node.share.serialise())).toBe('SHARE_DESTROYED');
    expect(attempt()).toBe('NONCE_USED');
  });
});
