import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifySignature } from '../../../shared/aws-json/index.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Uint8Array, text: string) => createHmac('sha256', key).update(text).digest();
const BODY = '{}';

/** Signs a request as the IAM User Guide says, every key derived anew. */
function sign(secret: string, date: string, region: string) {
  const time = `${date}T120000Z`;
  const canonical = `POST\n/\n\nhost:kms\nx-amz-date:${time}\n\nhost;x-amz-date\n${sha256(BODY)}`;
  const scope = `${date}/${region}/kms/aws4_request`;
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), 'kms'), 'aws4_request');
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=HFAKTEST000000000001/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`;
  const headers = new Map(Object.entries({ host: 'kms', 'x-amz-date': time, authorization }));
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
  return { request: { headers, body: Buffer.from(BODY) }, now: Date.parse(`${day}T12:00:00Z`) };
}

function verify(credential: { secretAccessKey: string }, { request, now }: ReturnType<typeof sign>) {
  return verifySignature(request, () => credential, { service: 'kms', now }).region;
}

describe('the key of Signature Version 4 that is kept of a credential', () => {
  it('serves its own day and Region alone', () => {
    const credential = { secretAccessKey: 'of-the-door-alone' };
    for (const [date, region] of [
      ['20260301', 'eu-central-1'],
      ['20260301', 'eu-central-1'],
      ['20260302', 'eu-central-1'],
      ['20260302', 'us-east-1'],
      ['20260301', 'eu-central-1'],
    ] as const)
      expect(verify(credential, sign('of-the-door-alone', date, region))).toBe(region);
  });

  it('verifies no request of another secret, nor of the former one after it has changed', () => {
    const credential = { secretAccessKey: 'former' };
    const signed = sign('former', '20260301', 'eu-central-1');
    expect(verify(credential, signed)).toBe('eu-central-1');
    expect(() => verify(credential, sign('another', '20260301', 'eu-central-1'))).toThrow(
      expect.objectContaining({ code: 'InvalidSignatureException' }),
    );
    credential.secretAccessKey = 'later';
    expect(() => verify(credential, signed)).toThrow(
      expect.objectContaining({ code: 'InvalidSignatureException' }),
    );
  });
});
