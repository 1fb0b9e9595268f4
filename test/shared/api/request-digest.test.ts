import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { digestRequest } from '../../../shared/api/request-digest.ts';

const request = {
  operation: 'sign',
  client: 'backend',
  key: 'hot',
  algorithm: 'ecdsa-secp256k1',
  payload: { kind: 'digest', digest: 'ab'.repeat(32) },
} as const;

test('is the SHA-256 of the canonical JSON of the request', () => {
  const json = `{"algorithm":"ecdsa-secp256k1","client":"backend","key":"hot","operation":"sign","payload":{"digest":"${'ab'.repeat(32)}","kind":"digest"}}`;
  expect(Buffer.from(digestRequest(request)).toString('hex')).toBe(
    createHash('sha256').update(json).digest('hex'),
  );
});

const reshare = {
  operation: 'reshare',
  client: 'backend',
  key: 'treasury',
  algorithm: 'frost-ed25519',
  order: { participants: [1, 2, 4], threshold: 2 },
} as const;

test('covers what a ceremony is ordered to do', () => {
  const json = `{"algorithm":"frost-ed25519","client":"backend","key":"treasury","operation":"reshare","order":{"participants":[1,2,4],"threshold":2}}`;
  expect(Buffer.from(digestRequest(reshare)).toString('hex')).toBe(
    createHash('sha256').update(json).digest('hex'),
  );
});

test.each([
  { participants: [1, 2, 4], threshold: 3 },
  { participants: [1, 2, 3], threshold: 2 },
  { node: 2 },
  { publicKey: 'ab'.repeat(32) },
  undefined,
])('differs for another order: %j', (order) => {
  const { order: _order, ...others } = reshare;
  expect(digestRequest({ ...others, ...(order && { order }) })).not.toEqual(digestRequest(reshare));
});

test.each([
  { ...request, client: 'another' },
  { ...request, key: 'cold' },
  { ...request, operation: 'import-share' },
  { ...request, algorithm: 'bip340' as const },
  { ...request, payload: { kind: 'digest' as const, digest: 'ac'.repeat(32) } },
])('differs for another request: %j', (other) => {
  expect(digestRequest(other)).not.toEqual(digestRequest(request));
});
