import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto';
import type {
  CreatePoolKeyRequest,
  PoolKey,
  PoolKeyChange,
  PoolList,
} from '../../../../shared/api/pool-keys.ts';
import type { SignRequest } from '../../../../shared/api/bodies.ts';
import { FakeFailure, type FakeNode, type NodeBehaviour, startFakeNode } from '../../fake-node.ts';

const DECIDED = { rule: 'any', configuration: 1 };
const GRANTS: PoolList['keys'][number]['grants'] = {
  operations: ['sign', 'create-key', 'encrypt', 'decrypt', 'mac', 'administer-key'],
  algorithms: ['ecdsa-p256-sha256'],
  payloads: ['message', 'digest'],
};
const HOUR_MS = 3_600_000;

export const MANIFEST = Buffer.from(
  JSON.stringify({
    format: 'holdfast-manifest/1',
    namespace: 'doors',
    environment: 'test',
    node: 1,
    quorum: { size: 1, threshold: 1 },
    kms: {
      keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1b2c3d4e-0000-4000-8000-000000000000',
      region: 'eu-central-1',
    },
    configurationAuthority: { threshold: 1, keys: ['ab'.repeat(32)] },
    emergencyRecovery: { publicKey: 'cd'.repeat(32) },
  }),
);

interface Held {
  key: PoolKey;
  token: string;
  readonly privateKey: KeyObject | undefined;
  readonly secret: Buffer;
}

/** What happens to the next request for a target: it is refused, lost before it is carried out, or after. */
export interface Fault {
  readonly target: RegExp;
  readonly at: 'refused' | 'before' | 'after';
  readonly status?: number;
  readonly code?: string;
  times: number;
}

/** A node with one pool, `canton`, in memory: as far as a door sees one, and without its rules. */
export class FakePoolNode {
  readonly held = new Map<string, Held>();
  readonly faults: Fault[] = [];
  /** Targets of requests that were carried out. */
  readonly done: string[] = [];
  /** Keys of the configuration. */
  configured: PoolList['keys'] = [];
  /** Milliseconds that each request takes. */
  delayMs = 0;
  /** Targets of requests that have come, carried out or not. */
  readonly asked: string[] = [];
  /** Target whose requests wait once they have come, and what they wait for before they are carried out. */
  gate: { readonly target: string; readonly open: Promise<unknown> } | undefined;
  node!: FakeNode;

  static async start(behaviour: NodeBehaviour = {}): Promise<FakePoolNode> {
    const fake = new FakePoolNode();
    await fake.restart(behaviour);
    return fake;
  }

  /** Starts the interface, anew with a port where one is given: another boot with the same keys. */
  async restart(behaviour: NodeBehaviour = {}): Promise<void> {
    this.node = await startFakeNode({
      manifest: MANIFEST,
      ...behaviour,
      serve: async (target, body) => await this.#serve(target, body),
    });
  }

  count(target: RegExp): number {
    return this.done.filter((each) => target.test(each)).length;
  }

