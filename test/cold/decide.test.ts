import { createPublicKey, sign, verify } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type ColdNode, type ColdNodeOptions, decideColdRequest, openColdNode } from '../../cold/index.ts';
import { createStatement, encodeApprovalMessage, verifyReview } from '../../policy/approvals/index.ts';
import {
  ColdError,
  type ColdRequest,
  createColdRequest,
  openColdIdentity,
  openColdResponse,
} from '../../shared/cold/index.ts';
import { parseColdManifest } from '../../shared/documents/cold-manifest.ts';
import { digestManifest, parseManifest } from '../../shared/documents/manifest.ts';
import { HoldfastError } from '../../shared/errors.ts';
import { makeManifest } from '../cli/node-files.ts';
import { makeTransfer } from '../../local/testbed/ethereum-transfer.ts';
import {
  coldConfiguration,
  coldOptions,
  makePair,
  MANIFEST,
  people,
  signCold,
  STRANGER,
  SUPPLIER,
  WEI,
} from './cold-files.ts';

const DIGEST = Buffer.from(digestManifest(MANIFEST)).toString('hex');
const DAY = 86_400_000;

function ask(asked: ColdRequest['ask'], changes: Partial<ColdRequest> = {}, key = people.client.privateKey) {
  const created = Date.now();
  return createColdRequest(
    {
      manifest: DIGEST,
      client: 'treasury',
      created,
      notAfter: created + DAY,
      checkpoint: null,
      ask: asked,
      ...changes,
    },
    key,
  );
}
const message = (text: string): ColdRequest['ask'] => ({
  type: 'sign',
  request: {
    key: 'messages',
    algorithm: 'ed25519',
    payload: { kind: 'message', message: Buffer.from(text).toString('hex') },
  },
});
const pay = (to: string, wei: bigint, nonce: bigint): ColdRequest['ask'] => ({
  type: 'sign',
  request: makeTransfer('ether', to, wei, nonce).request,
});

async function withNode<T>(options: ColdNodeOptions, act: (node: ColdNode) => Promise<T>): Promise<T> {
  const node = await openColdNode(options);
  try {
    return await act(node);
  } finally {
    await node.close();
  }
}
/** Opens the node for one request, as the command does. */
const decide = (options: ColdNodeOptions, envelope: Uint8Array) =>
  withNode(options, (node) => decideColdRequest(node, envelope));

async function codeOf(act: Promise<unknown>): Promise<string> {
  const error: unknown = await act.then(
    () => 'accepted',
    (reason: unknown) => reason,
  );
  if (error instanceof HoldfastError) return error.code;
  throw new TypeError('expected a coded refusal', { cause: error });
}

async function made(changes: Partial<ColdNodeOptions> = {}) {
  const options = await coldOptions(changes);
  const identity = await withNode({ ...options, isNew: true }, (node) => Promise.resolve(node.identity()));
  return { options, identity: openColdIdentity(identity) };
}

