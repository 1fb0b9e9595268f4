import type { HoldfastError } from '../../../shared/errors.ts';
import type { Statement, StepName, Told } from '../exchange/index.ts';
import type { Role } from '../roles.ts';
import type { StepContext } from './context.ts';

/** State of a step, found by reading alone. */
export type StepState =
  | { readonly state: 'done' }
  /** Sentences that say what will be made, changed, replaced or removed. */
  | { readonly state: 'ready'; readonly changes: readonly string[] }
  | { readonly state: 'waiting'; readonly waitsFor: readonly Awaited[] }
  | {
      readonly state: 'refused';
      readonly code: string;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };

/** Whom a step waits for, and for what. */
export interface Awaited {
  readonly role: Role;
  /** Id of the step that is to be done: `node-2/manifest`. */
  readonly step: string;
}

/** Steps of all roles that lead to one end, and which statements tell of it. */
export interface Ceremony {
  /** In an order in which each comes after those that it needs. */
  readonly steps: readonly Step[];
  /** Whether a statement tells of this ceremony, and not of an earlier one about another release. */
  readonly counts: (statement: Statement) => boolean;
  /**
   * Asserts that a role may go on with it now.
   *
   * @returns names of steps whose effects another ceremony has taken over: they are done
   */
  readonly begin?: (context: StepContext) => Promise<ReadonlySet<StepName>>;
  /** Stage of whose steps alone a run is; of all when left out. What an earlier stage still lacks, a later one waits for. */
  readonly stage?: Step['stage'];
}

/** What a step has done and tells the others, and what it could not do besides. */
interface Applied<Name extends StepName = StepName> extends Told<Name> {
  /** Thrown once the others can know what was done. */
  readonly refusal?: HoldfastError | undefined;
}

/** Step of a vault's ceremony. */
export interface Step<Name extends StepName = StepName> {
  /** Role, slash, name: `node-1/kms-stack`. */
  readonly id: `${Role}/${Name}`;
  readonly role: Role;
  readonly name: Name;
  /** 1: long-lived, nothing of it is ever deleted by a tool; 2: hosts and nodes. */
  readonly stage: 1 | 2;
  /** One line, for run sheet and status. */
  readonly summary: string;
  /** Ids of steps that must be done before: own ones by inspection, those of others by their statements. */
  readonly needs: readonly string[];
  /** Steps of which so many at least must be done. */
  readonly needsSome?: { readonly of: readonly string[]; readonly count: number };
  /** Whether a person has to have seen what it changes before it is done: a run that could not show it leaves it to the next. */
  readonly isShownFirst?: boolean;
  /** Looks what there is. Only reads. */
  inspect(context: StepContext): Promise<StepState>;
  /**
   * Does the step, or what a crash has left of it; a second time changes nothing.
   *
   * @returns what its statement tells the others
   */
  apply(context: StepContext): Promise<Applied<Name>>;
}