  async #serve(target: string, body: Buffer): Promise<object> {
    if (target === '/v1/health') return { status: 'serving' };
    this.asked.push(target);
    const fault = this.faults.find((each) => each.times > 0 && each.target.test(target));
    if (fault !== undefined) fault.times -= 1;
    if (fault?.at === 'refused') throw new FakeFailure(fault.status ?? 403, fault.code);
    if (fault?.at === 'before') throw new FakeFailure(undefined);
    if (target === this.gate?.target) await this.gate.open;
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    const result = this.#act(target, body.length === 0 ? {} : (JSON.parse(body.toString()) as object));
    this.done.push(target);
    if (fault?.at === 'after') throw new FakeFailure(undefined);
    return result;
  }

  #act(target: string, body: object): object {
    if (target === '/v1/keys') return { keys: [] };
    if (target === '/v1/pools') return this.#list();
    if (target === '/v1/pools/canton/keys') return this.#create(body as CreatePoolKeyRequest);
    if (target === '/v1/sign') return this.#sign(body as SignRequest);
    if (target === '/v1/explain')
      return {
        outcome: 'permitted',
        rule: 'any',
        code: null,
        needs: {},
        reasons: [],
        rules: [],
        transaction: null,
        configuration: 1,
      };
    if (target === '/v1/random')
      return { bytes: randomBytes((body as { bytes: number }).bytes).toString('hex') };
    const [, id = '', , action] = /^\/v1\/pool-keys\/([0-9a-f-]{36})(\/([a-z-]+))?$/.exec(target) ?? [];
    const held = this.held.get(id);
    if (held === undefined) throw new FakeFailure(404, 'POOL_KEY_UNKNOWN');
    held.key = { ...held.key, named: true };
    if (action === undefined) return held.key;
    if (action === 'changes') return this.#change(held, body as PoolKeyChange);
    this.#assertUsable(held);
    return use(held, action, body as Record<string, never>);
  }

  #list(): PoolList {
    const keys = [...this.held.values()].map(({ key, token }) => ({ ...key, token }));
    const pool = { id: 'canton', types: [], maximum: 100, deletionDays: 7, grants: GRANTS, keys };
    return { pools: [pool], keys: this.configured };
  }

  #create({ type, usage, description, tags, token }: CreatePoolKeyRequest): object {
    const before = [...this.held.values()].find((each) => each.token === token);
    if (before !== undefined) return { key: before.key, ...DECIDED };
    const pair = makePair(type);
    const key: PoolKey = {
      id: randomUUID(),
      pool: 'canton',
      type,
      usage,
      state: 'enabled',
      description,
      aliases: [],
      tags,
      publicKey: pair?.publicKey.export({ type: 'spki', format: 'der' }).toString('hex') ?? null,
      created: Date.now(),
      deletionTime: null,
      named: false,
    };
    this.held.set(key.id, { key, token, privateKey: pair?.privateKey, secret: randomBytes(32) });
    return { key, ...DECIDED };
  }

  #change(held: Held, change: PoolKeyChange): object {
    const { key } = held;
    switch (change.change) {
      case 'describe':
        held.key = { ...key, description: change.description };
        break;
      case 'tag':
        held.key = { ...key, tags: [...key.tags, ...change.tags] };
        break;
      case 'untag':
        held.key = { ...key, tags: key.tags.filter((tag) => !change.keys.includes(tag.key)) };
        break;
      case 'add-alias':
      case 'move-alias': {
        const owner = [...this.held.values()].find((each) => each.key.aliases.includes(change.alias));
        if (change.change === 'add-alias' && owner !== undefined) throw new FakeFailure(409, 'ALIAS_EXISTS');
        if (change.change === 'move-alias' && owner === undefined)
          throw new FakeFailure(404, 'ALIAS_UNKNOWN');
        if (owner !== undefined)
          owner.key = { ...owner.key, aliases: owner.key.aliases.filter((alias) => alias !== change.alias) };
        held.key = { ...held.key, aliases: [...held.key.aliases, change.alias] };
        break;
      }
      case 'remove-alias':
        held.key = { ...key, aliases: key.aliases.filter((alias) => alias !== change.alias) };
        break;
      case 'enable':
        held.key = { ...key, state: 'enabled' };
        break;
      case 'disable':
        held.key = { ...key, state: 'disabled' };
        break;
      case 'schedule-deletion':
        held.key = {
          ...key,
          state: 'pending-deletion',
          deletionTime: Date.now() + change.days * 24 * HOUR_MS,
        };
        break;
      case 'cancel-deletion':
        held.key = { ...key, state: 'disabled', deletionTime: null };
        break;
    }
    return { key: held.key, ...DECIDED };
  }

  #sign({ key, payload }: SignRequest): object {
    const held = this.held.get(key);
    if (held?.privateKey === undefined) throw new FakeFailure(403, 'UNKNOWN_KEY');
    held.key = { ...held.key, named: true };
    this.#assertUsable(held);
    if (payload.kind !== 'message') throw new FakeFailure(403, 'POLICY_DENIED');
    const message = Buffer.from(payload.message, 'hex');
    const isEdwards = held.key.type === 'ed25519';
    const signature = sign(isEdwards ? null : 'sha256', message, {
      key: held.privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return { signature: signature.toString('hex'), publicKey: '00'.repeat(33), ...DECIDED };
  }

  #assertUsable({ key }: Held): void {
    if (key.state === 'disabled') throw new FakeFailure(409, 'KEY_DISABLED');
    if (key.state === 'pending-deletion') throw new FakeFailure(409, 'KEY_PENDING_DELETION');
  }
}

function makePair(type: string): { publicKey: KeyObject; privateKey: KeyObject } | undefined {
  if (type === 'p256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (type === 'secp256k1') return generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  if (type === 'ed25519') return generateKeyPairSync('ed25519');
  if (type === 'rsa-2048') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return undefined;
}

/** No cryptography: a ciphertext names its key and context, and has its plaintext. */
function use({ key, secret }: Held, action: string, body: Readonly<Record<string, string>>): object {
  const head = Buffer.concat([Buffer.of(1), Buffer.from(key.id.replaceAll('-', ''), 'hex')]).toString('hex');
  const context = Buffer.from(JSON.stringify(body['context'] ?? null)).toString('hex');
  const seal = (plaintext: string) => `${head}${plaintext}00${context}`;
  if (action === 'encrypt') return { ciphertext: seal(body['plaintext'] ?? ''), ...DECIDED };
  if (action === 'data-key') {
    const { bytes, plaintext: isShown } = body as unknown as { bytes: number; plaintext: boolean };
    const plaintext = randomBytes(bytes).toString('hex');
    return { ciphertext: seal(plaintext), ...(isShown ? { plaintext } : {}), ...DECIDED };
  }
  if (action === 'decrypt') {
    const ciphertext = body['ciphertext'] ?? '';
    if (!ciphertext.startsWith(head)) throw new FakeFailure(403, 'CIPHERTEXT_OTHER_KEY');
    if (!ciphertext.endsWith(`00${context}`)) throw new FakeFailure(403, 'DECRYPTION_FAILED');
    return { plaintext: ciphertext.slice(head.length, -context.length - 2), ...DECIDED };
  }
  const mac = createHmac('sha256', secret)
    .update(Buffer.from(body['message'] ?? '', 'hex'))
    .digest('hex');
  if (action === 'mac') return { mac, ...DECIDED };
  if (action === 'verify-mac') return { valid: mac === body['mac'], ...DECIDED };
  throw new FakeFailure(404, 'NOT_FOUND');
}
