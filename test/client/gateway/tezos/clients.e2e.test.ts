import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { p256 } from '@noble/curves/nist.js';
import { RemoteSigner } from '@taquito/remote-signer';
import { b58DecodeAndCheckPrefix, verifySignature } from '@taquito/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listServedKeys, type ServedKey } from '../../../../client/gateway/tezos/index.ts';
import type { PermitRule } from '../../../../shared/documents/configuration.ts';
import { DecisionNode, permitTransfers, TEZOS } from '../../../e2e/support/decision-node.ts';
import { attestation, header, preattestation } from '../../../policy/transactions/tezos/consensus-samples.ts';
import {
  type Content,
  EVERY_KIND,
  forge,
  OTHER,
  SOURCE,
} from '../../../policy/transactions/tezos/samples.ts';
import { findMadeOrSay } from '../../../support/find-made.ts';
import { authenticated, CLIENTS } from './clients.ts';
import { openDoorOf, type RealDoor } from './real-door.ts';

const KEYS = ['tz1', 'tz2', 'tz3', 'tz4'] as const;
const TYPES = { tz1: 'ed25519', tz2: 'secp256k1', tz3: 'p256', tz4: 'bls12-381' } as const;
const ALGORITHMS = ['ed25519', 'ecdsa-secp256k1', 'ecdsa-p256-sha256', 'bls12-381-pop'] as const;
const condition = (type: PermitRule['effects'][number]['type'], selectors?: string[]) => ({
  type,
  to: null,
  assets: null,
  contracts: null,
  amount: null,
  ...(selectors && { selectors }),
});
const common = { keys: [...KEYS], algorithms: [...ALGORITHMS] };
/** Transfers and stakes, reveals, one vote; attestations of each kind, and no block. */
const RULES = [
  permitTransfers('operations', 'tz1', 'tezos-operation', {
    ...common,
    effects: [
      condition('transfer'),
      condition('stake'),
      condition('reveal'),
      condition('call', ['ballot:nay']),
    ],
    features: ['tezos:ballot'],
  }),
  permitTransfers('attesting', 'tz1', 'tezos-consensus', {
    ...common,
    effects: [condition('consensus', ['preattestation', 'attestation', 'attestation-with-dal'])],
  }),
  permitTransfers('messages', 'tz1', 'tezos-data', { ...common, effects: [condition('message')] }),
  permitTransfers('proofs', 'tz4', 'tezos-proof-of-possession', {
    ...common,
    keys: ['tz4'],
    effects: [condition('message')],
  }),
];
/** Kinds of operations that the rules permit; every other one is refused. */
const PERMITTED = [
  'reveal',
  'transaction',
  'transaction to a contract',
  'stake',
  'unstake',
  'finalize_unstake',
  'ballot',
];

let place: DecisionNode;
let door: RealDoor;
let guarded: RealDoor;
const keys = new Map<string, ServedKey>();
const signed: { publicKey: string; signature: string; message: string }[] = [];

beforeAll(async () => {
  place = await DecisionNode.open(
    KEYS.map((id) => ({ id, type: TYPES[id], networks: [TEZOS] })),
    RULES,
  );
  await place.start();
  door = await openDoorOf(place);
  guarded = await openDoorOf(place, { authorizedKeys: [CLIENTS.tz1.publicKey, CLIENTS.tz3.publicKey] });
  const listed = await (await place.connect()).keys();
  for (const key of listServedKeys(listed, undefined)) keys.set(key.id, key);
});
afterAll(async () => {
  await door?.close();
  await guarded?.close();
  await place?.stop();
});

function keyOf(id: string): ServedKey {
  const key = keys.get(id);
  if (key === undefined) throw new Error(`expected a key ${id}`);
  return key;
}

/** Makes an operation one of another account. */
function ofAccount(content: Content, { hash, publicKey }: ServedKey): Content {
  const text = JSON.stringify(content).replaceAll(SOURCE, hash);
  const own = JSON.parse(text) as Content;
  return content.kind === 'reveal' ? { ...own, public_key: publicKey } : own;
}

