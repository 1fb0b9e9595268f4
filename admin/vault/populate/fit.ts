import { createPrivateKey, X509Certificate } from 'node:crypto';
import { assertCiphertext } from '../../secrets/index.ts';
import { PopulateError } from './errors.ts';

/** Check of a value's form. @throws PopulateError POPULATE_VALUE_UNFIT; AdminError SECRET_NOT_CIPHERTEXT */
export type FitCheck = (name: string, value: Uint8Array) => void;

const MIN_PASSWORD_BYTES = 16;
const MAX_PASSWORD_BYTES = 1024;
const VISIBLE = /^[\x21-\x7e]+$/;
const NATS_PARTS = ['NATS USER JWT', 'USER NKEY SEED'] as const;

/** A password: one line of visible ASCII, long enough that nobody guesses it. */
export const assertPassword: FitCheck = (name, value) => {
  if (value.length < MIN_PASSWORD_BYTES || value.length > MAX_PASSWORD_BYTES) {
    const expected = `${MIN_PASSWORD_BYTES} to ${MAX_PASSWORD_BYTES} bytes`;
    throw unfit(name, `expected ${expected}, and found ${value.length}`);
  }
  if (!VISIBLE.test(Buffer.from(value).toString('latin1'))) {
    throw unfit(name, 'expected one line of visible ASCII without spaces');
  }
};

/** A file of credentials of NATS: the user's token and its seed. */
export const assertNatsCredentials: FitCheck = (name, value) => {
  const text = Buffer.from(value).toString('latin1');
  for (const part of NATS_PARTS) {
    if (!text.includes(`-----BEGIN ${part}-----`)) throw unfit(name, `the block ${part} is missing`);
  }
};

/** A certificate of X.509 and its private key, both in PEM. */
export const assertNatsIdentity: FitCheck = (name, value) => {
  const pem = Buffer.from(value);
  let isPair: boolean;
  try {
    isPair = new X509Certificate(pem).checkPrivateKey(createPrivateKey({ key: pem, format: 'pem' }));
  } catch {
    // The cause is left out: OpenSSL may quote what it could not read.
    throw unfit(name, 'expected a certificate and its private key without a password, in PEM');
  }
  if (!isPair) throw unfit(name, 'the private key is not that of the certificate');
};

export const assertNodeCiphertext: FitCheck = (name, value) => assertCiphertext(name, value);

function unfit(name: string, problem: string): PopulateError {
  return new PopulateError('POPULATE_VALUE_UNFIT', `the value of ${name} does not fit`, { name, problem });
}
