import { createPublicKey, generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { generatePoolKey, type HeldKey, restorePoolKey } from '../../../enclave/keys/index.ts';
import { SignerError } from '../../../enclave/signer/index.ts';
import {
  type Algorithm,
  ALGORITHMS,
  describeAlgorithm,
  keyUsageSchema,
  listUsages,
  POOL_KEY_TYPES,
} from '../../../shared/algorithms.ts';
import { encodePublicKey } from '../../../shared/public-keys.ts';
import { listCleared } from '../../support/clearing.ts';
import { listCurves } from './every-curves.ts';

const { curves } = listCurves().at(-1) ?? {};
if (curves === undefined) throw new TypeError('expected curves');
const USAGES = keyUsageSchema.options;
const HEADER_BYTES = 3;
const message = randomBytes(20);

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(SignerError);
    return (error as SignerError<string>).code;
  }
  return 'none';
}

/** Each operation with the usage that it belongs to, and an algorithm of that usage. */
const OPERATIONS: readonly [usage: string, act: (key: HeldKey, algorithm: Algorithm) => unknown][] = [
  ['sign', (key, algorithm) => key.sign({ algorithm, payload: { kind: 'message', message } })],
  ['encrypt', (key, algorithm) => key.encrypt({ algorithm, plaintext: message })],
  ['encrypt', (key, algorithm) => key.decrypt({ algorithm, ciphertext: message })],
  ['mac', (key, algorithm) => key.mac(algorithm, message)],
  ['mac', (key, algorithm) => key.verifyMac(algorithm, message, message)],
  ['agree', (key, algorithm) => key.deriveSecret(algorithm, message)],
];

const keys: HeldKey[] = [];
const find = (type: string, usage: string) => {
  const key = keys.find((each) => each.type === type && each.usage === usage);
  if (key === undefined) throw new TypeError(`expected a key of type ${type} for ${usage}`);
  return key;
};
beforeAll(async () => {
  for (const type of POOL_KEY_TYPES)
    for (const usage of listUsages(type)) keys.push(await generatePoolKey(curves, type, usage));
});

