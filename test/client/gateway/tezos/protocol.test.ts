import { b58DecodePublicKeyHash, getPkhfromPk, verifySignature } from '@taquito/utils';
import { beforeAll, describe, expect, it } from 'vitest';
import { listServedKeys } from '../../../../client/gateway/tezos/index.ts';
import { header, preattestation } from '../../../policy/transactions/tezos/consensus-samples.ts';
import { forge, manager, OTHER } from '../../../policy/transactions/tezos/samples.ts';
import { condition } from '../../../shared/documents/sample-rules.ts';
import { authenticated, CLIENTS, type TestClient } from './clients.ts';
import {
  BAKING,
  type Door,
  type DoorResponse,
  NodeInProcess,
  openDoor,
  permitTezos,
  TRANSFERS,
} from './node-in-process.ts';

const UNKNOWN = OTHER;
const JSON_TYPE = 'application/json; charset=utf-8';
const refused = (status: number, message: string) => ({
  status,
  type: JSON_TYPE,
  body: `[{"id":"failure","kind":"temporary","msg":${JSON.stringify(message)}}]`,
});

let node: NodeInProcess;
let door: Door;
const hashes: Record<string, string> = {};
const publicKeys: Record<string, string> = {};
const PROOFS = permitTezos({
  id: 'proofs',
  keys: ['tz4'],
  algorithms: ['bls12-381-pop'],
  payloads: ['tezos-proof-of-possession'],
  effects: [condition({ type: 'message' })],
});

beforeAll(async () => {
  node = await new NodeInProcess([BAKING, TRANSFERS, PROOFS]).boot();
  door = openDoor(node, { proofOfPossession: true });
  const keys = listServedKeys(await node.keys(), undefined);
  for (const { id, hash, publicKey } of keys) {
    hashes[id] = hash;
    publicKeys[id] = publicKey;
  }
});

const transfer = async (source: string, amount = '1') =>
  `03${await forge({ kind: 'transaction', ...manager(), source, amount, destination: OTHER })}`;
const signatureOf = ({ body }: DoorResponse) => (JSON.parse(body) as { signature: string }).signature;

describe('keys', () => {
  it.each(['tz1', 'tz2', 'tz3', 'tz4'])('of %s are found by the hash that taquito computes', async (id) => {
    const response = await door.get(`/keys/${hashes[id]}`);
    expect(response).toEqual({
      status: 200,
      type: JSON_TYPE,
      body: `{"public_key":"${publicKeys[id]}"}`,
      code: 'OK',
    });
    expect(getPkhfromPk(publicKeys[id] ?? '')).toBe(hashes[id]);
    expect(hashes[id]?.slice(0, 3)).toBe(id);
  });

  it('that the nodes do not have are 404, and 403 where a signature is asked for', async () => {
    expect(await door.get(`/keys/${UNKNOWN}`)).toMatchObject(refused(404, 'this key not found in any vault'));
    expect(await door.post(UNKNOWN, await transfer(UNKNOWN))).toMatchObject(
      refused(403, `${UNKNOWN} is not listed in config`),
    );
  });

  it('that the door leaves out are not there', async () => {
    const narrow = openDoor(node, { keys: [{ id: 'tz1' }] });
    expect((await narrow.get(`/keys/${hashes['tz1']}`)).status).toBe(200);
    expect((await narrow.get(`/keys/${hashes['tz3']}`)).status).toBe(404);
    expect((await narrow.post(hashes['tz3'] ?? '', header())).status).toBe(403);
  });

  it('have the nodes asked at most every five seconds for those that nobody has', async () => {
    let asked = 0;
    const counted = openDoor({
      keys: () => {
        asked += 1;
        return node.keys();
      },
      sign: (request) => node.sign(request),
      resume: () => node.resume(),
    });
    await Promise.all(Array.from({ length: 50 }, () => counted.get(`/keys/${UNKNOWN}`)));
    await counted.get(`/keys/${UNKNOWN}`);
    expect(asked).toBe(1);
  });
});

