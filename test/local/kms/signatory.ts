import { createPublicKey, verify } from 'node:crypto';
import { expect } from 'vitest';

/** What the program of Signatory's calls has seen (clients/go/signatory.go). */
export interface SignatorySeen {
  readonly listed: number;
  readonly truncated: boolean;
  /** What has ended the listing, and so Signatory's start. */
  readonly fatal?: string;
  /** Why keys were left out: the name of a refusal, a usage, or a kind of key. */
  readonly skipped: readonly string[];
  readonly keys: readonly SignatoryKey[];
}

interface SignatoryKey {
  readonly keyId: string;
  /** Prefix of the key's address. */
  readonly kind: string;
  /** SubjectPublicKeyInfo, DER in hex. */
  readonly publicKey: string;
  readonly message: string;
  /** Integers of the signature, hex; `r` is the name of the refusal where there is none. */
  readonly r: string;
  readonly s: string;
}

/** Verifies by OpenSSL what a key of 32 bytes has signed of a digest. */
export function expectDigestSigned({ publicKey, message, r, s }: SignatoryKey): void {
  const key = createPublicKey({ key: Buffer.from(publicKey, 'hex'), format: 'der', type: 'spki' });
  const signature = Buffer.from([r, s].map((part) => part.padStart(64, '0')).join(''), 'hex');
  const options = { key, dsaEncoding: 'ieee-p1363' } as const;
  expect(verify('sha256', Buffer.from(message, 'hex'), options, signature)).toBe(true);
}