describe('a key of a pool', () => {
  it('of one usage does nothing of another, by any algorithm', () => {
    const codes = keys.flatMap((key) =>
      OPERATIONS.filter(([usage]) => usage !== key.usage).flatMap(([, act]) =>
        ALGORITHMS.map((algorithm) => codeOf(() => act(key, algorithm))),
      ),
    );
    expect(new Set(codes)).toEqual(new Set(['USAGE_MISMATCH']));
  });

  it('takes no algorithm of another type or usage', () => {
    const isOne = (key: HeldKey, algorithm: Algorithm) => {
      const rules = describeAlgorithm(algorithm);
      return rules.keys.includes(key.type) && rules.usage === key.usage;
    };
    const codes = keys.flatMap((key) =>
      OPERATIONS.filter(([usage]) => usage === key.usage).flatMap(([, act]) =>
        ALGORITHMS.filter((algorithm) => !isOne(key, algorithm)).map((algorithm) =>
          codeOf(() => act(key, algorithm)),
        ),
      ),
    );
    expect(new Set(codes)).toEqual(new Set(['ALGORITHM_MISMATCH']));
  });

  it('is not made, nor restored, for a usage that its type has not', async () => {
    for (const type of POOL_KEY_TYPES)
      for (const usage of USAGES.filter((each) => !listUsages(type).includes(each))) {
        await expect(generatePoolKey(curves, type, usage)).rejects.toMatchObject({ code: 'USAGE_MISMATCH' });
        expect(codeOf(() => restorePoolKey(curves, type, usage, new Uint8Array(35)))).toBe('USAGE_MISMATCH');
      }
  });

  it('takes no digest of another length', () => {
    for (const key of keys.filter(({ usage }) => usage === 'sign'))
      for (const algorithm of ALGORITHMS) {
        const { keys: types, digestBytes, payloads } = describeAlgorithm(algorithm);
        if (!types.includes(key.type) || !payloads.includes('digest')) continue;
        for (const length of [0, 20, 31, 32, 33, 47, 48, 49, 63, 64, 65]) {
          const payload = { kind: 'digest', digest: new Uint8Array(length) } as const;
          expect(codeOf(() => key.sign({ algorithm, payload }))).toBe(
            length === digestBytes ? 'none' : 'PAYLOAD_MISMATCH',
          );
        }
      }
  });

  it('comes back from its serialised form as the same key, and as no other type or usage', () => {
    for (const key of keys) {
      const bytes = key.serialise();
      const type = key.type as (typeof POOL_KEY_TYPES)[number];
      expect(restorePoolKey(curves, type, key.usage, bytes)).toMatchObject({
        type,
        publicKey: key.publicKey,
      });
      for (const other of POOL_KEY_TYPES)
        for (const usage of listUsages(other))
          if (other !== type || usage !== key.usage)
            expect(codeOf(() => restorePoolKey(curves, other, usage, bytes))).toBe('KEY_MALFORMED');
    }
  });

  it('does nothing after its end', async () => {
    for (const type of POOL_KEY_TYPES.filter((each) => !/rsa-[34]/.test(each)))
      for (const usage of listUsages(type)) {
        const key = await generatePoolKey(curves, type, usage);
        const peer = spkiOf(find(type === 'p384' ? 'p384' : 'p256', 'sign'));
        key.destroy();
        key.destroy();
        expect(codeOf(() => key.serialise())).toBe('KEY_DESTROYED');
        const own = ALGORITHMS.filter((name) => describeAlgorithm(name).keys.includes(type)).filter(
          (name) => describeAlgorithm(name).usage === usage && name !== 'bip340',
        );
        for (const algorithm of own) {
          const act = {
            sign: () => key.sign({ algorithm, payload: { kind: 'message', message } }),
            encrypt: () => key.encrypt({ algorithm, plaintext: message }),
            mac: () => key.mac(algorithm, message),
            agree: () => key.deriveSecret(algorithm, peer),
          };
          expect(codeOf(act[usage])).toBe('KEY_DESTROYED');
        }
      }
  });

  it('has its secret cleared at its end', async () => {
    for (const type of ['aes-256', 'hmac-512', 'rsa-2048', 'p384'] as const) {
      const usage = listUsages(type).at(-1) ?? 'sign';
      const key = await generatePoolKey(curves, type, usage);
      const secret = Buffer.from(key.serialise().subarray(HEADER_BYTES)).toString('hex');
      expect(listCleared(() => key.destroy())).toContain(secret);
    }
  });
});

const spkiOf = ({ type, publicKey }: HeldKey) =>
  encodePublicKey({ type: type as 'p256', publicKey: publicKey ?? new Uint8Array(0) });

describe('the serialised form', () => {
  it('survives no change as another kind of key: a drawn byte, a cut, a byte too many', () => {
    const forms = keys.map((key) => ({ key, bytes: key.serialise() }));
    fc.assert(
      fc.property(
        fc.constantFrom(...forms),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        ({ key, bytes }, at, xor) => {
          const type = key.type as (typeof POOL_KEY_TYPES)[number];
          const restore = (changed: Uint8Array) =>
            codeOf(() => restorePoolKey(curves, type, key.usage, changed));
          const changed = new Uint8Array(bytes);
          const place = at % bytes.length;
          changed[place] = (changed[place] ?? 0) ^ xor;
          const code = restore(changed);
          if (place < HEADER_BYTES) expect(code).toBe('KEY_MALFORMED');
          else expect(['none', 'KEY_MALFORMED']).toContain(code);
          expect(restore(bytes.subarray(0, place))).toBe('KEY_MALFORMED');
          expect(restore(Uint8Array.of(...bytes, xor))).toBe('KEY_MALFORMED');
        },
      ),
      { numRuns: 400 },
    );
  });

  it('holds no RSA key of another length or exponent, and none of another kind', () => {
    const header = find('rsa-2048', 'sign').serialise().subarray(0, HEADER_BYTES);
    const wrong = [
      generateKeyPairSync('rsa', { modulusLength: 1024 }),
      generateKeyPairSync('rsa', { modulusLength: 2040 }),
      generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
      generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ];
    for (const { privateKey } of wrong) {
      const info = privateKey.export({ format: 'der', type: 'pkcs8' });
      const bytes = Uint8Array.of(...header, ...info);
      expect(codeOf(() => restorePoolKey(curves, 'rsa-2048', 'sign', bytes))).toBe('KEY_MALFORMED');
    }
  });
});