describe('taquito signs by the door', () => {
  it.each(['tz1', 'tz2', 'tz3'])(
    'every kind of operation that the rules permit, by %s, and no other',
    async (id) => {
      const key = keyOf(id);
      const signer = new RemoteSigner(key.hash, door.url);
      expect(await signer.publicKey()).toBe(key.publicKey);
      for (const [name, content] of Object.entries(EVERY_KIND)) {
        const bytes = await forge(ofAccount(content, key));
        const asked = signer.sign(bytes, Uint8Array.of(3));
        if (PERMITTED.includes(name)) {
          const { prefixSig } = await asked;
          signed.push({ publicKey: key.publicKey, signature: prefixSig, message: `03${bytes}` });
        } else {
          await expect(asked, name).rejects.toMatchObject({ name: 'OperationNotAuthorized' });
        }
      }
      expect(signed.filter(({ publicKey }) => publicKey === key.publicKey)).toHaveLength(PERMITTED.length);
    },
  );

  it('what it forges and nobody reads here is refused', async () => {
    const { hash } = keyOf('tz1');
    const signer = new RemoteSigner(hash, door.url);
    for (const content of [
      { kind: 'activate_account', pkh: OTHER, secret: '00'.repeat(20) },
      { kind: 'seed_nonce_revelation', level: 1, nonce: '00'.repeat(32) },
      {
        kind: 'attestation',
        slot: 0,
        level: 1,
        round: 0,
        block_payload_hash: 'vh228rxuvUpGXaxKGNrrDBqw5kRMLXkm4hLAJ2jt4RKx2XJTtKmn',
      },
    ]) {
      await expect(signer.sign(await forge(content), Uint8Array.of(3))).rejects.toMatchObject({
        name: 'OperationNotAuthorized',
      });
    }
    await expect(signer.sign('', Uint8Array.of(3))).rejects.toBeInstanceOf(Error);
    await expect(new RemoteSigner(OTHER, door.url).publicKey()).rejects.toMatchObject({
      name: 'PublicKeyNotFoundError',
    });
  });
});

const forger = findMadeOrSay('Signatures for Tezos were not verified by pytezos', 'tezos-forger.sh');
interface Verified {
  readonly digest: string;
  readonly isVerified: boolean | null;
}
describe.skipIf(forger === undefined)('pytezos', () => {
  it('verifies what taquito got, over the digest that it computes itself', () => {
    const script = join(import.meta.dirname, '../../../policy/transactions/tezos/python/verify.py');
    const [first, ...others] = signed;
    if (first === undefined) throw new Error('expected signatures');
    const bent = {
      ...first,
      message: `${first.message.slice(0, -1)}${first.message.endsWith('0') ? '1' : '0'}`,
    };
    const { stdout, stderr } = spawnSync(join(forger ?? '', 'bin/python'), [script], {
      input: [first, ...others, bent].map((each) => JSON.stringify(each)).join('\n'),
      encoding: 'utf8',
    });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Verified);
    expect(lines, stderr).toHaveLength(signed.length + 1);
    expect(lines.at(-1)?.isVerified).toBe(false);
    for (const [index, { publicKey, signature }] of signed.entries()) {
      const { digest = '', isVerified } = lines[index] ?? {};
      if (!publicKey.startsWith('p2pk')) expect(isVerified).toBe(true);
      const [bytes] = b58DecodeAndCheckPrefix(signature);
      const [key] = b58DecodeAndCheckPrefix(publicKey);
      const options = { prehash: false } as const;
      if (publicKey.startsWith('p2pk'))
        expect(p256.verify(bytes, Buffer.from(digest, 'hex'), key, options)).toBe(true);
    }
  });
});

