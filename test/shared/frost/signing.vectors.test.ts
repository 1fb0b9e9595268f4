import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ShareType } from '../../../shared/algorithms.ts';
import {
  aggregate,
  commit,
  type DecodedGroup,
  dealGroup,
  signShare,
  verifySignature,
  verifySignatureShare,
} from '../../../shared/frost/index.ts';
import { EVERY_SUITES, hex, toHex } from './support.ts';

interface Signer {
  readonly identifier: number;
  readonly hiding_nonce_randomness: string;
  readonly binding_nonce_randomness: string;
  readonly hiding_nonce: string;
  readonly binding_nonce: string;
  readonly hiding_nonce_commitment: string;
  readonly binding_nonce_commitment: string;
}

interface Vectors {
  readonly config: { readonly MIN_PARTICIPANTS: string; readonly MAX_PARTICIPANTS: string };
  readonly inputs: {
    readonly group_secret_key: string;
    readonly group_public_key?: string;
    readonly verifying_key_key?: string;
    readonly message: string;
    readonly share_polynomial_coefficients: readonly string[];
    readonly participant_shares: readonly {
      readonly identifier: number;
      readonly participant_share: string;
    }[];
  };
  readonly round_one_outputs: { readonly outputs: readonly Signer[] };
  readonly round_two_outputs: {
    readonly outputs: readonly { readonly identifier: number; readonly sig_share: string }[];
  };
  readonly final_output: { readonly sig: string };
}

const FOLDER = join(import.meta.dirname, '../../vectors/frost');
const read = (path: string) => JSON.parse(readFileSync(join(FOLDER, path), 'utf8')) as Vectors;

const CASES: readonly (readonly [name: string, type: ShareType, path: string])[] = [
  ['RFC 9591, E.1', 'frost-ed25519', 'rfc9591/ed25519-sha512.json'],
  ['RFC 9591, E.3', 'frost-ristretto255', 'rfc9591/ristretto255-sha512.json'],
  ['RFC 9591, E.4', 'frost-p256', 'rfc9591/p256-sha256.json'],
  ...(
    [
      ['ed25519', 'frost-ed25519'],
      ['ristretto255', 'frost-ristretto255'],
      ['p256', 'frost-p256'],
      ['secp256k1-tr', 'frost-secp256k1-taproot'],
    ] as const
  ).flatMap(([crate, type]) =>
    ['vectors', 'vectors-big-identifier'].map(
      (file) => [`frost-${crate} 3.0.0, ${file}`, type, `${crate}/${file}.json`] as const,
    ),
  ),
];

describe.each(
  EVERY_SUITES.flatMap(([implementation, suites]) =>
    CASES.map(([name, type, path]) => [name, implementation, suites[type], path] as const),
  ),
)('%s, by %s', (_name, _implementation, suite, path) => {
  const vectors = read(path);
  const { inputs, round_one_outputs: one, round_two_outputs: two } = vectors;
  const message = hex(inputs.message);
  const signers = one.outputs.map(({ identifier }) => identifier);
  const secret = hex(inputs.group_secret_key);

  /** The dealer's group, its coefficients read from the vectors by way of the randomness. */
  function deal(): { group: DecodedGroup; shares: ReadonlyMap<number, Uint8Array> } {
    const coefficients = inputs.share_polynomial_coefficients.map((text) => hex(text));
    const random = (length: number) => {
      const bytes = new Uint8Array(length);
      bytes.set(coefficients.shift() ?? [], suite.group.scalars.isLittleEndian ? 0 : length - 32);
      return bytes;
    };
    const quorum = { epoch: 0, threshold: Number(vectors.config.MIN_PARTICIPANTS), signers };
    return dealGroup(suite, quorum, random, secret);
  }
  const dealt = deal();
  const shareOf = (signer: number) => dealt.shares.get(signer) ?? new Uint8Array(0);
  const list = one.outputs.map((signer) => ({
    participant: signer.identifier,
    hiding: hex(signer.hiding_nonce_commitment),
    binding: hex(signer.binding_nonce_commitment),
  }));

  it('deals the shares and the public key', () => {
    const expected = new Map(
      inputs.participant_shares.map(({ identifier, participant_share: share }) => [identifier, share]),
    );
    for (const signer of signers) expect(toHex(shareOf(signer))).toBe(expected.get(signer));
    expect(toHex(dealt.group.commitments[0] ?? secret)).toBe(
      inputs.group_public_key ?? inputs.verifying_key_key,
    );
  });

  it('makes the nonces and their commitments', () => {
    for (const signer of one.outputs) {
      const randomness = [signer.hiding_nonce_randomness, signer.binding_nonce_randomness];
      const share = shareOf(signer.identifier);
      const made = commit(suite, signer.identifier, share, () => hex(randomness.shift() ?? ''));
      expect(toHex(made.hiding)).toBe(signer.hiding_nonce);
      expect(toHex(made.binding)).toBe(signer.binding_nonce);
      expect(toHex(made.commitments.hiding)).toBe(signer.hiding_nonce_commitment);
      expect(toHex(made.commitments.binding)).toBe(signer.binding_nonce_commitment);
    }
  });

  it('makes the signature shares, which verify, and the signature', () => {
    const shares = one.outputs.map((signer) => {
      const commitments = list.find(({ participant }) => participant === signer.identifier);
      if (commitments === undefined) throw new RangeError('a signer without commitments');
      const nonces = { hiding: hex(signer.hiding_nonce), binding: hex(signer.binding_nonce), commitments };
      const participant = signer.identifier;
      const holder = { group: dealt.group, participant, share: shareOf(participant) };
      return { participant, signatureShare: signShare(holder, nonces, list, message) };
    });
    expect(shares.map(({ signatureShare }) => toHex(signatureShare))).toEqual(
      two.outputs.map(({ sig_share: share }) => share),
    );
    for (const share of shares) expect(verifySignatureShare(dealt.group, list, message, share)).toBe(true);
    const signature = aggregate(dealt.group, list, message, shares);
    expect(toHex(signature)).toBe(vectors.final_output.sig);
    expect(verifySignature(suite, dealt.group.commitments[0] ?? secret, message, signature)).toBe(true);
  });
});