describe('signatures', () => {
  it.each(['tz1', 'tz2', 'tz3', 'tz4'])(
    'by %s have its own prefix, and taquito verifies them',
    async (id) => {
      const hash = hashes[id] ?? '';
      const hex = await transfer(hash);
      for (const query of ['', '?version=2', '?version=9']) {
        const response = await door.post(hash, hex, query);
        expect(response.status).toBe(200);
        const signature = signatureOf(response);
        expect(signature).toMatch(/^(edsig|spsig1|p2sig|BLsig)/);
        expect(verifySignature(hex, publicKeys[id] ?? '', signature)).toBe(true);
      }
      expect((await door.post(hash, hex.toUpperCase())).status).toBe(200);
    },
  );

  it('of a block are those of taquito, and the same again', async () => {
    for (const id of ['tz1', 'tz2', 'tz3', 'tz4']) {
      const hash = hashes[id] ?? '';
      const first = await door.post(hash, header());
      const again = await door.post(hash, header());
      expect(verifySignature(header(), publicKeys[id] ?? '', signatureOf(first))).toBe(true);
      expect(again.status).toBe(200);
      expect(verifySignature(header(), publicKeys[id] ?? '', signatureOf(again))).toBe(true);
    }
  });

  it('of a tz4 key in older versions are refused; other keys sign alike in all of them', async () => {
    const hex = header({ level: 6_000_000 });
    expect((await door.post(hashes['tz4'] ?? '', hex, '?version=0')).status).toBe(500);
    expect((await door.post(hashes['tz4'] ?? '', hex, '?version=1')).status).toBe(500);
    expect((await door.post(hashes['tz1'] ?? '', hex, '?version=0')).status).toBe(200);
    expect((await door.post(hashes['tz1'] ?? '', hex, '?version=1')).status).toBe(200);
  });
});

describe('proof of possession', () => {
  const prove = (id: string, query = '') => door.get(`/bls_prove_possession/${hashes[id]}${query}`);

  it('is what taquito verifies', async () => {
    const { status, body } = await prove('tz4');
    expect(status).toBe(200);
    const proof = (JSON.parse(body) as { bls_prove_possession: string }).bls_prove_possession;
    const publicKey = publicKeys['tz4'] ?? '';
    const bytes = Buffer.from((await node.keys()).find(({ id }) => id === 'tz4')?.publicKey ?? '', 'hex');
    expect(verifySignature(bytes, publicKey, proof, undefined, true)).toBe(true);
    expect((await prove('tz4', `?bls_pk=${publicKey}`)).status).toBe(200);
  });

  it('is none of another key, of a key of another curve, or where the door does not allow it', async () => {
    for (const name of ['bls_pk', 'override_pk'])
      expect((await prove('tz4', `?${name}=${CLIENTS.tz4.publicKey}`)).status).toBe(400);
    expect((await prove('tz1')).status).toBe(400);
    const closed = openDoor(node);
    expect((await closed.get(`/bls_prove_possession/${hashes['tz4']}`)).status).toBe(400);
    const asked = node.asked.length;
    const other = await new NodeInProcess([BAKING]).boot();
    const without = openDoor(other, { proofOfPossession: true });
    const own = listServedKeys(await other.keys(), new Set(['tz4']))[0]?.hash ?? '';
    expect((await without.get(`/bls_prove_possession/${own}`)).status).toBe(403);
    expect(node.asked).toHaveLength(asked);
  });
});

