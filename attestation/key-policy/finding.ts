import type { Statement } from './document.ts';
import type { Value } from './key-space.ts';
import type { Witness } from './search.ts';

/** Severities of a finding, the worst first. */
export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Codes of findings; docs/codes.md explains each of them. */
export type FindingCode =
  /** Plaintext without an attestation document. */
  | 'UNATTESTED_USE'
  /** A grant or re-encryption, which no attestation binds. */
  | 'ATTESTATION_BYPASS'
  /** Plaintext for whatever image is attested. */
  | 'ANY_IMAGE'
  /** Plaintext for an enclave in debug mode. */
  | 'DEBUG_IMAGE'
  /** Plaintext for an attested instance that is no enclave. */
  | 'OTHER_PLATFORM'
  /** A measurement that is not one of those expected. */
  | 'UNEXPECTED_IMAGE'
  /** Measurements of several images in any combination. */
  | 'MIXED_IMAGES'
  /** A PCR that the policy leaves free. */
  | 'PCR_UNBOUND'
  /** An unused, all-zero PCR that is bound as if it said something. */
  | 'ZERO_PCR_BOUND'
  /** A value that no document carries. */
  | 'MALFORMED_PCR'
  /** A condition key that no request carries. */
  | 'UNKNOWN_KEY'
  /** A Deny that a single shared PCR lifts. */
  | 'DENY_WITHOUT_TEETH'
  /** An Allow for all but some actions. */
  | 'NOT_ACTION'
  /** A statement for all but some principals. */
  | 'NOT_PRINCIPAL'
  /** Attested use for callers whom nobody named. */
  | 'OPEN_PRINCIPAL'
  /** Attested use of blobs of any purpose. */
  | 'CONTEXT_UNBOUND'
  /** A second master password can be made. */
  | 'INITIALISE_OPEN'
  /** Blobs made by somebody else. */
  | 'MINT_OPEN'
  /** Others than the administrators can change the policy. */
  | 'POLICY_CHANGE_OPEN'
  /** Others than the administrators can destroy or stop the key. */
  | 'DESTRUCTION_OPEN'
  /** Others than the administrators can do what changes the key's life and not its secrets. */
  | 'MANAGEMENT_OPEN'
  /** An action of keys of another kind. */
  | 'OTHER_KEY_USE'
  /** A pattern that lets through whatever actions AWS will add. */
  | 'FUTURE_ACTIONS'
  /** An action that AWS does not have. */
  | 'UNKNOWN_ACTION'
  /** An action that takes no document, where one is required. */
  | 'NEVER_ATTESTED'
  /** The image, manifest and role that were stated do not get the secret. */
  | 'CANNOT_DECRYPT'
  /** A PCR3 that is not the measurement of the role beside it. */
  | 'PCR3_MISMATCH'
  /** Nobody can change the policy. */
  | 'LOCKED_OUT';

/** A fault of a policy, found by a search for requests that the policy should not allow. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** The statement at fault; absent where a statement is missing. */
  readonly statement?: { readonly index: number; readonly sid?: string };
  /** Consequence of the fault, in one English sentence or two. */
  readonly why: string;
  /** Change to the policy that removes the fault. */
  readonly fix: string;
  /** One request that the policy allows and should not. */
  readonly example?: FindingExample;
  /** Callers whom the fault lets in, in words. */
  readonly callers?: readonly string[];
  /** Actions that the fault opens. */
  readonly actions?: readonly string[];
  /** Absent where the policy surely allows the request; false where the analysis cannot show that it denies it. */
  readonly proven?: false;
}

/** A request in words. */
export interface FindingExample {
  readonly caller: string;
  readonly action: string;
  /** How the request is attested. */
  readonly attestation: string;
  /** Condition keys of the request that matter, in lower case, with their values. */
  readonly context: Readonly<Record<string, string>>;
}

type Fault = Pick<Finding, 'code' | 'severity' | 'why' | 'fix'>;

/** Makes a finding that one request shows. */
export function findingOf(witness: Witness, fault: Fault): Finding {
  const found = {
    ...fault,
    statement: reference(witness.statement),
    example: describeWitness(witness),
    callers: [witness.who.label],
    actions: [witness.action],
  };
  if (witness.proven) return found;
  const why = `${fault.why} This cannot be shown closed: a policy variable, a value that can be read in several ways, or one that the policy does not tell, decides.`;
  return { ...found, severity: fault.severity === 'medium' ? 'high' : fault.severity, why, proven: false };
}

/** Makes a finding that a statement shows by itself. */
export function findingIn(statement: Statement, fault: Fault): Finding {
  return { ...fault, statement: reference(statement) };
}

/** Describes a witness in words. */
export function describeWitness({ who, action, attestation, assignment }: Witness): FindingExample {
  const context = [...assignment].filter(([, values]) => values.length > 0);
  return {
    caller: who.label,
    action,
    attestation,
    context: Object.fromEntries(context.map(([key, values]) => [key, values.map(showValue).join(', ')])),
  };
}

function showValue(value: Value): string {
  return typeof value === 'string' ? value : '(any value)';
}

/** Merges findings of the same fault in the same statement, for all their callers and actions; the worst come first. */
export function mergeFindings(findings: readonly Finding[]): Finding[] {
  const groups = Map.groupBy(
    findings,
    ({ code, statement, fix }) => `${code} ${statement?.index ?? ''} ${fix}`,
  );
  const rank = (severity: Severity): number => SEVERITIES.indexOf(severity);
  return [...groups.values()]
    .flatMap((group) => {
      const [worst] = group.toSorted((a, b) => rank(a.severity) - rank(b.severity));
      if (worst === undefined) return [];
      const callers = [...new Set(group.flatMap((one) => one.callers ?? []))];
      const actions = [...new Set(group.flatMap((one) => one.actions ?? []))];
      return [
        {
          ...worst,
          ...(callers.length === 0 ? {} : { callers }),
          ...(actions.length === 0 ? {} : { actions }),
        },
      ];
    })
    .sort(
      (a, b) =>
        rank(a.severity) - rank(b.severity) || (a.statement?.index ?? -1) - (b.statement?.index ?? -1),
    );
}

function reference({ index, sid }: Statement): { index: number; sid?: string } {
  return sid === undefined ? { index } : { index, sid };
}
