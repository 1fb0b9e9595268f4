import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { dealShares, sealShare } from '../../../client/index.ts';
import {
  decodeShareRecord,
  generateImportKey,
  holdCurrent,
  openShare,
} from '../../../enclave/frost/index.ts';
import { holdShare } from '../../../enclave/frost/held-share.ts';
import { digestShareGroup } from '../../../shared/frost/index.ts';
import { shareImportRequestSchema } from '../../../shared/api/bodies.ts';
import { frostCode } from './group.ts';

const TYPES = ['frost-ed25519', 'frost-secp256k1-taproot'] as const;
/** Restores a share from its serialised form, as the keyring does. */
const restore = (type: (typeof TYPES)[number], bytes: Uint8Array) =>
  holdCurrent(decodeShareRecord(type, bytes));
const flip = (hex: string, at = 0) => hex.slice(0, at) + (hex[at] === '0' ? '1' : '0') + hex.slice(at + 1);

/** The scalar 7, as each group serialises it. */
const CHOSEN = {
  'frost-ed25519': new Uint8Array(32).fill(7, 0, 1),
  'frost-secp256k1-taproot': new Uint8Array(32).fill(7, 31),
};

/** The commitment that makes 7 the first signer's share of a group of two with this public key: 7 G - key. */
function choosePoint(type: (typeof TYPES)[number], key: Uint8Array): Uint8Array {
  return type === 'frost-ed25519'
    ? ed25519.Point.BASE.multiply(7n).subtract(ed25519.Point.fromBytes(key)).toBytes()
    : secp256k1.Point.BASE.multiply(7n).subtract(secp256k1.Point.fromBytes(key)).toBytes();
}

