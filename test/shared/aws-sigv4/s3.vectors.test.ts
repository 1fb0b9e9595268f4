import { describe, expect, it } from 'vitest';
import { ChunkReader, presignUrl, splitTarget, verifyHead } from '../../../shared/aws-sigv4/index.ts';

/**
 * Examples of the S3 API Reference: "Authenticating Requests: Using the Authorization Header", "… Using Query Parameters",
 * "Transferring Payload in Multiple Chunks". All of 24 May 2013, in us-east-1, with the credential of AWS's documentation.
 */
const credential = { secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const now = Date.UTC(2013, 4, 24);
const KEY = 'AKIAIOSFODNN7EXAMPLE';
const scope = { service: 's3', region: 'us-east-1', now, pathEncoding: 'once', takesUrls: true } as const;

interface Example {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly signature?: string;
  readonly payload?: string;
}

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const get: Example = {
  method: 'GET',
  target: '/test.txt',
  host: 'examplebucket.s3.amazonaws.com',
  fields: { range: 'bytes=0-9', 'x-amz-content-sha256': EMPTY, 'x-amz-date': '20130524T000000Z' },
  signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
};
const put: Example = {
  method: 'PUT',
  target: '/test%24file.text',
  host: 'examplebucket.s3.amazonaws.com',
  fields: {
    date: 'Fri, 24 May 2013 00:00:00 GMT',
    'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    'x-amz-date': '20130524T000000Z',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  },
  signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
};
const list: Example = {
  method: 'GET',
  target: '/?max-keys=2&prefix=J',
  host: 'examplebucket.s3.amazonaws.com',
  fields: { 'x-amz-content-sha256': EMPTY, 'x-amz-date': '20130524T000000Z' },
  signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
};
const chunked: Example = {
  method: 'PUT',
  target: '/examplebucket/chunkObject.txt',
  host: 's3.amazonaws.com',
  fields: {
    'content-encoding': 'aws-chunked',
    'content-length': '66824',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'x-amz-date': '20130524T000000Z',
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  },
  signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
};

function verify({ method, target, host, fields, signature }: Example, more: object = {}) {
  const all = { host, ...fields };
  const names = Object.keys(all).sort().join(';');
  const authorization = `AWS4-HMAC-SHA256 Credential=${KEY}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names},Signature=${signature}`;
  const headers = new Map(Object.entries(signature === undefined ? all : { ...all, authorization }));
  const head = { method, ...splitTarget(target), headers };
  return verifyHead(head, fields['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD', () => credential, {
    ...scope,
    ...more,
  });
}

/** What is wrong, or `good`. */
function judge(example: Example, more: object = {}): string {
  try {
    verify(example, more);
    return 'good';
  } catch (error) {
    return (error as { problem: string }).problem;
  }
}

const url: Example = {
  method: 'GET',
  target: `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${KEY}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
  host: 'examplebucket.s3.amazonaws.com',
  fields: {},
};

describe('AWS’s own examples', () => {
  it.each([
    ['GET', get],
    ['PUT with an escaped path', put],
    ['a listing', list],
    ['the head of a body in chunks', chunked],
    ['a pre-signed URL', url],
  ])('verify: %s', (_, example) => {
    expect(judge(example)).toBe('good');
    expect(judge({ ...example, method: 'DELETE' })).toBe('mismatch');
    expect(judge({ ...example, target: `/x${example.target}` })).toBe('mismatch');
    expect(judge({ ...example, host: 'other.s3.amazonaws.com' })).toBe('mismatch');
    expect(judge(example, { region: 'eu-central-1' })).toBe('wrong-region');
    expect(judge(example, { service: 'lambda' })).toBe('wrong-service');
  });

  it('are over when their time is', () => {
    expect(judge(get, { now: now + 301_000 })).toBe('skewed');
    expect(judge(get, { now: now - 301_000 })).toBe('skewed');
    expect(judge(url, { now: now + 86_400_000 })).toBe('good');
    expect(judge(url, { now: now + 86_401_000 })).toBe('expired-url');
    expect(judge(url, { now: now - 301_000 })).toBe('skewed');
  });

  it('are made the same by our own signer of URLs', () => {
    const made = presignUrl({
      method: 'GET',
      origin: 'https://examplebucket.s3.amazonaws.com',
      path: '/test.txt',
      region: 'us-east-1',
      credential: { ...credential, accessKeyId: KEY },
      expires: 86_400,
      now,
    });
    expect(made).toBe(`https://examplebucket.s3.amazonaws.com${url.target}`);
  });

  it('no URL counts twice, without a part of it, for ever, or where none is taken', () => {
    const [path = '', query = ''] = url.target.split('?');
    for (const part of query.split('&'))
      expect(judge({ ...url, target: `${path}?${query.replace(part, '').replace('&&', '&')}` })).toMatch(
        /incomplete|absent/,
      );
    expect(judge({ ...url, target: `${url.target}&X-Amz-Expires=86400` })).toBe('incomplete');
    expect(judge({ ...url, target: url.target.replace('86400', '604801') })).toBe('incomplete');
    expect(judge(url, { takesUrls: false })).toBe('absent');
  });
});