describe('a cold node', () => {
  it('signs what its rules permit, and its response is signed by the key of its identity', async () => {
    const { options, identity } = await made();
    const { response } = await decide(options, ask(message('to be signed')));
    const opened = openColdResponse(response, identity.receiptKey);
    if (opened.outcome.state !== 'signed')
      throw new TypeError(`expected a signature, found ${opened.outcome.state}`);
    const raw = Buffer.from(identity.keys[0]?.publicKey ?? '', 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw }, format: 'jwk' });
    expect(verify(null, Buffer.from('to be signed'), key, Buffer.from(opened.outcome.signature, 'hex'))).toBe(
      true,
    );
  });

  it('keeps its keys from one start to the next', async () => {
    const { options, identity } = await made();
    const again = await withNode(options, (node) => Promise.resolve(node.identity()));
    expect(openColdIdentity(again)).toEqual(identity);
  });

  it('refuses what no rule permits, with a receipt of that', async () => {
    const { options } = await made();
    const { outcome } = await decide(options, ask(pay(STRANGER, WEI / 10n, 0n)));
    expect(outcome).toMatchObject({ state: 'refused', code: 'POLICY_DENIED' });
    expect(outcome.receipt).toBeDefined();
  });

  it('charges a limit from one start to the next', async () => {
    const { options } = await made({
      configuration: signCold(
        coldConfiguration(1, {
          rules: (coldConfiguration(1)['rules'] as { id: string }[]).map((rule) => ({
            ...rule,
            ...(rule.id === 'pay' ? { tiers: [], limits: [{ ...LIMIT, max: String(2n * WEI) }] } : {}),
          })),
        }),
      ),
    });
    const states = [];
    for (const nonce of [0n, 1n, 2n])
      states.push((await decide(options, ask(pay(SUPPLIER, WEI, nonce)))).outcome.state);
    expect(states).toEqual(['signed', 'signed', 'refused']);
  });

  it('waits for approvals, whose votes come by file, and signs once they are there', async () => {
    const { options, identity } = await made();
    const first = (await decide(options, ask(pay(SUPPLIER, 3n * WEI, 0n)))).outcome;
    if (first.state !== 'waiting') throw new TypeError(`expected to wait, found ${first.state}`);
    const { id } = first.waiting;
    const review = {
      envelope: first.review,
      document: '',
      configuration: Buffer.from(options.configuration).toString('base64'),
    };
    const vote = (approver: 'alice' | 'bob', receiptKey = identity.receiptKey) => {
      const verified = verifyReview(review, {
        manifest: MANIFEST,
        node: { receiptKey },
        id,
        now: Date.now(),
      });
      const statement = createStatement(verified, approver, 'approve');
      const { privateKey, publicKey } = people[approver];
      const signature = sign(null, encodeApprovalMessage(statement), privateKey).toString('base64');
      return {
        statement: Buffer.from(statement).toString('base64'),
        proof: { type: 'ed25519', publicKey, signature } as const,
      };
    };
    expect(() => vote('alice', people.client.publicKey)).toThrow(
      expect.objectContaining({ code: 'REVIEW_SIGNATURE_INVALID' }),
    );
    const one = (await decide(options, ask({ type: 'resume', waiting: id, votes: [vote('alice')] }))).outcome;
    expect(one.state).toBe('waiting');
    const forged = { ...vote('bob'), proof: { ...vote('bob').proof, publicKey: people.alice.publicKey } };
    const two = (await decide(options, ask({ type: 'resume', waiting: id, votes: [forged] }))).outcome;
    expect(two.state).toBe('waiting');
    const three = (await decide(options, ask({ type: 'resume', waiting: id, votes: [vote('bob')] }))).outcome;
    expect(three).toMatchObject({ state: 'signed', rule: 'pay' });
  });

  it('refuses an approver’s verification as that of an enclave', async () => {
    const { options, identity } = await made();
    const first = (await decide(options, ask(pay(SUPPLIER, 3n * WEI, 0n)))).outcome;
    if (first.state !== 'waiting') throw new TypeError(`expected to wait, found ${first.state}`);
    const review = { envelope: first.review, document: '', configuration: '' };
    const userData = Buffer.from(
      JSON.stringify({ format: 'holdfast-node/2', receiptKey: identity.receiptKey }),
    );
    const pcr16 = new Uint8Array(48);
    const node = { attested: { pcr16, userData }, expectedPcr16: pcr16 };
    expect(() => verifyReview(review, { manifest: MANIFEST, node, now: Date.now() })).toThrow(
      expect.objectContaining({ code: 'REVIEW_OTHER_NODE' }),
    );
  });

  it('has a manifest that is none of an attested node, and the other way round', () => {
    const malformed = expect.objectContaining({ code: 'MANIFEST_MALFORMED' }) as Error;
    const attested = Buffer.from(makeManifest(['5e'.repeat(32)]).text);
    expect(() => parseManifest(MANIFEST)).toThrow(malformed);
    expect(() => parseColdManifest(attested)).toThrow(malformed);
    expect(parseManifest(attested).format).toBe('holdfast-manifest/1');
    expect(parseColdManifest(MANIFEST).format).toBe('holdfast-cold-manifest/1');
  });
});

const LIMIT = { id: 'daily', asset: 'eip155:1/slip44:60', seconds: 86_400, per: 'rule', fees: false };

