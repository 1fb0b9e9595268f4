import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { runtimeIdentitySchema } from '../identity/identity.ts';
import { DeployError } from './errors.ts';
import type { ServiceManager } from './service-manager.ts';

const REQUEST_MS = 5_000;
const POLL_MS = 500;
const MAX_STATUS_BYTES = 1024 * 1024;
/** Looks in a row at which the unit is not up, after which the parent counts as failed. */
const MAX_LOOKS_DOWN = 20;

const statusSchema = z.object({
  node: z.object({ phase: z.string(), code: z.string().nullable() }).nullable(),
  enclave: z.object({ state: z.string().optional(), code: z.string().optional() }),
  ingress: z.object({ host: z.string(), port: z.number() }).optional(),
  identity: z
    .object({ current: runtimeIdentitySchema.nullable(), refusal: z.string().nullable() })
    .optional(),
});
/** Status page of a parent, as far as a deployment reads it. */
export type ParentState = z.infer<typeof statusSchema>;

/** Reads the status page of the parent on this host; undefined where there is none, or it is of another kind. */
export async function readParentState(url: string): Promise<ParentState | undefined> {
  try {
    const response = await fetch(`${url}/status`, { signal: AbortSignal.timeout(REQUEST_MS) });
    const text = await response.text();
    if (!response.ok || text.length > MAX_STATUS_BYTES) return undefined;
    return statusSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Where a node has come to rest. */
export interface SettledNode {
  readonly phase: 'serving' | 'halted';
  /** Why it halted; null where it serves. */
  readonly code: string | null;
  readonly state: ParentState;
}

export interface AwaitOptions {
  readonly url: string;
  readonly manager: Pick<ServiceManager, 'state'>;
  readonly timeoutMs: number;
  /** Called with each phase that is new. */
  readonly onPhase: (phase: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Waits until the node serves, or the parent has given it up.
 * @throws DeployError DEPLOYMENT_NOT_SETTLED with the phase and code that were seen last, DEPLOYMENT_PARENT_FAILED,
 * SYSTEMCTL_…
 */
export async function awaitNode(options: AwaitOptions): Promise<SettledNode> {
  const { url, manager, timeoutMs, onPhase, signal } = options;
  const deadline = performance.now() + timeoutMs;
  let shown = '';
  let down = 0;
  let last: ParentState | undefined;
  while (performance.now() < deadline) {
    const state = await readParentState(url);
    const settled = state === undefined ? undefined : readSettled(state);
    if (settled !== undefined) return settled;
    last = state ?? last;
    const phase = describePhase(state);
    if (phase !== shown) onPhase(phase);
    shown = phase;
    down = state === undefined && !(await isUp(manager)) ? down + 1 : 0;
    if (down >= MAX_LOOKS_DOWN) {
      throw new DeployError('DEPLOYMENT_PARENT_FAILED', 'the parent does not stay up', { url });
    }
    await sleep(POLL_MS, undefined, { signal });
  }
  throw new DeployError('DEPLOYMENT_NOT_SETTLED', 'the node neither serves nor has halted', {
    seconds: Math.round(timeoutMs / 1_000),
    phase: last?.node?.phase ?? null,
    code: last?.node?.code ?? last?.enclave.code ?? null,
  });
}

/** Reads where a node rests; undefined while it is on its way. */
function readSettled(state: ParentState): SettledNode | undefined {
  if (state.enclave.state === 'halted') {
    return { phase: 'halted', code: state.enclave.code ?? state.node?.code ?? 'UNKNOWN', state };
  }
  return state.node?.phase === 'serving' ? { phase: 'serving', code: null, state } : undefined;
}

function describePhase(state: ParentState | undefined): string {
  if (state === undefined) return 'waiting for the parent';
  const { node, enclave } = state;
  if (enclave.state === 'waiting') return `ended with ${enclave.code ?? 'no code'}, starts again`;
  return node?.phase ?? 'starting';
}

async function isUp(manager: Pick<ServiceManager, 'state'>): Promise<boolean> {
  const { active } = await manager.state();
  return active === 'active';
}