const CHUNKS = [
  ['10000', 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648', 'a'.repeat(65_536)],
  ['400', '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497', 'a'.repeat(1024)],
  ['0', 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9', ''],
] as const;
const BODY = CHUNKS.map(
  ([size, signature, content]) => `${size};chunk-signature=${signature}\r\n${content}\r\n`,
);

function readChunks(body: Uint8Array, { step = body.length, length = 66_560 } = {}): string | number {
  const signature = verify(chunked);
  let total = 0;
  const reader = new ChunkReader({
    kind: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    length,
    signature,
    write: (piece) => {
      total += piece.length;
    },
  });
  try {
    for (let at = 0; at < body.length; at += step) reader.push(body.subarray(at, at + step));
    reader.end();
    return total;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a body in signed chunks', () => {
  const body = Buffer.from(BODY.join(''));

  it('is read in pieces of any size', () => {
    for (const step of [1, 7, 1000, 65_536, body.length]) expect(readChunks(body, { step })).toBe(66_560);
  });

  it('is refused with a chunk changed, left out, repeated or in another place', () => {
    const changed = Buffer.from(body);
    changed[200] = 98;
    expect(readChunks(changed)).toBe('InvalidSignatureException');
    const [first = '', second = '', last = ''] = BODY;
    for (const parts of [
      [first, last],
      [second, first, last],
      [first, second, second, last],
      [first, first, second, last],
    ])
      expect(readChunks(Buffer.from(parts.join('')))).toMatch(/InvalidSignatureException|IncompleteBody/);
  });

  it('is refused wherever it ends early, and with anything after it', () => {
    for (let length = 0; length < body.length - 2; length += length < 200 || length > 66_400 ? 1 : 997)
      expect(readChunks(body.subarray(0, length))).toBe('IncompleteBody');
    expect(readChunks(Buffer.concat([body, Buffer.from('x')]))).toBe('IncompleteBody');
    expect(readChunks(body, { length: 66_559 })).toBe('IncompleteBody');
    expect(readChunks(body, { length: 66_561 })).toBe('IncompleteBody');
  });

  it('keeps no line that does not end', () => {
    expect(readChunks(Buffer.alloc(100_000, '1'))).toBe('IncompleteBody');
    expect(readChunks(Buffer.from('10000\r\n'))).toBe('IncompleteBody');
    expect(readChunks(Buffer.from('-1;chunk-signature=00\r\n'))).toBe('IncompleteBody');
  });
});

describe('a body in unsigned chunks', () => {
  function read(text: string): unknown {
    const pieces: string[] = [];
    const reader = new ChunkReader({
      kind: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      length: 5,
      signature: verify(chunked),
      write: (piece) => pieces.push(Buffer.from(piece).toString()),
    });
    try {
      reader.push(Buffer.from(text));
      return [pieces.join(''), Object.fromEntries(reader.end())];
    } catch (error) {
      return (error as { code: string }).code;
    }
  }

  it('has fields after it', () => {
    const fields = { 'x-amz-checksum-crc32': 'NhCmhg==' };
    expect(read('5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n')).toEqual(['hello', fields]);
    expect(read('2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32: NhCmhg==\r\n\r\n')).toEqual([
      'hello',
      fields,
    ]);
    expect(read('5\r\nhello\r\n0\r\n\r\n')).toEqual(['hello', {}]);
  });

  it('has none twice, none that is no field, and not too many', () => {
    const after = (lines: string): unknown => read(`5\r\nhello\r\n0\r\n${lines}\r\n`);
    expect(after('a:b\r\na:c\r\n')).toBe('MalformedTrailerError');
    expect(after('nothing\r\n')).toBe('IncompleteBody');
    expect(after(Array.from({ length: 9 }, (_, n) => `f${n}:1\r\n`).join(''))).toBe('MalformedTrailerError');
    expect(read('6\r\nhello!\r\n0\r\n\r\n')).toBe('IncompleteBody');
    expect(read('5;chunk-signature=00\r\nhello\r\n0\r\n\r\n')).toBe('IncompleteBody');
  });
});
