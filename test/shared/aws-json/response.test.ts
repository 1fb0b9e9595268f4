import { describe, expect, it } from 'vitest';
import { AwsServiceError, encodeError, encodeOutput } from '../../../shared/aws-json/index.ts';

const stamp = { requestId: 'id', now: Date.UTC(2026, 0, 2, 3, 4, 5) };

describe('a response', () => {
  it('has a body even where an operation gives nothing, because SDKs take none for success', () => {
    const { status, headers, body } = encodeOutput(undefined, stamp);
    expect([status, Buffer.from(body).toString(), headers['Content-Length']]).toEqual([200, '{}', '2']);
  });

  it('says an error’s name in the body and in the header alike', () => {
    const { status, headers, body } = encodeError(new AwsServiceError('DisabledException', 'x', 400), stamp);
    expect(status).toBe(400);
    expect(JSON.parse(Buffer.from(body).toString())).toEqual({ __type: 'DisabledException', message: 'x' });
    expect(headers['x-amzn-ErrorType']).toBe('DisabledException');
  });

  it('counts bytes, not characters, and gives the date by the clock that it is told', () => {
    const { headers, body } = encodeOutput({ text: 'ä€' }, stamp);
    expect(headers['Content-Length']).toBe(String(body.length));
    expect(headers['Date']).toBe('Fri, 02 Jan 2026 03:04:05 GMT');
  });
});
