import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importNoiseKeyPair, NoiseHandshake } from '../../../shared/noise/index.ts';

interface Vector {
  readonly source: string;
  readonly init_prologue: string;
  readonly init_static: string;
  readonly init_ephemeral: string;
  readonly resp_prologue: string;
  readonly resp_static: string;
  readonly resp_ephemeral: string;
  readonly handshake_hash?: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

const FILE = new URL('../../vectors/noise/xx.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(FILE, 'utf8')) as { vectors: Vector[] };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (text: string) => Buffer.from(text, 'hex');

describe('Noise_XX_25519_ChaChaPoly_SHA256', () => {
  test('has vectors of two origins', () => {
    expect(vectors.map(({ source }) => source)).toEqual(['cacophony', 'snow']);
  });

  test.each(vectors)('writes and reads the messages of $source', (vector) => {
    const [initiator, responder] = (['init', 'resp'] as const).map(
      (side) =>
        new NoiseHandshake({
          role: side === 'init' ? 'initiator' : 'responder',
          prologue: bytes(vector[`${side}_prologue`]),
          staticKey: importNoiseKeyPair(bytes(vector[`${side}_static`])),
          ephemeralKey: importNoiseKeyPair(bytes(vector[`${side}_ephemeral`])),
        }),
    ) as [NoiseHandshake, NoiseHandshake];
    for (const [index, { payload, ciphertext }] of vector.messages.slice(0, 3).entries()) {
      const [writer, reader] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
      const bound = writer.writeKeys();
      expect(hex(writer.writePayload(bytes(payload)))).toBe(ciphertext);
      const read = reader.read(bytes(ciphertext));
      expect(hex(read.payload)).toBe(payload);
      expect(read.hash).toEqual(bound);
    }
    const sessions = [initiator.split(), responder.split()] as const;
    if (vector.handshake_hash !== undefined) {
      expect(sessions.map(({ hash }) => hex(hash))).toEqual([vector.handshake_hash, vector.handshake_hash]);
    }
    expect(vector.messages.length).toBeGreaterThan(4);
    for (const [index, { payload, ciphertext }] of vector.messages.slice(3).entries()) {
      // The fourth message is the responder's.
      const side = index % 2 === 0 ? 'responder' : 'initiator';
      const nonce = BigInt(Math.floor(index / 2));
      const [writer, reader] = side === 'initiator' ? sessions : sessions.toReversed();
      expect(hex(writer?.[side].encrypt(nonce, Buffer.alloc(0), bytes(payload)) ?? bytes(''))).toBe(
        ciphertext,
      );
      expect(hex(reader?.[side].decrypt(nonce, Buffer.alloc(0), bytes(ciphertext)) ?? bytes(''))).toBe(
        payload,
      );
    }
  });
});