describe.each(TYPES)('importing a share of %s', (type) => {
  const quorum = { type, threshold: 2, participants: 3 };
  const { group, shares } = dealShares(quorum);
  const [first, second] = shares;
  if (first === undefined || second === undefined) throw new RangeError('a group has shares');
  const importKey = generateImportKey();
  const destination = { manifest: randomBytes(48), session: randomBytes(16).toString('hex'), key: 'shared' };
  const request = sealShare(group, first, importKey.publicKey, destination);
  const publicKey = request.package.commitments[0] ?? '';
  const expected = { ...quorum, participant: 1, publicKey };
  const attempt = (
    change: object,
    node: { destination?: object; expected?: object; key?: typeof importKey } = {},
  ) =>
    frostCode(() =>
      openShare(
        { ...request, ...change },
        node.key ?? importKey,
        { ...destination, ...node.destination },
        { ...expected, ...node.expected },
      ),
    );

  it('takes the share that was made for it, in the form of the interface', () => {
    expect(shareImportRequestSchema.parse(request)).toEqual(request);
    const share = openShare(request, importKey, destination, expected);
    expect(Buffer.from(share.publicKey).toString('hex')).toBe(publicKey);
    expect(share.participant).toBe(1);
    expect(attempt({}, { expected: { publicKey: undefined } })).toBe('none');
  });

  it('refuses it for another node, boot or key', () => {
    expect(attempt({}, { destination: { manifest: randomBytes(48) } })).toBe('SHARE_UNREADABLE');
    expect(attempt({}, { destination: { session: '00'.repeat(16) } })).toBe('SHARE_UNREADABLE');
    expect(attempt({}, { destination: { key: 'share' } })).toBe('SHARE_UNREADABLE');
    expect(attempt({}, { key: generateImportKey() })).toBe('SHARE_UNREADABLE');
  });

  it('refuses it where another signer, quorum, type or group is expected', () => {
    const other = TYPES.find((candidate) => candidate !== type);
    for (const change of [
      { participant: 2 },
      { threshold: 3 },
      { participants: 4 },
      { type: other },
      { publicKey: flip(publicKey) },
    ]) {
      expect(attempt({}, { expected: change })).toBe('SHARE_MISMATCH');
    }
  });

  it('refuses a share of the sender’s own choosing under the public key, where the commitments are pinned', () => {
    const [key = new Uint8Array(), ...rest] = group.commitments;
    const commitments = [key, choosePoint(type, key)];
    expect(rest).toHaveLength(1);
    const sealed = sealShare(
      { ...group, commitments },
      { participant: 1, secret: CHOSEN[type] },
      importKey.publicKey,
      destination,
    );
    const pin = digestShareGroup(group);
    // The public key alone lets it in, and the id is taken for good.
    expect(attempt(sealed)).toBe('none');
    expect(attempt(sealed, { expected: { commitments: pin } })).toBe('SHARE_MISMATCH');
    expect(attempt({}, { expected: { commitments: pin } })).toBe('none');
  });

  it('refuses it with another package around it', () => {
    const repackage = (change: object) => ({ package: { ...request.package, ...change } });
    expect(attempt(repackage({ participant: 2 }), { expected: { participant: 2 } })).toBe('SHARE_UNREADABLE');
    expect(attempt(repackage({ participants: 4 }), { expected: { participants: 4 } })).toBe(
      'SHARE_UNREADABLE',
    );
    const commitments = request.package.commitments.with(1, publicKey);
    expect(attempt(repackage({ commitments }))).toBe('SHARE_UNREADABLE');
  });

  it('refuses it altered', () => {
    expect(attempt({ encapsulatedKey: flip(request.encapsulatedKey) })).toBe('SHARE_UNREADABLE');
    for (let at = 0; at < request.ciphertext.length; at += 1) {
      expect(attempt({ ciphertext: flip(request.ciphertext, at) })).toBe('SHARE_UNREADABLE');
    }
  });

  it('refuses a share that is not the one committed to', () => {
    for (const secret of [
      second.secret,
      new Uint8Array(32),
      new Uint8Array(32).fill(0xff),
      randomBytes(31),
    ]) {
      const sealed = sealShare(group, { participant: 1, secret }, importKey.publicKey, destination);
      expect(attempt(sealed)).toBe('SHARE_INVALID');
    }
  });

  it('refuses commitments that are no points, too few or too many', () => {
    const [key, coefficient] = group.commitments;
    if (key === undefined || coefficient === undefined) throw new RangeError('a group has commitments');
    for (const commitments of [
      [key],
      [key, coefficient, coefficient],
      [key, coefficient.subarray(1)],
      [key, new Uint8Array(coefficient.length)],
      [key, new Uint8Array(coefficient.length).fill(0xff)],
    ]) {
      const sealed = sealShare({ ...group, commitments }, first, importKey.publicKey, destination);
      expect(attempt(sealed)).toBe('SHARE_INVALID');
    }
  });

  it('refuses a package that promises another quorum than the commitments make', () => {
    const third = shares[2];
    const [key, coefficient] = group.commitments;
    if (third === undefined || key === undefined || coefficient === undefined)
      throw new RangeError('a group');
    const seal = (change: object, share = first) =>
      sealShare({ ...group, ...change }, share, importKey.publicKey, destination);
    // The polynomial of two of three, said to need three.
    expect(attempt(seal({ threshold: 3 }), { expected: { threshold: 3 } })).toBe('SHARE_INVALID');
    // The third of two.
    const outsider = { participants: 2, participant: 3 };
    expect(attempt(seal({ signers: [1, 2] }, third), { expected: outsider })).toBe('SHARE_INVALID');
    // Three of two.
    const impossible = { threshold: 2, participants: 1 };
    expect(attempt(seal({ signers: [1] }), { expected: impossible })).toBe('SHARE_INVALID');
  });

  it.runIf(type === 'frost-secp256k1-taproot')('refuses points in another spelling', () => {
    const commitments = group.commitments.map((bytes) => secp256k1.Point.fromBytes(bytes).toBytes(false));
    expect(frostCode(() => holdShare({ ...group, commitments }, 1, first.secret))).toBe('SHARE_INVALID');
    expect(frostCode(() => holdShare(group, 1, first.secret))).toBe('none');
  });

  it('comes back from its serialised form, and no altered or shortened form does', () => {
    const share = openShare(request, importKey, destination, expected);
    const bytes = share.serialise();
    const restored = restore(type, bytes);
    if (restored === undefined) throw new RangeError('expected a share');
    expect(restored.participant).toBe(1);
    expect(Buffer.from(restored.serialise())).toEqual(Buffer.from(bytes));
    for (let length = 0; length < bytes.length; length += 1) {
      expect(frostCode(() => restore(type, bytes.subarray(0, length)))).toBe('SHARE_MALFORMED');
    }
    expect(frostCode(() => restore(type, Uint8Array.of(...bytes, 0)))).toBe('SHARE_MALFORMED');
    for (const other of TYPES.filter((candidate) => candidate !== type)) {
      expect(frostCode(() => restore(other, bytes))).toBe('SHARE_MALFORMED');
    }
    const last = bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1);
    expect(frostCode(() => restore(type, last))).toBe('SHARE_INVALID');
  });

  it('shows the secret in no inspection, JSON or error', () => {
    const share = openShare(request, importKey, destination, expected);
    const secret = Buffer.from(first.secret);
    let shown = inspect(share, { depth: 9, showHidden: true }) + JSON.stringify(share);
    try {
      const bytes = share.serialise();
      restore(type, bytes.with(bytes.length - 1, 0x77));
      expect.unreachable();
    } catch (error) {
      shown += inspect(error, { depth: 9, showHidden: true });
    }
    for (const form of [secret.toString('hex'), secret.toString('base64'), inspect(secret).slice(8, 40)]) {
      expect(shown).not.toContain(form);
    }
  });
});
