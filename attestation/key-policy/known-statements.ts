import { KMS_ACTIONS } from './actions.ts';
import { canonicalStatement, digestStatement, type CanonicalStatement } from './canonical.ts';
import { parseKeyPolicy, type KeyPolicyStatement } from './document.ts';
import { renderKeyPolicy, type RenderOptions } from './render.ts';

/** A statement that is not known to be harmless. */
export interface UnprovenStatement {
  readonly index: number;
  readonly sid?: string;
  /** Digest by which an exception names the statement. */
  readonly sha256: string;
}

/** Result of comparing a policy with the one that `render` writes. */
export interface Comparison {
  /** Statements that are neither rendered, nor narrower than a rendered one, nor of a harmless form. */
  readonly unproven: readonly UnprovenStatement[];
  /** Denies that `render` writes and that the policy lacks, by Sid. */
  readonly missing: readonly string[];
}

/**
 * Compares a policy, statement by statement, with what `render` writes for these images, roles, admins and dates, with
 * the right to initialise and to supply or without. The burden of proof is on the policy: a statement passes when it is
 *
 * - one that `render` writes;
 * - an Allow that is narrower than one of those: no other principals, actions or resources, and all its conditions;
 * - a Deny, which permits nothing, whatever its form;
 * - an Allow of reading actions, by their full names, to accounts, users or roles by name.
 *
 * @throws KeyPolicyError for a policy that cannot be read with one meaning only, or options that `render` refuses
 */
export function compareWithRendered(policy: string, options: RenderOptions, keyArn: string): Comparison {
  const parsed = parseKeyPolicy(policy);
  const rendered = parseKeyPolicy(renderKeyPolicy({ ...options, initialise: true, supply: true }));
  const known = rendered.statements.map((statement) => canonicalStatement(statement, true));
  const variables = parsed.version === '2012-10-17';
  const written = parsed.statements.map((statement) => ({
    statement,
    canonical: canonicalStatement(statement, variables),
  }));
  const unproven = written
    .filter(
      ({ statement, canonical }) =>
        canonical.effect === 'Allow' &&
        !isReading(statement) &&
        !known.some((one) => isNarrower(canonical, one, keyArn)),
    )
    .map(({ statement, canonical }) => identify(statement, canonical));
  const digests = new Set(written.map(({ canonical }) => digestStatement(canonical)));
  const missing = rendered.statements.filter(
    (statement) =>
      statement.effect === 'Deny' && !digests.has(digestStatement(canonicalStatement(statement, true))),
  );
  return { unproven, missing: missing.map(({ sid, index }) => sid ?? String(index)) };
}

/** Identifies every statement of a policy by index, Sid and digest, as an exception names it. */
export function identifyStatements(policy: string): UnprovenStatement[] {
  const { statements, version } = parseKeyPolicy(policy);
  return statements.map((statement) =>
    identify(statement, canonicalStatement(statement, version === '2012-10-17')),
  );
}

function identify({ index, sid }: KeyPolicyStatement, canonical: CanonicalStatement): UnprovenStatement {
  return { index, ...(sid === undefined ? {} : { sid }), sha256: digestStatement(canonical) };
}

/** Whether an Allow permits nothing that the other, without a negated element, does not permit. */
function isNarrower(statement: CanonicalStatement, other: CanonicalStatement, keyArn: string): boolean {
  const { principals, actions, resources, conditions } = statement;
  if (other.effect !== 'Allow' || principals.negated || actions.negated) return false;
  return (
    isSubset(principals.entries, other.principals.entries) &&
    isSubset(actions.entries, other.actions.entries) &&
    !resources.negated &&
    isSubset(resources.entries, ['*', keyArn]) &&
    isSubset(other.conditions, conditions)
  );
}

function isReading({ effect, actions, principals, resources }: KeyPolicyStatement): boolean {
  if (effect !== 'Allow' || actions.negated || principals.negated || resources.negated) return false;
  const reading: readonly string[] = KMS_ACTIONS.read.map((action) => action.toLowerCase());
  return (
    isSubset(
      actions.entries.map((action) => action.toLowerCase()),
      reading,
    ) && principals.entries.every(({ kind }) => ['account', 'user', 'role', 'session'].includes(kind))
  );
}

function isSubset(some: readonly string[], all: readonly string[]): boolean {
  return some.every((one) => all.includes(one));
}
