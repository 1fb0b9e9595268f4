import {
  type Ceremony,
  generateRequestSchema,
  importKeyRequestSchema,
  refreshRequestSchema,
  repairRequestSchema,
  reshareRequestSchema,
} from '../../shared/api/quorum.ts';
import type { CeremonyOperation } from '../../shared/operations.ts';
import type { NodeBehaviour } from './fake-node.ts';

/** What a node that is no quorum says of one: ceremonies that end after a few questions. */
export interface FakeQuorum {
  readonly serve: NonNullable<NodeBehaviour['serve']>;
  /** Bodies that have begun ceremonies. */
  readonly orders: { readonly target: string; readonly body: unknown }[];
}

const BODIES = {
  generate: generateRequestSchema,
  'import-key': importKeyRequestSchema,
  refresh: refreshRequestSchema,
  reshare: reshareRequestSchema,
  repair: repairRequestSchema,
} as const;
const STEPS = ['decide', 'commit', 'deal', 'confirm', 'activate'] as const;

/** Creates the responses of a quorum of three; `fails` ends every ceremony with that code, `endless` ends none. */
export function createFakeQuorum({
  fails,
  endless = false,
}: { readonly fails?: string; readonly endless?: boolean } = {}): FakeQuorum {
  const orders: FakeQuorum['orders'] = [];
  const ceremonies = new Map<string, { ceremony: Ceremony; asked: number }>();
  const begin = (kind: CeremonyOperation, key: string) => {
    const id = (ceremonies.size + 1).toString(16).padStart(32, '0');
    const epoch = kind === 'generate' || kind === 'import-key' ? 1 : 2;
    const ceremony: Ceremony = {
      id,
      plan: id,
      kind,
      key,
      epoch,
      coordinator: 1,
      participants: [1, 2, 3],
      threshold: 2,
      state: 'running',
      step: 'decide',
      answered: [1],
      waitingFor: [2, 3],
      started: 1_000,
      ends: 61_000,
      failure: null,
      uninformed: [],
      publicKey: null,
      transcript: null,
    };
    ceremonies.set(id, { ceremony, asked: 0 });
    return { ceremony, rule: 'ceremonies', configuration: 1 };
  };
  const progress = (id: string): Ceremony => {
    const found = ceremonies.get(id);
    if (found === undefined) throw new Error(`no ceremony ${id}`);
    found.asked += 1;
    const step = STEPS[endless ? 1 : found.asked];
    if (step !== undefined) return { ...found.ceremony, step, answered: [1, 2], waitingFor: [3] };
    if (fails !== undefined)
      return { ...found.ceremony, state: 'failed', step: 'deal', failure: { code: fails, nodes: [3] } };
    return {
      ...found.ceremony,
      step: 'activate',
      answered: [1, 2, 3],
      waitingFor: [],
      state: 'done',
      publicKey: 'ab'.repeat(32),
      transcript: 'cd'.repeat(32),
    };
  };
  const serve: FakeQuorum['serve'] = (target, body) => {
    const [, ceremony] = /^\/v1\/quorum\/ceremonies\/([0-9a-f]{32})$/.exec(target) ?? [];
    if (ceremony !== undefined) return progress(ceremony);
    if (target === '/v1/quorum/ceremonies')
      return { ceremonies: [...ceremonies.values()].map((each) => each.ceremony) };
    if (target === '/v1/quorum') return STATUS;
    const [, verb] = /^\/v1\/quorum\/keys(?:\/treasury\/([a-z]+))?(?:\/1)?$/.exec(target) ?? [];
    if (verb === 'transcripts') return { transcript: Buffer.from('transcript').toString('base64') };
    const kind = verb === undefined ? 'generate' : verb === 'import' ? 'import-key' : verb;
    if (!Object.hasOwn(BODIES, kind)) throw new Error(`no such target: ${target}`);
    const parsed: unknown = BODIES[kind as CeremonyOperation].parse(JSON.parse(body.toString()));
    orders.push({ target, body: parsed });
    return begin(kind as CeremonyOperation, 'treasury');
  };
  return { serve, orders };
}

const STATUS = {
  node: 1,
  size: 3,
  threshold: 2,
  configuration: { version: 1, digest: 'dd'.repeat(48) },
  peers: [
    {
      node: 2,
      state: 'connected',
      code: null,
      theirCode: null,
      since: 1_000,
      lastSeen: 2_000,
      session: '02'.repeat(16),
      configuration: { version: 1, digest: 'dd'.repeat(48) },
    },
    {
      node: 3,
      state: 'refused',
      code: 'PEER_IMAGE_REFUSED',
      theirCode: null,
      since: 1_000,
      lastSeen: null,
      session: null,
      configuration: null,
    },
  ],
  keys: [
    {
      id: 'treasury',
      type: 'frost-ed25519',
      publicKey: 'ab'.repeat(32),
      share: { epoch: 1, participants: [1, 2, 3], threshold: 2 },
      superseded: null,
      pending: null,
      nextRefresh: null,
      nonces: [{ node: 2, count: 64 }],
    },
  ],
};
