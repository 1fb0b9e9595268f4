import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  Exchange,
  ExchangeError,
  type ExchangeFolder,
  type SeenStatements,
} from '../../../admin/vault/exchange/index.ts';
import type { Role } from '../../../admin/vault/index.ts';
import { createEnvelope, ed25519PublicKeyHex, signEnvelope } from '../../../shared/dsse/index.ts';

const VAULT = 'a'.repeat(96);
const TIME = '2027-01-01T00:00:00Z';
const NONCE = { facts: { nonce: 'b'.repeat(64) }, files: [] } as const;
const MANIFEST = {
  facts: { manifest: 'c'.repeat(96), pcr16: 'd'.repeat(96) },
  files: [{ name: 'manifest.json', bytes: new Uint8Array(Buffer.from('{}')) }],
} as const;
const PLACE = { role: 'node-1', step: 'nonce' } as const;

const keys = new Map(
  (['infrastructure', 'node-1', 'node-2'] as const).map((role) => [role, generateKeyPairSync('ed25519')]),
);
let files: Map<string, Uint8Array>;

beforeEach(() => {
  files = new Map();
});

function memory(): SeenStatements {
  const known = new Map<string, { sequence: number; sha384: string }>();
  return {
    get: (id) => known.get(id),
    set: (id, seen) => {
      known.set(id, { ...seen });
      return Promise.resolve();
    },
  };
}

function open(seen = memory(), vault = VAULT): Exchange {
  const folder: ExchangeFolder = {
    read: (path) => Promise.resolve(files.get(path)),
    write: (path, bytes) => {
      files.set(path, bytes);
      return Promise.resolve();
    },
  };
  const publicKeys = new Map([...keys].map(([role, pair]) => [role, ed25519PublicKeyHex(pair.publicKey)]));
  return new Exchange(folder, seen, { vault, keys: publicKeys });
}

function keyOf(role: Role): KeyObject {
  const pair = keys.get(role as 'node-1');
  if (pair === undefined) throw new TypeError('expected a role of the test');
  return pair.privateKey;
}

const options = (role: Role, base = 0) => ({ privateKey: keyOf(role), time: TIME, base });
const refusal = (code: string) => expect.objectContaining({ name: ExchangeError.name, code }) as Error;

/** Replaces what a statement says, signed anew by its role's own key: what a role could lie about. */
function forge(path: string, change: (statement: Record<string, unknown>) => void, role: Role = 'node-1') {
  const envelope = JSON.parse(Buffer.from(files.get(path) ?? []).toString()) as {
    payload: string;
    payloadType: string;
  };
  const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as Record<string, unknown>;
  change(statement);
  const payload = Buffer.from(JSON.stringify(statement));
  const signed = signEnvelope(createEnvelope(envelope.payloadType, payload), keyOf(role));
  files.set(path, Buffer.from(JSON.stringify(signed)));
}

