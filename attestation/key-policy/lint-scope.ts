import { principalArn, representCallers, type Representative } from './callers.ts';
import { createBudget } from './budget.ts';
import type { KeyPolicy } from './document.ts';
import { KMS_ACTIONS } from './actions.ts';
import { matchPrincipal } from './principal.ts';
import { findAllowed, type Question, type Witness } from './search.ts';

/** What a linter knows beside the policy. */
export interface LintOptions {
  /** The key that the policy is for, or would be for. */
  readonly keyArn: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** ARNs of the roles that run enclaves. Default: those that the policy lets use the key attested. */
  readonly nodes?: readonly string[];
  /** ARNs of those who may change the policy. Default: those named for it who are no nodes. */
  readonly admins?: readonly string[];
  /** The images that may use the key. Without them, what the policy names is taken to be meant. */
  readonly images?: readonly ReadonlyMap<number, Uint8Array>[];
}

type LintQuestion = Omit<Question, 'keyArn' | 'now' | 'budget'>;

/** A policy with its questions half asked. */
export interface LintScope {
  readonly policy: KeyPolicy;
  readonly options: LintOptions;
  readonly callers: readonly Representative[];
  /** ARNs of the roles that run enclaves, and of those who administrate. */
  readonly nodes: ReadonlySet<string>;
  readonly admins: ReadonlySet<string>;
  /** One witness for each statement that allows it. */
  readonly ask: (question: LintQuestion) => Witness[];
}

export function openScope(policy: KeyPolicy, options: LintOptions): LintScope {
  const { keyArn, now } = options;
  const callers = representCallers([policy], keyArn.split(':')[4] ?? '');
  const budget = createBudget();
  const ask = (question: LintQuestion): Witness[] => [
    ...findAllowed(policy, { ...question, keyArn, now, budget }),
  ];
  const named = callers.filter(({ kind }) => kind === 'named');
  const can = (actions: readonly string[], attestation: 'none' | 'enclave') =>
    named
      .filter((who) =>
        actions.some((action) => ask({ action, who, attestation }).some((one) => isNamedIn(one))),
      )
      .map(({ caller }) => principalArn(caller));
  const nodes = new Set(options.nodes ?? can(KMS_ACTIONS.use, 'enclave'));
  const admins = new Set(options.admins ?? can(KMS_ACTIONS.control, 'none').filter((arn) => !nodes.has(arn)));
  return { policy, options, callers, nodes, admins, ask };
}

/** Whether the statement that allows it names the caller, not only its account or everybody. */
export function isNamedIn({ statement: { principals }, who: { caller } }: Witness): boolean {
  const entries = principals.entries.filter(({ kind }) => kind !== 'any');
  return !principals.negated && matchPrincipal(entries, caller) === 'direct';
}

export function isNode({ nodes }: LintScope, { caller }: Representative): boolean {
  return nodes.has(principalArn(caller));
}

export function isAdmin({ admins }: LintScope, { caller }: Representative): boolean {
  return admins.has(principalArn(caller));
}
