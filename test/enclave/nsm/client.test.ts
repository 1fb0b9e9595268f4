import { describe, expect, it } from 'vitest';
import { createNsmClient } from '../../../enclave/nsm/index.ts';
import { encodeCbor, type CborEncodable } from '../../../shared/cbor/index.ts';

const clientOf = (answer: CborEncodable | Error) =>
  createNsmClient({
    exchange: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(encodeCbor(answer))),
    close: () => undefined,
  });

describe('the NSM client', () => {
  it.each<[string, CborEncodable | Error]>([
    ['a device that is gone', new Error('ENODEV')],
    ['an answer to another request', { DescribePCR: { lock: true, data: new Uint8Array(48) } }],
    ['an answer without its fields', { Attestation: {} }],
    ['an empty document', { Attestation: { document: new Uint8Array() } }],
    ['an answer of another type', 7],
    ['a bare name where a document is due', 'Attestation'],
  ])('fails on %s', async (_, answer) => {
    await expect(clientOf(answer).attest({})).rejects.toMatchObject({ code: 'NSM_FAILED' });
  });

  it('fails when a lock is answered by anything but its name', async () => {
    await expect(clientOf({ LockPCR: null }).lockPcr(16)).rejects.toMatchObject({ code: 'NSM_FAILED' });
    await expect(clientOf('LockPCR').lockPcr(16)).resolves.toBeUndefined();
  });

  it('fails on empty randomness instead of waiting forever', async () => {
    await expect(clientOf({ GetRandom: { random: new Uint8Array() } }).random(8)).rejects.toMatchObject({
      code: 'NSM_FAILED',
    });
  });
});