describe('requests that are refused in words that clients know', () => {
  const tz1 = () => hashes['tz1'] ?? '';

  it.each([
    ['', 'unexpected end of JSON input'],
    ['"03', 'unexpected end of JSON input'],
    ['3', 'json: cannot unmarshal number into Go value of type string'],
    ['{"a":1}', 'json: cannot unmarshal object into Go value of type string'],
    ['["03"]', 'json: cannot unmarshal array into Go value of type string'],
    ['true', 'json: cannot unmarshal bool into Go value of type string'],
    ['"0"', 'encoding/hex: odd length hex string'],
    ['"0g"', "encoding/hex: invalid byte: U+0067 'g'"],
    ['"04"', 'gotez: unknown tag 4'],
    ['"ff"', 'gotez: unknown tag 255'],
  ])('a body of %j', async (body, message) => {
    expect(await door.ask('POST', `/keys/${tz1()}`, body)).toMatchObject(refused(400, message));
  });

  it.each(['null', '""', '"03" "03"', 'nonsense', '"\\ud800"', '["'])(
    'a body of %j, as 400',
    async (body) => {
      expect((await door.ask('POST', `/keys/${tz1()}`, body)).status).toBe(400);
    },
  );

  it('a hash with a wrong checksum, or none at all', async () => {
    const wrong = `${tz1().slice(0, -1)}${tz1().endsWith('1') ? '2' : '1'}`;
    for (const hash of [
      wrong,
      'tz9',
      'KT1Cj3SpMHh7NeNrD37zZHDxFAgaXwi3yx7P',
      'z'.repeat(300),
      '%20',
      `${tz1()}1`,
    ]) {
      const expected = refused(400, 'gotez: base58Check decoding error: invalid checksum');
      expect(await door.get(`/keys/${hash}`)).toMatchObject(expected);
      expect(await door.post(hash, '03')).toMatchObject(expected);
    }
  });

  it('an unknown path as text, and a wrong method', async () => {
    for (const target of [
      '/',
      '/keys',
      '/keys/',
      `/keys/${tz1()}/more`,
      '/known_keys',
      '/version',
      'keys',
      `/keys/${tz1()}?a?b`,
    ]) {
      expect(await door.get(target)).toMatchObject({
        status: 404,
        type: 'text/plain; charset=utf-8',
        body: '404 page not found\n',
      });
    }
    for (const [method, target] of [
      ['PUT', `/keys/${tz1()}`],
      ['HEAD', `/keys/${tz1()}`],
      ['POST', '/authorized_keys'],
      ['POST', `/bls_prove_possession/${tz1()}`],
    ] as const) {
      expect((await door.ask(method, target)).status).toBe(405);
    }
  });

  it('another chain, a kind that no rule permits, a watermark', async () => {
    expect(await door.post(tz1(), header({}, 'af1864d9'))).toMatchObject(
      refused(403, "chain `NetXnHfVqm9iesp' is not allowed"),
    );
    const other = await new NodeInProcess([TRANSFERS]).boot();
    const transfers = openDoor(other);
    const own = listServedKeys(await other.keys(), new Set(['tz1']))[0]?.hash ?? '';
    expect(await transfers.post(own, header())).toMatchObject(
      refused(403, "request kind `block' is not allowed"),
    );
    expect(await transfers.post(own, preattestation())).toMatchObject(
      refused(403, "request kind `preattestation' is not allowed"),
    );
    const level = 7_000_000;
    expect((await door.post(tz1(), header({ level }))).status).toBe(200);
    expect(await door.post(tz1(), header({ level, timestamp: 1 }))).toMatchObject({
      ...refused(409, 'watermark validation failed'),
      code: 'WATERMARK_CONFLICT',
    });
    expect(await door.post(tz1(), header({ level: level - 1 }))).toMatchObject({
      ...refused(409, 'watermark validation failed'),
      code: 'WATERMARK_TOO_LOW',
    });
  });

  it('an operation that no rule permits or nobody reads, with the code and the reason', async () => {
    const source = tz1();
    const delegation = `03${await forge({ kind: 'delegation', ...manager(), source, delegate: OTHER })}`;
    const denied = await door.post(source, delegation);
    expect(denied).toMatchObject({ status: 403, code: 'POLICY_DENIED' });
    expect(denied.body).toContain('POLICY_DENIED: ');
    const activation = `03${await forge({ kind: 'activate_account', pkh: OTHER, secret: '00'.repeat(20) })}`;
    expect(await door.post(source, activation)).toMatchObject({
      status: 403,
      code: 'TRANSACTION_UNSUPPORTED',
    });
    const hex = await transfer(source);
    for (const [bad, code] of [
      [hex.slice(0, -2), 'TRANSACTION_MALFORMED'],
      [`${hex}00`, 'TRANSACTION_UNSUPPORTED'],
      [hex.slice(0, 66), 'TRANSACTION_UNSAFE'],
      ['13', 'TRANSACTION_MALFORMED'],
    ] as const) {
      expect(await door.post(source, bad)).toMatchObject({ code });
    }
    expect(await door.post(source, await transfer(OTHER))).toMatchObject({
      status: 403,
      code: 'TRANSACTION_KEY_MISMATCH',
    });
  });
});

