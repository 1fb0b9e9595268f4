import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { amazonTrustRoots } from '../../../shared/aws/trust-roots.ts';

describe('the authorities that may speak for KMS', () => {
  it('are the five roots of Amazon Trust Services and no other', () => {
    const names = amazonTrustRoots().map((pem) => /^CN=(.*)$/m.exec(new X509Certificate(pem).subject)?.[1]);
    expect(new Set(names)).toEqual(
      new Set([
        'Amazon Root CA 1',
        'Amazon Root CA 2',
        'Amazon Root CA 3',
        'Amazon Root CA 4',
        'Starfield Services Root Certificate Authority - G2',
      ]),
    );
    expect(names).toHaveLength(5);
  });

  it('are self-signed certificates of authorities', () => {
    for (const pem of amazonTrustRoots()) {
      const root = new X509Certificate(pem);
      expect(root.ca && root.checkIssued(root) && root.verify(root.publicKey)).toBe(true);
    }
  });
});
