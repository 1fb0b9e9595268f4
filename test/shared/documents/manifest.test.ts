import { describe, expect, it } from 'vitest';
import { ManifestError } from '../../../shared/documents/errors.ts';
import { parseManifest } from '../../../shared/documents/manifest.ts';

const manifest = (keyId: string): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      format: 'holdfast-manifest/1',
      namespace: 'acme',
      environment: 'test',
      node: 1,
      quorum: { size: 3, threshold: 2 },
      kms: { keyArn: `arn:aws:kms:eu-central-1:111122223333:key/${keyId}`, region: 'eu-central-1' },
      configurationAuthority: { threshold: 1, keys: ['11'.repeat(32)] },
      emergencyRecovery: { publicKey: '22'.repeat(32) },
    }),
  );

describe('the key of a manifest', () => {
  it('is one of a single Region', () => {
    expect(parseManifest(manifest('1234abcd-12ab-34cd-56ef-1234567890ab')).node).toBe(1);
  });

  it('is no multi-Region key, whose replicas have policies of whoever makes them', () => {
    const parse = () => parseManifest(manifest('mrk-1234abcd12ab34cd56ef1234567890ab'));
    expect(parse).toThrow(ManifestError);
    expect(parse).toThrow(
      expect.objectContaining({
        code: 'MANIFEST_MALFORMED',
        details: expect.objectContaining({
          field: 'kms.keyArn',
          problem: expect.stringContaining('multi-Region'),
        }),
      }),
    );
  });
});

describe('the format of a manifest', () => {
  it.each(['holdfast-manifest/2', 'holdfast-configuration/1'])('is not %s', (format) => {
    const bytes = Buffer.from(JSON.stringify({ format, node: 'no node' }));
    expect(() => parseManifest(bytes)).toThrow(
      expect.objectContaining({
        code: 'MANIFEST_MALFORMED',
        message: expect.stringContaining('holdfast-manifest/1'),
        details: expect.objectContaining({ field: 'format' }),
      }),
    );
  });
});