describe('the exchange of statements', () => {
  it('gives others what a role has told, and its files', async () => {
    await open().publish({ role: 'node-1', step: 'manifest' }, MANIFEST, options('node-1'));
    const other = open();
    const statement = await other.statement('node-1', 'manifest');
    expect(statement).toMatchObject({ sequence: 1, facts: MANIFEST.facts, time: TIME, vault: VAULT });
    if (statement === undefined) throw new TypeError('expected a statement');
    expect(Buffer.from(await other.file(statement, 'manifest.json')).toString()).toBe('{}');
  });

  it('has nothing of a step that nobody has told of', async () => {
    expect(await open().statement('node-2', 'nonce')).toBeUndefined();
  });

  it('says nothing anew where nothing is new', async () => {
    const exchange = open();
    await exchange.publish(PLACE, NONCE, options('node-1'));
    const before = files.get('node-1/nonce.json');
    const again = await exchange.publish(PLACE, NONCE, {
      ...options('node-1', 1),
      time: '2027-02-01T00:00:00Z',
    });
    expect(again.sequence).toBe(1);
    expect(files.get('node-1/nonce.json')).toBe(before);
  });

  it('numbers what is told anew', async () => {
    const exchange = open();
    await exchange.publish(PLACE, NONCE, options('node-1'));
    const next = { facts: { nonce: 'e'.repeat(64) }, files: [] };
    expect(await exchange.publish(PLACE, next, options('node-1', 1))).toMatchObject({ sequence: 2 });
  });

  it('refuses to write over what somebody else has told meanwhile', async () => {
    await open().publish(PLACE, NONCE, options('node-1'));
    const late = open().publish(PLACE, { facts: { nonce: 'e'.repeat(64) }, files: [] }, options('node-1'));
    await expect(late).rejects.toEqual(refusal('STATEMENT_OLDER'));
  });

  it('refuses to sign with a key that vault.yaml does not name', async () => {
    const wrong = { ...options('node-1'), privateKey: keyOf('node-2') };
    await expect(open().publish(PLACE, NONCE, wrong)).rejects.toEqual(refusal('STATEMENT_KEY_WRONG'));
    expect(files.size).toBe(0);
  });

  it('refuses a statement that another role has signed', async () => {
    await open().publish(PLACE, NONCE, options('node-1'));
    forge('node-1/nonce.json', () => {}, 'node-2');
    await expect(open().statement('node-1', 'nonce')).rejects.toEqual(refusal('STATEMENT_UNKNOWN_KEY'));
  });

  it('refuses a statement about another vault.yaml', async () => {
    await open().publish(PLACE, NONCE, options('node-1'));
    const other = open(memory(), 'f'.repeat(96));
    await expect(other.statement('node-1', 'nonce')).rejects.toEqual(refusal('STATEMENT_OTHER_VAULT'));
  });

  it.each([
    ['STATEMENT_OTHER_ROLE', { role: 'node-2' }],
    ['STATEMENT_MALFORMED', { role: 'node-0' }],
    ['STATEMENT_MALFORMED', { step: 'gate' }],
    ['STATEMENT_MALFORMED', { unknown: 1 }],
    ['STATEMENT_MALFORMED', { facts: { nonce: 'b'.repeat(64), more: 1 } }],
    ['STATEMENT_MALFORMED', { facts: { nonce: 'B'.repeat(64) } }],
    ['STATEMENT_MALFORMED', { sequence: 0 }],
    ['STATEMENT_MALFORMED', { time: '2027-01-01 00:00:00' }],
    ['STATEMENT_MALFORMED', { format: 'holdfast-vault-statement/2' }],
    ['STATEMENT_MALFORMED', { files: [{ name: '../manifest.json', sha384: 'a'.repeat(96) }] }],
  ] as const)('refuses as %s a statement with %j', async (code, change) => {
    await open().publish(PLACE, NONCE, options('node-1'));
    forge('node-1/nonce.json', (statement) => Object.assign(statement, change));
    await expect(open().statement('node-1', 'nonce')).rejects.toEqual(refusal(code));
  });

  it('refuses a statement about another step, of the same role', async () => {
    const exchange = open();
    await exchange.publish(PLACE, NONCE, options('node-1'));
    await exchange.publish({ role: 'node-1', step: 'manifest' }, MANIFEST, options('node-1'));
    files.set('node-1/nonce.json', files.get('node-1/manifest.json') ?? new Uint8Array());
    await expect(open().statement('node-1', 'nonce')).rejects.toEqual(refusal('STATEMENT_OTHER_STEP'));
  });

  it.each(['', '{', '[]', '{"payloadType":"x"}', 'null'])(
    'refuses %j in place of a statement',
    async (text) => {
      files.set('node-1/nonce.json', Buffer.from(text));
      await expect(open().statement('node-1', 'nonce')).rejects.toEqual(refusal('STATEMENT_MALFORMED'));
    },
  );

  it('refuses every statement that was cut off', async () => {
    await open().publish(PLACE, NONCE, options('node-1'));
    const whole = files.get('node-1/nonce.json') ?? new Uint8Array();
    for (let length = 0; length < whole.length - 2; length += 7) {
      files.set('node-1/nonce.json', whole.subarray(0, length));
      await expect(open().statement('node-1', 'nonce')).rejects.toEqual(refusal('STATEMENT_MALFORMED'));
    }
  });

  it('refuses a folder that was rolled back, emptied, or has two statements of one number', async () => {
    const seen = memory();
    const exchange = open(seen);
    await exchange.publish(PLACE, NONCE, options('node-1'));
    const old = files.get('node-1/nonce.json') ?? new Uint8Array();
    await exchange.publish(PLACE, { facts: { nonce: 'e'.repeat(64) }, files: [] }, options('node-1', 1));
    files.set('node-1/nonce.json', old);
    await expect(open(seen).statement('node-1', 'nonce')).rejects.toEqual(refusal('STATEMENT_OLDER'));
    forge('node-1/nonce.json', (statement) => Object.assign(statement, { sequence: 2 }));
    await expect(open(seen).statement('node-1', 'nonce')).rejects.toEqual(refusal('STATEMENT_OLDER'));
    files.delete('node-1/nonce.json');
    await expect(open(seen).statement('node-1', 'nonce')).rejects.toEqual(refusal('STATEMENT_OLDER'));
  });

  it('refuses files that were changed, or are gone', async () => {
    await open().publish({ role: 'node-1', step: 'manifest' }, MANIFEST, options('node-1'));
    const exchange = open();
    const statement = await exchange.statement('node-1', 'manifest');
    if (statement === undefined) throw new TypeError('expected a statement');
    const path = [...files.keys()].find((name) => name.endsWith('-manifest.json')) ?? '';
    files.set(path, Buffer.from('{ }'));
    await expect(exchange.file(statement, 'manifest.json')).rejects.toEqual(
      refusal('STATEMENT_FILE_CHANGED'),
    );
    files.delete(path);
    await expect(exchange.file(statement, 'manifest.json')).rejects.toEqual(
      refusal('STATEMENT_FILE_MISSING'),
    );
    await expect(exchange.file(statement, 'other.json')).rejects.toEqual(refusal('STATEMENT_FILE_MISSING'));
  });
});
