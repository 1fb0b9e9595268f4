import { createPrivateKey, createPublicKey } from 'node:crypto';
import {
  HttpSignatureError,
  type ReceivedRequest,
  ReplayCache,
  signRequest,
  verifyRequestSignature,
} from '../../../shared/http-signature/index.ts';
import { listComponents } from '../../../shared/http-signature/signature-base.ts';
import { parseSignatureInput } from '../../../shared/http-signature/signature-fields.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

const NOW = 1_767_225_600_000;
const SESSION = '5e'.repeat(16);
const BODY = Buffer.from('{"key":"hot"}');
// The key is the same in every process: seeds are signed in one and verified in another.
const privateKey = createPrivateKey({
  key: Buffer.alloc(32, 7),
  format: 'raw-private',
  asymmetricKeyType: 'ed25519',
});
const publicKey = createPublicKey(privateKey);

/** A request as text: the request line, a line for each header, an empty line, the body; what is missing is empty. */
function parseRequest(data: Uint8Array): ReceivedRequest {
  const text = Buffer.from(data).toString('latin1');
  const end = text.indexOf('\n\n');
  const [line = '', ...headers] = (end === -1 ? text : text.slice(0, end)).split('\n');
  const [method = '', target = ''] = line.split(' ');
  return {
    method,
    target,
    rawHeaders: headers.flatMap((header) => {
      const colon = header.indexOf(':');
      return colon === -1 ? [header, ''] : [header.slice(0, colon), header.slice(colon + 1).trim()];
    }),
    body: end === -1 ? new Uint8Array(0) : Buffer.from(text.slice(end + 2), 'latin1'),
  };
}

function makeSeed(method: string, target: string, bytes?: Uint8Array): Uint8Array {
  const body = bytes && { bytes, contentType: 'application/json' };
  const fields = signRequest(
    { method, target, ...(body && { body }) },
    { clientId: 'backend', privateKey, session: SESSION, now: NOW },
  );
  const headers = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return Buffer.concat([
    Buffer.from([`${method} ${target}`, ...headers, '', ''].join('\n')),
    bytes ?? new Uint8Array(0),
  ]);
}

/**
 * Asserts that a request that is taken means what was signed: without the key nobody makes another one that is taken.
 */
export const target: FuzzTarget = {
  maxBytes: 1024,
  seeds: () => [
    makeSeed('POST', '/v1/sign', BODY),
    makeSeed('GET', '/v1/keys'),
    makeSeed('GET', '/v1/keys?a=1'),
  ],
  fuzz(data) {
    const request = parseRequest(data);
    assertInput(request);
    const replay = new ReplayCache();
    const verify = () =>
      verifyRequestSignature(request, {
        findKey: (id) => (id === 'backend' ? publicKey : undefined),
        session: SESSION,
        now: NOW,
        replay,
      });
    try {
      assertThat(verify().clientId === 'backend', 'another client');
    } catch (error) {
      if (error instanceof HttpSignatureError) return;
      throw error;
    }
    const { method, target, body } = request;
    const known = [
      ['POST', '/v1/sign', BODY.toString('latin1')],
      ['GET', '/v1/keys', ''],
      ['GET', '/v1/keys?a=1', ''],
    ];
    const taken = [method, target, Buffer.from(body).toString('latin1')].join('\0');
    assertThat(
      known.some((signed) => signed.join('\0') === taken),
      'a request that nobody signed',
    );
    try {
      verify();
    } catch (error) {
      assertThat(
        error instanceof HttpSignatureError && error.code === 'SIGNATURE_REPLAYED',
        'another refusal',
      );
      return;
    }
    assertThat(false, 'taken twice');
  },
};

/** A Signature-Input has one spelling, whoever signed it. */
function assertInput({ rawHeaders }: ReceivedRequest): void {
  for (const value of rawHeaders) {
    for (const hasBody of [true, false]) {
      try {
        const { label, text, created, nonce, keyId } = parseSignatureInput(value, listComponents(hasBody));
        assertThat(`${label}=${text}` === value, 'not all of it was read');
        const written = [
          `;created=${created}`,
          `;nonce="${nonce}"`,
          `;keyid="${keyId}"`,
          ';alg="ed25519"',
          ';tag="holdfast"',
        ];
        assertThat(
          written.every((parameter) => text.split(parameter).length === 2),
          'a parameter that is not there once',
        );
        assertThat(
          text.length === text.indexOf(')') + 1 + written.join('').length,
          'something beside the parameters',
        );
      } catch (error) {
        if (!(error instanceof HttpSignatureError)) throw error;
      }
    }
  }
}
