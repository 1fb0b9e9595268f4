import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findMadeOrSay } from '../../support/find-made.ts';
import { importNoiseKeyPair, NoiseHandshake, type CipherKey } from '../../../shared/noise/index.ts';

const folder = findMadeOrSay('no handshake with snow', 'noise-peer.sh');
const program = folder && join(folder, 'noise-peer');

const EMPTY = Buffer.alloc(0);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (text: string) => Buffer.from(text, 'hex');

/** The other side as a process: one line each way. */
function startPeer(path: string) {
  const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (line: string): Promise<string> => {
      child.stdin.write(`${line}\n`);
      return String((await lines.next()).value);
    },
    [Symbol.dispose]: () => child.stdin.end(),
  };
}

describe.skipIf(program === undefined)('snow', () => {
  test.each(['initiator', 'responder'] as const)('is the other side of our %s', async (role) => {
    using peer = startPeer(program ?? '');
    const theirs = role === 'initiator' ? 'responder' : 'initiator';
    const prologue = Buffer.from('some prologue');
    const theirKey = importNoiseKeyPair(Buffer.alloc(32, 0x42));
    const ourKey = importNoiseKeyPair(Buffer.alloc(32, 0x24));
    expect(await peer.ask(`open ${theirs} ${hex(prologue)} ${'42'.repeat(32)}`)).toBe('ok');
    const ours = new NoiseHandshake({ role, prologue, staticKey: ourKey });
    for (let index = 0; index < 3; index += 1) {
      const payload = Buffer.alloc(index * 2500, index);
      if ((index % 2 === 0) === (role === 'initiator')) {
        ours.writeKeys();
        expect(await peer.ask(`read ${hex(ours.writePayload(payload))}`)).toBe(hex(payload));
      } else {
        const message = bytes(await peer.ask(`write ${hex(payload)}`));
        expect(hex(ours.read(message).payload)).toBe(hex(payload));
      }
    }
    const hash = await peer.ask('hash');
    expect(await peer.ask('remote')).toBe(hex(ourKey.publicKey));
    expect(hex(ours.remoteStatic ?? EMPTY)).toBe(hex(theirKey.publicKey));
    const session = ours.split();
    expect(hex(session.hash)).toBe(hash);
    expect(await peer.ask('transport')).toBe('ok');
    let out: CipherKey = session[role];
    let back: CipherKey = session[theirs];
    let nonce = 0n;
    for (let epoch = 0; epoch < 3; epoch += 1) {
      for (let index = 0; index < 3; index += 1) {
        const payload = Buffer.from(`message ${nonce}`);
        expect(await peer.ask(`read ${hex(out.encrypt(nonce, EMPTY, payload))}`)).toBe(hex(payload));
        const answer = bytes(await peer.ask(`write ${hex(payload)}`));
        expect(hex(back.decrypt(nonce, EMPTY, answer))).toBe(hex(payload));
        nonce += 1n;
      }
      // Rekeying leaves the nonce as it is (section 4.2).
      expect(await peer.ask('rekey')).toBe('ok');
      [out, back] = [out.next(), back.next()];
    }
  });

  test('refuses what we have altered', async () => {
    using peer = startPeer(program ?? '');
    await peer.ask(`open responder ${hex(EMPTY)} ${'42'.repeat(32)}`);
    const ours = new NoiseHandshake({
      role: 'initiator',
      prologue: EMPTY,
      staticKey: importNoiseKeyPair(Buffer.alloc(32, 0x24)),
    });
    ours.writeKeys();
    await peer.ask(`read ${hex(ours.writePayload(EMPTY))}`);
    ours.read(bytes(await peer.ask('write 00')));
    ours.writeKeys();
    const third = Buffer.from(ours.writePayload(Buffer.from('document')));
    third[60] = (third[60] ?? 0) ^ 1;
    expect(await peer.ask(`read ${hex(third)}`)).toMatch(/^error/);
  });
});
