import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { generatePoolKey, type HeldKey } from '../../../enclave/keys/index.ts';
import { ALGORITHMS, describeAlgorithm, listUsages, POOL_KEY_TYPES } from '../../../shared/algorithms.ts';
import { encodePublicKey, parsePublicKey, type PublicKeyType } from '../../../shared/public-keys.ts';
import { verifySignature, type VerifiableAlgorithm } from '../../../shared/signatures/verification.ts';
import { findMadeOrSay } from '../../support/find-made.ts';
import { listCurves } from './every-curves.ts';
import { askPeer, type PeerRequest } from './peer.ts';

const peer = findMadeOrSay("keys were not held against Go's crypto", 'key-peer.sh');
const hex = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString('hex');
const unhex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
/** What a serialised key of a pool has before its secret. */
const HEADER_BYTES = 3;
const secretOf = (key: HeldKey) => hex(key.serialise().subarray(HEADER_BYTES));
const spkiOf = ({ type, publicKey }: HeldKey) =>
  hex(encodePublicKey({ type: type as PublicKeyType, publicKey: publicKey ?? new Uint8Array(0) }));
const payloadOf = (kind: 'message' | 'digest', bytes: Uint8Array) =>
  kind === 'message' ? { kind, message: bytes } : { kind, digest: bytes };

/** Kinds of payloads of the algorithms that Go signs with, with fresh bytes of the right length. */
function listPayloads(algorithm: (typeof ALGORITHMS)[number]) {
  const { payloads, digestBytes } = describeAlgorithm(algorithm);
  return (['message', 'digest'] as const)
    .filter((kind) => payloads.includes(kind))
    .map((kind) => ({ kind, bytes: randomBytes(kind === 'digest' ? digestBytes : 77) }));
}
const SIGNED_BY_GO = ALGORITHMS.filter((name) => /^(ecdsa-p|ed25519ph|rsa-p)/.test(name));

describe.skipIf(peer === undefined).each(listCurves())("keys by $name beside Go's crypto", ({ curves }) => {
  const keys: HeldKey[] = [];
  const ask = (requests: readonly PeerRequest[]) => askPeer(peer ?? '', requests);
  const find = (type: string, usage: string) => {
    const key = keys.find((each) => each.type === type && each.usage === usage);
    if (key === undefined) throw new TypeError(`expected a key of type ${type} for ${usage}`);
    return key;
  };

  beforeAll(async () => {
    for (const type of POOL_KEY_TYPES)
      for (const usage of listUsages(type)) keys.push(await generatePoolKey(curves, type, usage));
  });

  it('make signatures of every algorithm that it verifies, and refuses for another payload', () => {
    const cases = keys
      .filter(({ usage, type }) => usage === 'sign' && type !== 'secp256k1')
      .flatMap((key) =>
        ALGORITHMS.filter((name) => describeAlgorithm(name).keys.includes(key.type)).flatMap((algorithm) =>
          listPayloads(algorithm).map((payload) => ({ key, algorithm, ...payload })),
        ),
      );
    const requests = cases.flatMap(({ key, algorithm, kind, bytes }): PeerRequest[] => {
      const { signature } = key.sign({ algorithm, payload: payloadOf(kind, bytes) });
      const request = {
        do: 'verify' as const,
        algorithm,
        kind,
        key: spkiOf(key),
        signature: hex(signature),
      };
      const other = new Uint8Array(bytes);
      other[0] = (other[0] ?? 0) ^ 1;
      return [
        { ...request, payload: hex(bytes) },
        { ...request, payload: hex(other) },
      ];
    });
    expect(cases.length).toBeGreaterThan(40);
    expect(ask(requests).map(({ valid, error }) => error || valid)).toEqual(
      cases.flatMap(() => [true, false]),
    );
  });

  it('make signatures whose s is the lower one, of P-384 the very ones of RFC 6979', () => {
    const key = find('p384', 'sign');
    const requests = Array.from({ length: 20 }, () => ({
      do: 'sign-deterministically' as const,
      algorithm: 'ecdsa-p384-sha384',
      kind: 'message',
      secret: secretOf(key),
      payload: hex(randomBytes(40)),
    }));
    const order = BigInt(
      '0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
    );
    const expected = ask(requests).map(({ bytes }) => {
      const s = BigInt(`0x${bytes.slice(96)}`);
      return bytes.slice(0, 96) + (s > order / 2n ? order - s : s).toString(16).padStart(96, '0');
    });
    const made = requests.map(({ payload }) =>
      hex(
        key.sign({ algorithm: 'ecdsa-p384-sha384', payload: payloadOf('message', unhex(payload)) }).signature,
      ),
    );
    expect(made).toEqual(expected);
  });

  it('encrypt by RSAES-OAEP what it decrypts, and the other way round', () => {
    for (const type of ['rsa-2048', 'rsa-3072', 'rsa-4096'] as const) {
      const key = find(type, 'encrypt');
      for (const algorithm of ['rsa-oaep-sha1', 'rsa-oaep-sha256'] as const) {
        const plaintext = randomBytes(100);
        const [opened, sealed] = ask([
          {
            do: 'decrypt',
            algorithm,
            secret: secretOf(key),
            payload: hex(key.encrypt({ algorithm, plaintext })),
          },
          { do: 'encrypt', algorithm, key: spkiOf(key), payload: hex(plaintext) },
        ]);
        expect(opened).toMatchObject({ error: '', bytes: hex(plaintext) });
        expect(hex(key.decrypt({ algorithm, ciphertext: unhex(sealed?.bytes ?? '') }))).toBe(hex(plaintext));
      }
    }
  });

  it('encrypt by XAES-256-GCM what it opens', () => {
    const key = find('aes-256', 'encrypt');
    const requests = Array.from({ length: 32 }, (_, length): PeerRequest & { plaintext: string } => {
      const plaintext = randomBytes(length);
      const ciphertext = hex(key.encrypt({ algorithm: 'aes-256-gcm', plaintext }));
      const [version, nonce, payload] = [
        ciphertext.slice(0, 2),
        ciphertext.slice(2, 50),
        ciphertext.slice(50),
      ];
      expect(version).toBe('01');
      return { do: 'open', secret: secretOf(key), nonce, payload, plaintext: hex(plaintext) };
    });
    expect(ask(requests).map(({ bytes, error }) => error || bytes)).toEqual(
      requests.map(({ plaintext }) => plaintext),
    );
  });

  it('compute the same HMACs and shared secrets', () => {
    const message = randomBytes(300);
    const macs = keys.filter(({ usage }) => usage === 'mac');
    const agreeing = keys.filter(({ usage }) => usage === 'agree');
    expect([macs.length, agreeing.length]).toEqual([4, 2]);
    for (const key of macs) {
      const algorithm = ALGORITHMS.find((name) => describeAlgorithm(name).keys.includes(key.type)) ?? 'ecdh';
      const [response] = ask([{ do: 'mac', algorithm, secret: secretOf(key), payload: hex(message) }]);
      expect(response).toMatchObject({ error: '', bytes: hex(key.mac(algorithm, message)) });
    }
    for (const key of agreeing) {
      const other = find(key.type, 'sign');
      const [response] = ask([{ do: 'agree', kind: key.type, secret: secretOf(key), key: spkiOf(other) }]);
      expect(response).toMatchObject({
        error: '',
        bytes: hex(key.deriveSecret('ecdh', unhex(spkiOf(other)))),
      });
    }
  });
});