describe('a request to a cold node', () => {
  it('is refused a second time, whatever the first came to', async () => {
    const { options } = await made();
    for (const asked of [message('once'), pay(STRANGER, 1n, 0n)]) {
      const envelope = ask(asked);
      await decide(options, envelope);
      expect(await codeOf(decide(options, envelope))).toBe('COLD_REQUEST_REPEATED');
    }
  });

  it.each([
    [
      'another key under the client’s name',
      'COLD_REQUEST_UNSIGNED',
      () => ask(message('a'), {}, makePair().privateKey),
    ],
    [
      'a client that the configuration does not name',
      'COLD_REQUEST_UNSIGNED',
      () => ask(message('a'), { client: 'nobody' }),
    ],
    ['another manifest', 'COLD_REQUEST_OTHER_NODE', () => ask(message('a'), { manifest: '00'.repeat(48) })],
    ['an end that has passed', 'COLD_REQUEST_EXPIRED', () => ask(message('a'), { created: 1, notAfter: 2 })],
    [
      'a time that is not yet',
      'COLD_REQUEST_EARLY',
      () => ask(message('a'), { created: Date.now() + DAY, notAfter: Date.now() + 2 * DAY }),
    ],
  ])('is refused with %s', async (_, code, make) => {
    const { options } = await made();
    expect(await codeOf(decide(options, make()))).toBe(code);
  });

  it('is refused where one byte of it was changed', async () => {
    const { options } = await made();
    const text = Buffer.from(ask(message('aa'))).toString();
    const { payload, ...rest } = JSON.parse(text) as { payload: string };
    const altered = Buffer.from(Buffer.from(payload, 'base64').toString().replace('6161', '6162')).toString(
      'base64',
    );
    const envelope = Buffer.from(JSON.stringify({ payload: altered, ...rest }));
    expect(await codeOf(decide(options, envelope))).toBe('COLD_REQUEST_UNSIGNED');
  });

  it('is refused by a store that was rolled back behind the checkpoint that it knows', async () => {
    const { options } = await made();
    await cp(options.folder, `${options.folder}-old`, { recursive: true });
    const { response } = await decide(options, ask(message('a')));
    const { checkpoint } = openColdResponse(response, (await identityOf(options)).receiptKey);
    await rm(options.folder, { recursive: true });
    await cp(`${options.folder}-old`, options.folder, { recursive: true });
    expect(await codeOf(decide(options, ask(message('b'), { checkpoint })))).toBe('COLD_STORE_ROLLED_BACK');
    // Starts without a checkpoint make the log longer, and still another one.
    for (const text of ['c', 'd', 'e']) await decide(options, ask(message(text)));
    expect(await codeOf(decide(options, ask(message('f'), { checkpoint })))).toBe('COLD_STORE_ROLLED_BACK');
  });

  it('is refused a second time by a clock that was turned back a little after its end', async () => {
    const { options } = await made();
    const end = Date.now() + DAY;
    const at = (time: number) => ({ ...options, now: () => time });
    const envelope = ask(message('once'), { notAfter: end });
    await decide(at(end - 60_000), envelope);
    // Another request, after whose time the first is no longer remembered.
    await decide(at(end + 60_000), ask(message('later'), { notAfter: end + DAY }));
    expect(await codeOf(decide(at(end - 60_000), envelope))).toBe('COLD_REQUEST_EXPIRED');
  });

  it('goes on from the checkpoint of the last response', async () => {
    const { options } = await made();
    const { receiptKey } = await identityOf(options);
    let checkpoint: string | null = null;
    for (const text of ['a', 'b', 'c'])
      ({ checkpoint } = openColdResponse(
        (await decide(options, ask(message(text), { checkpoint }))).response,
        receiptKey,
      ));
    expect(checkpoint).toContain('cold-1.production.acme.holdfast.internal/log');
  });
});

const identityOf = async (options: ColdNodeOptions) =>
  openColdIdentity(await withNode(options, (node) => Promise.resolve(node.identity())));

describe('a cold node’s start', () => {
  it.each([
    ['another passphrase', 'COLD_PASSPHRASE_WRONG', { passphrase: Buffer.from('another one, long enough') }],
    ['a clock that was turned back', 'COLD_CLOCK_BEHIND', { now: () => Date.now() - DAY }],
    [
      'a configuration that nobody has signed',
      'CONFIGURATION_UNDER_SIGNED',
      {
        configuration: Buffer.from(
          Buffer.from(signCold(coldConfiguration(2)))
            .toString()
            .replace(people.authority.publicKey, people.client.publicKey),
        ),
      },
    ],
    [
      'limits by rate',
      'COLD_CONFIGURATION_UNFIT',
      { configuration: signCold(coldConfiguration(2, { rules: [withRate()] })) },
    ],
  ])('is refused with %s', async (_, code, changes: Partial<ColdNodeOptions>) => {
    const { options } = await made();
    expect(await codeOf(decide({ ...options, ...changes }, ask(message('a'))))).toBe(code);
  });

  it('is refused with an older configuration', async () => {
    const { options } = await made({ configuration: signCold(coldConfiguration(7)) });
    const older = { ...options, configuration: signCold(coldConfiguration(6)) };
    expect(await codeOf(openColdNode(older))).toBe('CONFIGURATION_ROLLED_BACK');
  });

  it('makes no second node where there is one, and opens none where there is none', async () => {
    const { options } = await made();
    expect(await codeOf(openColdNode({ ...options, isNew: true }))).toBe('COLD_NODE_EXISTS');
    expect(await codeOf(openColdNode({ ...options, folder: `${options.folder}-none` }))).toBe(
      'COLD_NODE_MISSING',
    );
  });

  it('is not made with a passphrase that is short', async () => {
    const options = await coldOptions({ passphrase: Buffer.from('short') });
    expect(await codeOf(openColdNode({ ...options, isNew: true }))).toBe('COLD_PASSPHRASE_WEAK');
    expect(ColdError.name).toBe('ColdError');
  });

  it('is one at a time', async () => {
    const { options } = await made();
    await withNode(options, async () => {
      expect(await codeOf(openColdNode(options))).toBe('STORE_BUSY');
    });
  });
});

function withRate() {
  const [rule] = coldConfiguration(1)['rules'] as object[];
  return { ...rule, rate: { count: 1, seconds: 60 } };
}
