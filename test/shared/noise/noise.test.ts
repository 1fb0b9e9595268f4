import { describe, expect, test } from 'vitest';
import {
  CipherKey,
  generateNoiseKeyPair,
  MAX_NOISE_MESSAGE_BYTES,
  NoiseHandshake,
  type NoiseKeyPair,
} from '../../../shared/noise/index.ts';

const PROLOGUE = Buffer.from('prologue');
const EMPTY = Buffer.alloc(0);
const LAST_NONCE = 2n ** 64n - 2n;

function open(
  role: 'initiator' | 'responder',
  {
    staticKey = generateNoiseKeyPair(),
    prologue = PROLOGUE,
  }: { staticKey?: NoiseKeyPair; prologue?: Uint8Array } = {},
) {
  return new NoiseHandshake({ role, prologue, staticKey });
}

function write(side: NoiseHandshake, payload: Uint8Array = EMPTY): Uint8Array {
  side.writeKeys();
  return side.writePayload(payload);
}

/** A responder that waits for message 3, and that message. */
function untilThird() {
  const [initiator, responder] = [open('initiator'), open('responder')];
  responder.read(write(initiator));
  initiator.read(write(responder, Buffer.from('two')));
  return { initiator, responder, third: write(initiator, Buffer.from('three')) };
}

/** Points of small order, and what is equal to one modulo the prime (RFC 7748; cr.yp.to/ecdh.html, "validate"). */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((text) => Buffer.from(text, 'hex'));

describe('a Noise handshake', () => {
  test.each(SMALL_ORDER.map((key) => [key.toString('hex'), key] as const))(
    'refuses the ephemeral key %s of an initiator',
    (_, key) => {
      const responder = open('responder');
      responder.read(key);
      expect(() => responder.writeKeys()).toThrow(expect.objectContaining({ code: 'NOISE_KEY_REFUSED' }));
    },
  );

  test.each(SMALL_ORDER.map((key) => [key.toString('hex'), key] as const))(
    'refuses the ephemeral key %s of a responder',
    (_, key) => {
      const initiator = open('initiator');
      write(initiator);
      const forged = Buffer.concat([key, Buffer.alloc(64)]);
      expect(() => initiator.read(forged)).toThrow(expect.objectContaining({ code: 'NOISE_KEY_REFUSED' }));
    },
  );

  test('refuses every other length of each message, and goes on with the right one', () => {
    const [initiator, responder] = [open('initiator'), open('responder')];
    const steps = [
      [initiator, responder],
      [responder, initiator],
      [initiator, responder],
    ] as const;
    for (const [index, [writer, reader]] of steps.entries()) {
      const message = write(writer);
      for (let length = 0; length < message.length; length += 1) {
        expect(() => reader.read(message.subarray(0, length))).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^NOISE_(MESSAGE_LENGTH|DECRYPT_FAILED)$/) }),
        );
      }
      // Message 1 is a key and a payload in clear: more bytes are a longer payload, which the next message refuses.
      if (index > 0) {
        expect(() => reader.read(Buffer.concat([message, Buffer.alloc(1)]))).toThrow(
          expect.objectContaining({ code: 'NOISE_DECRYPT_FAILED' }),
        );
      }
      expect(() => reader.read(new Uint8Array(MAX_NOISE_MESSAGE_BYTES + 1))).toThrow(
        expect.objectContaining({ code: 'NOISE_MESSAGE_LENGTH' }),
      );
      reader.read(message);
    }
    expect(initiator.split().hash).toEqual(responder.split().hash);
  });

  test('refuses each flipped bit of message 3, and takes the message afterwards', () => {
    const { responder, third } = untilThird();
    for (let bit = 0; bit < third.length * 8; bit += 1) {
      const flipped = Buffer.from(third);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => responder.read(flipped)).toThrow(
        expect.objectContaining({ code: 'NOISE_DECRYPT_FAILED' }),
      );
    }
    expect(Buffer.from(responder.read(third).payload).toString()).toBe('three');
  });

  test('refuses another prologue', () => {
    const initiator = open('initiator');
    const responder = open('responder', { prologue: Buffer.from('another') });
    responder.read(write(initiator));
    const second = write(responder);
    expect(() => initiator.read(second)).toThrow(expect.objectContaining({ code: 'NOISE_DECRYPT_FAILED' }));
  });

  test('refuses a message out of turn as misuse', () => {
    const { initiator, responder, third } = untilThird();
    expect(() => initiator.read(third)).toThrow(TypeError);
    expect(() => responder.writeKeys()).toThrow(TypeError);
    expect(() => responder.split()).toThrow(TypeError);
    responder.read(third);
    responder.split();
    expect(() => responder.split()).toThrow(TypeError);
  });
});

describe('a cipher key', () => {
  const make = () => new CipherKey(Buffer.alloc(32, 7));

  test('encrypts with the last nonce, and with none after it', () => {
    const sealed = make().encrypt(LAST_NONCE, EMPTY, Buffer.from('x'));
    expect(make().decrypt(LAST_NONCE, EMPTY, sealed).toString()).toBe('x');
    for (const nonce of [LAST_NONCE + 1n, LAST_NONCE + 2n]) {
      expect(() => make().encrypt(nonce, EMPTY, EMPTY)).toThrow(
        expect.objectContaining({ code: 'NOISE_NONCE_EXHAUSTED' }),
      );
      expect(() => make().decrypt(nonce, EMPTY, Buffer.alloc(16))).toThrow(
        expect.objectContaining({ code: 'NOISE_NONCE_EXHAUSTED' }),
      );
    }
  });

  test('is another one after rekeying, and the old one no more when destroyed', () => {
    const old = make();
    const sealed = old.encrypt(0n, EMPTY, Buffer.from('x'));
    const next = old.next();
    expect(() => next.decrypt(0n, EMPTY, sealed)).toThrow(
      expect.objectContaining({ code: 'NOISE_DECRYPT_FAILED' }),
    );
    old.destroy();
    expect(() => old.decrypt(0n, EMPTY, sealed)).toThrow(
      expect.objectContaining({ code: 'NOISE_DECRYPT_FAILED' }),
    );
  });
});
