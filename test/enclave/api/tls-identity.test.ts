import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodePrivateKeyPem } from '../../../enclave/api/pem.ts';
import { createTlsIdentity } from '../../../enclave/api/tls-identity.ts';

const NAME = 'node-1.test.demo.holdfast.internal';
const NOW = Date.parse('2026-06-01T12:00:00Z');
const DAY_MS = 86_400_000;

describe('the TLS identity of one boot', () => {
  it('is a P-256 key with a certificate that it has signed itself', async () => {
    const identity = await createTlsIdentity(NAME, NOW);
    const certificate = new X509Certificate(identity.certificate);
    const key = createPrivateKey(identity.privateKey);
    expect(certificate.checkPrivateKey(key)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(key.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(certificate.checkHost(NAME)).toBe(NAME);
    expect(certificate.ca).toBe(false);
  });

  it('hands out the very public key that its attestation documents are to bind', async () => {
    const { certificate, publicKey } = await createTlsIdentity(NAME, NOW);
    const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
    expect(Buffer.from(publicKey)).toEqual(spki);
  });

  it('is valid from the day before for a year, by the time of the node', async () => {
    const { validFromDate, validToDate } = new X509Certificate(
      (await createTlsIdentity(NAME, NOW)).certificate,
    );
    expect(validFromDate.getTime()).toBe(NOW - DAY_MS);
    expect(validToDate.getTime()).toBe(NOW + 365 * DAY_MS);
  });

  it('is another at each boot', async () => {
    const [one, two] = await Promise.all([createTlsIdentity(NAME, NOW), createTlsIdentity(NAME, NOW)]);
    expect(one.publicKey).not.toEqual(two.publicKey);
  });
});

describe('a private key in PEM', () => {
  it.each([
    ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['Ed25519', () => generateKeyPairSync('ed25519')],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 1024 })],
  ])("is what Node's own export makes: %s", (_, generate) => {
    const { privateKey, publicKey } = generate();
    const pem = encodePrivateKeyPem(privateKey.export({ type: 'pkcs8', format: 'der' }));
    expect(pem.toString('latin1')).toBe(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(createPublicKey(createPrivateKey(pem)).equals(publicKey)).toBe(true);
  });

  it('is right for every length around the end of a group and of a line', () => {
    for (let length = 1; length <= 200; length += 1) {
      const der = Uint8Array.from({ length }, (_, index) => (index * 151 + length) & 255);
      const body = Buffer.from(der)
        .toString('base64')
        .replace(/.{64}(?=.)/g, '$&\n');
      expect(encodePrivateKeyPem(der).toString('latin1')).toBe(
        `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
      );
    }
  });

  it("does not lie in the pool that Node's buffers share", () => {
    const pem = encodePrivateKeyPem(new Uint8Array(138));
    expect(pem.buffer.byteLength).toBe(pem.length);
  });
});
