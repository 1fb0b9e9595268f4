import { describe, expect, it } from 'vitest';
import { computeManifestPcr as predictPcr } from '../../../attestation/index.ts';
import { BootError } from '../../../enclave/node/errors.ts';
import { measureManifest } from '../../../enclave/node/manifest.ts';
import { digestManifest, MANIFEST_FORMAT } from '../../../shared/documents/manifest.ts';
import { openNsm } from './nsm.ts';

const MANIFEST = {
  format: MANIFEST_FORMAT,
  namespace: 'demo',
  environment: 'test',
  node: 1,
  quorum: { size: 1, threshold: 1 },
  kms: { keyArn: 'arn:aws:kms:eu-central-1:111111111111:key/one', region: 'eu-central-1' },
  configurationAuthority: { threshold: 1, keys: ['ab'.repeat(32)] },
  emergencyRecovery: { publicKey: 'cd'.repeat(32) },
};
const bytes = new Uint8Array(Buffer.from(JSON.stringify(MANIFEST)));
const refusal = (code: string) => expect.objectContaining({ constructor: BootError, code });

describe('measuring the manifest', () => {
  it('leaves PCR16 locked at the value that is computed offline', async () => {
    const nsm = openNsm();
    const { manifest, digest } = await measureManifest(nsm, bytes);
    expect(manifest).toEqual(MANIFEST);
    expect(digest).toEqual(digestManifest(bytes));
    await expect(nsm.describePcr(16)).resolves.toEqual({ locked: true, value: predictPcr(bytes) });
  });

  it('happens once', async () => {
    const nsm = openNsm();
    await measureManifest(nsm, bytes);
    await expect(measureManifest(nsm, bytes)).rejects.toEqual(refusal('MANIFEST_PCR_USED'));
  });

  it('is refused where somebody has extended or locked PCR16 before', async () => {
    const extended = openNsm();
    await extended.extendPcr(16, new Uint8Array(48));
    await expect(measureManifest(extended, bytes)).rejects.toEqual(refusal('MANIFEST_PCR_USED'));
    const locked = openNsm();
    await locked.lockPcr(16);
    await expect(measureManifest(locked, bytes)).rejects.toEqual(refusal('MANIFEST_PCR_USED'));
  });

  it('comes before anything is read from the bytes', async () => {
    const nsm = openNsm();
    const hostile = new Uint8Array(Buffer.from('{"format":'));
    await expect(measureManifest(nsm, hostile)).rejects.toMatchObject({ code: 'MANIFEST_MALFORMED' });
    await expect(nsm.describePcr(16)).resolves.toEqual({ locked: true, value: predictPcr(hostile) });
  });

  it('is refused when the NSM shows another value or no lock afterwards', async () => {
    for (const after of [
      { locked: true, value: new Uint8Array(48) },
      { locked: false, value: predictPcr(bytes) },
    ]) {
      const nsm = openNsm();
      const answers = [{ locked: false, value: new Uint8Array(48) }, after];
      const lying = { ...nsm, describePcr: () => Promise.resolve(answers.shift() ?? after) };
      await expect(measureManifest(lying, bytes)).rejects.toEqual(refusal('MANIFEST_PCR_MISMATCH'));
    }
  });
});
