import { principalArn } from './caller-context.ts';
import type { Representative } from './callers.ts';
import { createBudget } from './budget.ts';
import type { KeyPolicy } from './document.ts';
import { KMS_ACTIONS } from './actions.ts';
import { matchPrincipal } from './principal.ts';
import { findAllowed, openInquiry, type Question, type Witness } from './search.ts';
import { toPcrHex, variableOfPcr } from './pcr-values.ts';

/** Knowledge of the caller about the key, its nodes and its admins. */
export interface LintOptions {
  /** ARN of the key to which the policy belongs, no alias. */
  readonly keyArn: string;
  /** Time of the requests, in milliseconds since 1970. */
  readonly now: number;
  /** ARNs of the roles that run enclaves. Default: those that the policy lets use the key attested. */
  readonly nodes?: readonly string[];
  /** ARNs of the roles or users who may change the policy. Default: those that the policy names for it, without nodes. */
  readonly admins?: readonly string[];
  /** PCRs of the images that may use the key, 48 bytes each. Default: every image that the policy names. */
  readonly images?: readonly ReadonlyMap<number, Uint8Array>[];
  /** The encryption context of the node's requests, when it is known. */
  readonly encryptionContext?: Readonly<Record<string, string>>;
}

/** A policy under analysis, with the callers that it tells apart. */
export interface LintScope {
  readonly policy: KeyPolicy;
  readonly options: LintOptions;
  readonly callers: readonly Representative[];
  /** ARNs of the roles that run enclaves. */
  readonly nodes: ReadonlySet<string>;
  /** ARNs of the roles or users that administrate the key. */
  readonly admins: ReadonlySet<string>;
  /** Returns one witness for each statement that allows such a request. */
  readonly ask: (question: Question) => Witness[];
}

/** Opens the analysis of a policy. @throws KeyPolicyError POLICY_TOO_COMPLEX */
export function openScope(policy: KeyPolicy, options: LintOptions): LintScope {
  const { keyArn, now, nodes: givenNodes, admins: givenAdmins } = options;
  const inquiry = openInquiry([policy], {
    keyArn,
    now,
    budget: createBudget(),
    also: measurementsOf(options),
    principals: [...(givenNodes ?? []), ...(givenAdmins ?? [])],
  });
  const { callers } = inquiry;
  const ask = (question: Question): Witness[] => [...findAllowed(inquiry, policy, question)];
  const named = callers.filter(({ kind }) => kind === 'named');
  const can = (actions: readonly string[], attestation: 'none' | 'enclave') =>
    named
      .filter((who) =>
        actions.some((action) => ask({ action, who, attestation }).some((one) => isNamedIn(one))),
      )
      .map(({ caller }) => principalArn(caller));
  const nodes = new Set(
    givenNodes ?? can(KMS_ACTIONS.use, 'enclave').filter((arn) => givenAdmins?.includes(arn) !== true),
  );
  const admins = new Set(givenAdmins ?? can(KMS_ACTIONS.control, 'none').filter((arn) => !nodes.has(arn)));
  return { policy, options, callers, nodes, admins, ask };
}

/** Collects the values of condition keys that the images and the encryption context have, to tell them from others. */
function measurementsOf({ images = [], encryptionContext = {} }: LintOptions): Map<string, string[]> {
  const pcrs = Map.groupBy(
    images.flatMap((image) => [...image]),
    ([pcr]) => variableOfPcr(pcr),
  );
  return new Map<string, string[]>([
    ...[...pcrs].map(
      ([key, values]) => [key, values.map(([, value]) => toPcrHex(value))] as [string, string[]],
    ),
    ...Object.entries(encryptionContext).map(
      ([name, value]) => [`kms:encryptioncontext:${name.toLowerCase()}`, [value]] as [string, string[]],
    ),
  ]);
}

/** Whether the statement of a witness names the caller, not only the caller's account or everybody. */
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
