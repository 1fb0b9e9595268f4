import { HoldfastError } from '../../../shared/errors.ts';
import type { Exchange } from '../exchange/index.ts';
import type { Role, VaultDocument } from '../index.ts';
import { firstCeremony } from './ceremony.ts';
import type { Awaited, Ceremony, Step } from './step.ts';

/** State of a step as the exchanged statements show it, to whoever has them. */
export interface StepStatus {
  readonly step: string;
  readonly role: Role;
  readonly stage: 1 | 2;
  readonly summary: string;
  readonly state: 'done' | 'ready' | 'waiting' | 'refused';
  /** RFC 3339: when its role said that it is done. */
  readonly time: string | null;
  readonly sequence: number | null;
  /** Steps that have to be done before. */
  readonly waitsFor: readonly string[];
  /** Code, where a statement is there that nobody may believe. */
  readonly code: string | null;
}

/** Who has to do what now, and for whom the others wait. */
export interface RoleStatus {
  readonly role: Role;
  readonly done: number;
  readonly of: number;
  /** Steps that the role can do now. */
  readonly next: readonly string[];
  /** Steps of other roles for which it waits, where it can do nothing itself. */
  readonly waitsFor: readonly Awaited[];
}

export interface VaultStatus {
  readonly steps: readonly StepStatus[];
  readonly roles: readonly RoleStatus[];
  readonly isComplete: boolean;
}

/** Finds how far the ceremony is, by the statements alone: no credentials are needed, and no key. */
export async function describeStatus(
  vault: VaultDocument,
  exchange: Exchange,
  ceremony: Ceremony = firstCeremony(vault),
): Promise<VaultStatus> {
  const { steps: all, counts } = ceremony;
  const found = new Map<string, Pick<StepStatus, 'time' | 'sequence' | 'code'>>();
  for (const step of all) found.set(step.id, await readStep(step, exchange, counts));
  const isDone = (id: string) => found.get(id)?.time !== null && found.get(id)?.code === null;
  const steps = all.map((step): StepStatus => {
    const { time, sequence, code } = found.get(step.id) ?? { time: null, sequence: null, code: null };
    const waitsFor = [...step.needs.filter((id) => !isDone(id)), ...findTooFew(step, isDone)];
    const state =
      code !== null ? 'refused' : time !== null ? 'done' : waitsFor.length === 0 ? 'ready' : 'waiting';
    const { id, role, stage, summary } = step;
    return { step: id, role, stage, summary, state, time, sequence, waitsFor, code };
  });
  const roles = [...Map.groupBy(steps, ({ role }) => role)].map(([role, own]) =>
    describeRoleOf(role, own, steps),
  );
  return { steps, roles, isComplete: steps.every(({ state }) => state === 'done') };
}

/** Steps that a step waits for until enough of them are done. */
function findTooFew({ needsSome }: Step, isDone: (id: string) => boolean): readonly string[] {
  if (needsSome === undefined) return [];
  const missing = needsSome.of.filter((id) => !isDone(id));
  return needsSome.of.length - missing.length >= needsSome.count ? [] : missing;
}

async function readStep({ role, name }: Step, exchange: Exchange, counts: Ceremony['counts']) {
  try {
    const found = await exchange.statement(role, name);
    const statement = found !== undefined && counts(found) ? found : undefined;
    return { time: statement?.time ?? null, sequence: statement?.sequence ?? null, code: null };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { time: null, sequence: null, code: error.code };
  }
}

function describeRoleOf(role: Role, own: readonly StepStatus[], all: readonly StepStatus[]): RoleStatus {
  const next = own.filter(({ state }) => state === 'ready').map(({ step }) => step);
  const first = own.find(({ state }) => state === 'waiting');
  const others = (first?.waitsFor ?? []).flatMap((id) => all.filter(({ step }) => step === id));
  return {
    role,
    done: own.filter(({ state }) => state === 'done').length,
    of: own.length,
    next,
    waitsFor:
      next.length > 0
        ? []
        : others.filter((one) => one.role !== role).map((one) => ({ role: one.role, step: one.step })),
  };
}