describe.skipIf(peer === undefined)("signatures by Go's crypto", () => {
  const cases = SIGNED_BY_GO.flatMap((algorithm) =>
    listPayloads(algorithm).map((payload) => ({ algorithm, ...payload })),
  );
  it('verify, and do not once a bit of payload, key or signature is another, or a byte is missing or too many', () => {
    const made = askPeer(
      peer ?? '',
      cases.map(({ algorithm, kind, bytes }) => ({ do: 'sign', algorithm, kind, payload: hex(bytes) })),
    );
    for (const [index, { algorithm, kind, bytes }] of cases.entries()) {
      const parsed = parsePublicKey(unhex(made[index]?.publicKey ?? ''));
      const signature = unhex(made[index]?.bytes ?? '');
      const verify = (key: Uint8Array, payload: Uint8Array, signed: Uint8Array) =>
        verifySignature(algorithm as VerifiableAlgorithm, key, { kind, bytes: payload }, signed);
      const key = parsed?.publicKey ?? new Uint8Array(0);
      const verified = [
        ...[0, 1, Math.floor(signature.length / 2), signature.length - 1].map((at) =>
          verify(key, bytes, flip(signature, at)),
        ),
        verify(key, flip(bytes, 5), signature),
        verify(flip(key, key.length - 10), bytes, signature),
        verify(key, bytes, signature.subarray(1)),
        verify(key, bytes, signature.subarray(0, -1)),
        verify(key, bytes, Buffer.concat([Buffer.of(0), signature])),
        verify(key, bytes, Buffer.concat([signature, Buffer.of(0)])),
        kind === 'digest' && verify(key, bytes.subarray(1), signature),
      ];
      expect([algorithm, kind, verify(key, bytes, signature), verified]).toEqual([
        algorithm,
        kind,
        true,
        verified.map(() => false),
      ]);
    }
  });
});

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const flipped = new Uint8Array(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ 1;
  return flipped;
}