describe('decryption', () => {
  it('says nothing of what is wrong: one code, one message, no details', () => {
    const rsa = find('rsa-2048', 'encrypt');
    const aes = find('aes-256', 'encrypt');
    const context = { purpose: 'test', tenant: 'a' };
    const sealed = aes.encrypt({ algorithm: 'aes-256-gcm', plaintext: message, context });
    const wrapped = rsa.encrypt({ algorithm: 'rsa-oaep-sha256', plaintext: message });
    const publicKey = createPublicKey({ key: Buffer.from(rsa.publicKey ?? []), format: 'der', type: 'spki' });
    const pkcs1 = publicEncrypt({ key: publicKey, padding: 1 }, message);
    const errors: string[] = [];
    const collect = (act: () => unknown) => {
      try {
        act();
        errors.push('none');
      } catch (error) {
        const { code, message: text, details } = error as SignerError<string>;
        errors.push(`${code} ${text} ${JSON.stringify(details)}`);
      }
    };
    for (const at of [0, 1, 24, 25, sealed.length - 1])
      collect(() => aes.decrypt({ algorithm: 'aes-256-gcm', ciphertext: flip(sealed, at), context }));
    for (const length of [0, 1, 25, 40, sealed.length - 1])
      collect(() =>
        aes.decrypt({ algorithm: 'aes-256-gcm', ciphertext: sealed.subarray(0, length), context }),
      );
    for (const other of [
      undefined,
      {},
      { purpose: 'test' },
      { ...context, more: '' },
      { purpose: 'a', tenant: 'test' },
      { purposetest: '', tenant: 'a' },
    ])
      collect(() => aes.decrypt({ algorithm: 'aes-256-gcm', ciphertext: sealed, context: other }));
    for (const at of [0, 128, 255])
      collect(() => rsa.decrypt({ algorithm: 'rsa-oaep-sha256', ciphertext: flip(wrapped, at) }));
    collect(() => rsa.decrypt({ algorithm: 'rsa-oaep-sha1', ciphertext: wrapped }));
    for (const ciphertext of [
      pkcs1,
      wrapped.subarray(1),
      new Uint8Array(256).fill(255),
      new Uint8Array(256),
      Uint8Array.of(0, ...wrapped),
    ])
      collect(() => rsa.decrypt({ algorithm: 'rsa-oaep-sha256', ciphertext }));
    expect(new Set(errors).size).toBe(1);
    expect(errors[0]).toMatch(/^DECRYPTION_FAILED /);
  });

  it('takes a context in any order, of any characters', () => {
    const key = find('aes-256', 'encrypt');
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.string()),
        fc.uint8Array({ maxLength: 100 }),
        (context, plaintext) => {
          const ciphertext = key.encrypt({ algorithm: 'aes-256-gcm', plaintext, context });
          const reversed = Object.fromEntries(Object.entries(context).toReversed());
          expect(
            Buffer.from(key.decrypt({ algorithm: 'aes-256-gcm', ciphertext, context: reversed })),
          ).toEqual(Buffer.from(plaintext));
        },
      ),
    );
  });

  it('by RSA has no context, and encrypts no more than its length', () => {
    const key = find('rsa-2048', 'encrypt');
    expect(
      codeOf(() => key.encrypt({ algorithm: 'rsa-oaep-sha256', plaintext: message, context: { a: 'b' } })),
    ).toBe('CONTEXT_UNEXPECTED');
    expect(
      codeOf(() => key.decrypt({ algorithm: 'rsa-oaep-sha256', ciphertext: message, context: { a: 'b' } })),
    ).toBe('CONTEXT_UNEXPECTED');
    for (const [algorithm, most] of [
      ['rsa-oaep-sha256', 190],
      ['rsa-oaep-sha1', 214],
    ] as const) {
      expect(codeOf(() => key.encrypt({ algorithm, plaintext: new Uint8Array(most + 1) }))).toBe(
        'PLAINTEXT_TOO_LONG',
      );
      expect(codeOf(() => key.encrypt({ algorithm, plaintext: new Uint8Array(most), context: {} }))).toBe(
        'none',
      );
    }
  });

  it('makes another ciphertext each time, whose nonces are drawn', () => {
    const key = find('aes-256', 'encrypt');
    const seen = new Set(
      Array.from({ length: 500 }, () =>
        Buffer.from(key.encrypt({ algorithm: 'aes-256-gcm', plaintext: message })).toString('hex'),
      ),
    );
    expect(seen.size).toBe(500);
  });
});