describe('clients', () => {
  const all = Object.values(CLIENTS);
  const guarded = (changes: object = {}) =>
    openDoor(node, {
      authorizedKeys: all.map(({ publicKey }) => publicKey),
      proofOfPossession: true,
      ...changes,
    });

  it('are listed by their hashes, or not at all', async () => {
    expect((await guarded().get('/authorized_keys')).body).toBe(
      JSON.stringify({ authorized_keys: all.map(({ hash }) => hash) }),
    );
    expect((await door.get('/authorized_keys')).body).toBe('{}');
    expect(guarded().protocol.isAuthenticated).toBe(true);
    expect(door.protocol.isAuthenticated).toBe(false);
  });

  it.each(Object.entries(CLIENTS))('with a key of %s authenticate each request', async (curve, client) => {
    const hash = hashes['tz2'] ?? '';
    const hex = await transfer(hash);
    const message = authenticated(hash, hex);
    for (const isGeneric of curve === 'tz4' ? [false] : [false, true]) {
      const query = `?authentication=${client.sign(message, isGeneric)}&version=2`;
      expect((await guarded().post(hash, hex, query)).status).toBe(200);
    }
    expect(
      (await guarded().post(hash, hex.toUpperCase(), `?authentication=${client.sign(message)}`)).status,
    ).toBe(200);
  });

  it('that are none, or have signed something else, are told so', async () => {
    const hash = hashes['tz1'] ?? '';
    const hex = await transfer(hash);
    const closed = guarded();
    const asked = node.asked.length;
    expect(await closed.post(hash, hex)).toMatchObject(
      refused(401, 'missing authentication signature field'),
    );
    expect(await closed.post(hash, hex, '?authentication=')).toMatchObject({ status: 401 });
    expect(await closed.post(hash, hex, '?authentication=edsigbad')).toMatchObject(
      refused(400, 'gotez: base58Check decoding error: invalid checksum'),
    );
    const others = [
      authenticated(hash, `${hex}00`),
      authenticated(hashes['tz2'] ?? '', hex),
      // Without the tag of the curve, and with another first byte.
      Buffer.from(`0401${b58DecodePublicKeyHash(hash).slice(2)}${hex}`, 'hex'),
      Buffer.from(`0404${b58DecodePublicKeyHash(hash)}${hex}`, 'hex'),
    ];
    for (const client of all) {
      for (const message of others) {
        expect(await closed.post(hash, hex, `?authentication=${client.sign(message)}`)).toMatchObject(
          refused(403, 'invalid authentication signature'),
        );
      }
    }
    const twice = CLIENTS.tz1.sign(authenticated(hash, hex));
    expect(await closed.post(hash, hex, `?authentication=${twice}&authentication=${twice}`)).toMatchObject({
      status: 400,
    });
    expect(await closed.get(`/bls_prove_possession/${hashes['tz4']}`)).toMatchObject({ status: 401 });
    expect(node.asked).toHaveLength(asked);
  });

  it('that may not ask for a key are told so', async () => {
    const narrow = guarded({ keys: [{ id: 'tz1', authorizedKeys: [CLIENTS.tz3.publicKey] }, { id: 'tz2' }] });
    const ask = async (id: string, client: TestClient) => {
      const hash = hashes[id] ?? '';
      const hex = await transfer(hash);
      return await narrow.post(hash, hex, `?authentication=${client.sign(authenticated(hash, hex))}`);
    };
    expect((await ask('tz1', CLIENTS.tz3)).status).toBe(200);
    expect((await ask('tz2', CLIENTS.tz1)).status).toBe(200);
    expect(await ask('tz1', CLIENTS.tz1)).toMatchObject(
      refused(403, `client \`${CLIENTS.tz1.hash}' is not allowed`),
    );
  });

  it('prove who they are before a proof of possession, over the hash alone', async () => {
    const hash = hashes['tz4'] ?? '';
    const signature = CLIENTS.tz1.sign(authenticated(hash, ''));
    expect((await guarded().get(`/bls_prove_possession/${hash}?authentication=${signature}`)).status).toBe(
      200,
    );
  });
});