/** Asks as Octez does: /authorized_keys before every signature, then the request with its authentication and version. */
async function signAsOctez(url: string, id: string, hex: string, client = CLIENTS.tz1): Promise<Response> {
  const { hash } = keyOf(id);
  const { authorized_keys: authorised } = (await (await fetch(`${url}/authorized_keys`)).json()) as {
    authorized_keys?: string[];
  };
  const query =
    authorised === undefined
      ? '?version=2'
      : `?authentication=${client.sign(authenticated(hash, hex))}&version=2`;
  return await fetch(`${url}/keys/${hash}${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(hex),
  });
}

describe('Octez signs by the door', () => {
  it('attestations of keys of every curve, and no block that the rules leave out', async () => {
    for (const id of KEYS) {
      for (const url of [door.url, guarded.url]) {
        const hex =
          id === 'tz4'
            ? `137a06a770${'2d'.repeat(32)}29004c4b4000000000${'cc'.repeat(32)}`
            : preattestation();
        const response = await signAsOctez(url, id, hex);
        expect(response.status).toBe(200);
        const { signature } = (await response.json()) as { signature: string };
        expect(verifySignature(hex, keyOf(id).publicKey, signature)).toBe(true);
        expect((await signAsOctez(url, id, header({ level: 6_000_000 }))).status).toBe(403);
      }
    }
  });

  it('nothing for a client that the door does not name, whatever its key may sign', async () => {
    const response = await signAsOctez(guarded.url, 'tz1', preattestation(), CLIENTS.tz2);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('invalid authentication signature');
  });

  it('a proof of possession that taquito verifies', async () => {
    const { hash, publicKey, key } = keyOf('tz4');
    const response = await fetch(`${door.url}/bls_prove_possession/${hash}`);
    const proof = ((await response.json()) as { bls_prove_possession: string }).bls_prove_possession;
    expect(verifySignature(key.bytes, publicKey, proof, undefined, true)).toBe(true);
  });
});

describe('a watermark in the enclave', () => {
  const level = 5_100_000;

  it('is the same behind two doors, and after each of them is another', async () => {
    expect((await signAsOctez(door.url, 'tz3', await attestation({ level }))).status).toBe(200);
    const other = await openDoorOf(place);
    expect((await signAsOctez(other.url, 'tz3', await attestation({ level, slot: 4 }))).status).toBe(409);
    expect((await signAsOctez(other.url, 'tz3', await attestation({ level, dal: 1 }))).status).toBe(409);
    expect((await signAsOctez(other.url, 'tz3', await attestation({ level }))).status).toBe(200);
    await other.close();
  });

  it('lets all of one and none of the other through, of forty requests for two attestations', async () => {
    const pair = await Promise.all([3, 4].map((slot) => attestation({ level: level + 1, slot })));
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const url = index % 4 < 2 ? door.url : guarded.url;
        return (await signAsOctez(url, 'tz2', pair[index % 2] ?? '')).status;
      }),
    );
    const of = (which: number) => statuses.filter((_, index) => index % 2 === which);
    const [winner, loser] = of(0).includes(200) ? [of(0), of(1)] : [of(1), of(0)];
    expect(winner).toEqual(Array.from({ length: 20 }, () => 200));
    expect(loser).toEqual(Array.from({ length: 20 }, () => 409));
  });

  it('outlives the node: a door goes on by itself, says of a request in between what became of it, and repeats', async () => {
    const hex = await attestation({ level: level + 2 });
    const url = new URL(place.url);
    expect((await signAsOctez(door.url, 'tz1', hex)).status).toBe(200);
    const under = Promise.all(
      Array.from({ length: 8 }, async (_, slot) => {
        const response = await signAsOctez(
          door.url,
          'tz1',
          await attestation({ level: level + 3, slot: slot & 1 }),
        );
        return { status: response.status, text: await response.text(), slot: slot & 1 };
      }),
    );
    await place.stop();
    const responses = await under;
    for (const { status, text } of responses) {
      expect([200, 409, 500]).toContain(status);
      if (status === 500) expect(text).toMatch(/nothing was signed|may have signed/);
    }
    await place.start();
    const again = new URL(place.url).port === url.port ? door : await openDoorOf(place);
    expect(
      (await signAsOctez(again.url, 'tz1', await attestation({ level: level + 2, slot: 9 }))).status,
    ).toBe(409);
    const winners = new Set(responses.flatMap(({ status, slot }) => (status === 200 ? [slot] : [])));
    expect(winners.size).toBeLessThanOrEqual(1);
    for (const slot of winners)
      expect(
        (await signAsOctez(again.url, 'tz1', await attestation({ level: level + 3, slot }))).status,
      ).toBe(200);
    const after = await Promise.all(
      [0, 1].map(
        async (slot) =>
          (await signAsOctez(again.url, 'tz1', await attestation({ level: level + 3, slot }))).status,
      ),
    );
    expect(after.filter((status) => status === 200)).toHaveLength(1);
    if (again !== door) await again.close();
  });
});
