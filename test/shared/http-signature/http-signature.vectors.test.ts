import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { expect, it } from 'vitest';
import { computeContentDigest } from '../../../shared/http-signature/content-digest.ts';
import { buildSignatureBase } from '../../../shared/http-signature/signature-base.ts';

it('makes the signature of RFC 9421 B.2.6', () => {
  const privateKey = createPrivateKey({
    key: Buffer.from('MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF', 'base64'),
    format: 'der',
    type: 'pkcs8',
  });
  const base = buildSignatureBase(
    [
      ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
      ['@method', 'POST'],
      ['@path', '/foo'],
      ['@authority', 'example.com'],
      ['content-type', 'application/json'],
      ['content-length', '18'],
    ],
    '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
  );
  const published =
    'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==';
  expect(sign(null, base, privateKey).toString('base64')).toBe(published);
  expect(verify(null, base, createPublicKey(privateKey), Buffer.from(published, 'base64'))).toBe(true);
});

it('makes the Content-Digest of RFC 9421 and RFC 9530', () => {
  expect(computeContentDigest(Buffer.from('{"hello": "world"}'))).toBe(
    'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
  );
});