describe('HMAC and agreement', () => {
  it('verify no HMAC that is another, shortened, lengthened or empty', () => {
    for (const key of keys.filter(({ usage }) => usage === 'mac')) {
      const algorithm = ALGORITHMS.find((name) => describeAlgorithm(name).keys.includes(key.type)) ?? 'ecdh';
      const mac = key.mac(algorithm, message);
      expect(key.verifyMac(algorithm, message, mac)).toBe(true);
      for (const other of [
        flip(mac, 0),
        flip(mac, mac.length - 1),
        mac.subarray(1),
        mac.subarray(0, -1),
        Uint8Array.of(...mac, 0),
        new Uint8Array(0),
      ])
        expect(key.verifyMac(algorithm, message, other)).toBe(false);
      expect(key.verifyMac(algorithm, flip(message, 0), mac)).toBe(false);
    }
  });

  it.each(['p256', 'p384'] as const)('of %s refuse peers that are no point of the curve', (type) => {
    const key = find(type, 'agree');
    const peer = spkiOf(find(type, 'sign'));
    const other = spkiOf(find(type === 'p256' ? 'p384' : 'p256', 'sign'));
    const identity = Uint8Array.of(...peer.subarray(0, type === 'p256' ? 26 : 23), 0);
    const compressed = generateKeyPairSync('ec', {
      namedCurve: type === 'p256' ? 'P-256' : 'P-384',
      paramEncoding: 'explicit',
    }).publicKey.export({ format: 'der', type: 'spki' });
    const ed25519 = spkiOf(find('ed25519', 'sign'));
    const zeros = new Uint8Array(peer);
    zeros.fill(0, -64);
    for (const bytes of [
      flip(peer, peer.length - 1),
      flip(peer, 0),
      other,
      identity,
      compressed,
      ed25519,
      zeros,
      new Uint8Array(0),
      peer.subarray(0, -1),
      Uint8Array.of(...peer, 0),
    ])
      expect(codeOf(() => key.deriveSecret('ecdh', bytes))).toBe('PEER_KEY_INVALID');
    expect(key.deriveSecret('ecdh', peer).length).toBe(type === 'p256' ? 32 : 48);
  });
});

describe('RSA keys', () => {
  it('are made without holding up the event loop', async () => {
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const started = performance.now();
    await Promise.all([1, 2].map(() => generatePoolKey(curves, 'rsa-4096', 'sign')));
    const took = performance.now() - started;
    clearInterval(timer);
    // A quarter of what was made at once would hold it up for longer, even on a busy machine.
    expect(longest).toBeLessThan(Math.max(took / 2, 150));
  });
});

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const flipped = new Uint8Array(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ 1;
  return flipped;
}
