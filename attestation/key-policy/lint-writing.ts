import { KMS_ACTIONS } from './actions.ts';
import { ZERO_PCR } from './key-space.ts';
import { matchAction } from './pattern.ts';
import { matchCondition, type Condition } from './condition.ts';
import { ATTESTATION_PREFIX, isKnownConditionKey, parseAttestationKey } from './condition-keys.ts';
import type { KeyPolicyStatement } from './document.ts';
import { findingIn, type Finding } from './finding.ts';
import type { LintScope } from './lint-scope.ts';

/** Finds mistakes in the writing of single statements, apart from the rest of the policy. */
export function lintWriting({ policy }: LintScope): Finding[] {
  return policy.statements.flatMap((statement) => [
    ...lintKeys(statement),
    ...lintValues(statement),
    ...lintNegations(statement),
    ...lintTeeth(statement),
  ]);
}

function lintKeys(statement: KeyPolicyStatement): Finding[] {
  return statement.conditions
    .filter(({ key }) => !isKnownConditionKey(key))
    .map(({ key }) =>
      findingIn(statement, {
        code: 'UNKNOWN_KEY',
        severity: 'medium',
        why: `KMS puts no ${key} into any request: the condition always holds, or never.`,
        fix: key.toLowerCase().startsWith(ATTESTATION_PREFIX)
          ? `Write kms:RecipientAttestation:ImageSha384, PCR0 to PCR31 or NitroTPMPCR0 to NitroTPMPCR23 for ${key}.`
          : `Write one of KMS's condition keys for ${key}.`,
      }),
    );
}

function lintValues(statement: KeyPolicyStatement): Finding[] {
  return statement.conditions.flatMap((condition) => {
    const asked = parseAttestationKey(condition.key);
    if (asked === undefined || condition.operator.comparison === 'Null') return [];
    const never = condition.values.filter((value) => !canMatch(condition, value));
    const zero = condition.values.filter((value) => value === ZERO_PCR);
    return [
      ...never.map((value) =>
        findingIn(statement, {
          code: 'MALFORMED_PCR',
          severity: 'medium',
          why: `No document carries "${shorten(value)}": measurements are 96 lower-case hex digits.`,
          fix: `Write the measurement of ${condition.key} in full, and compare with StringEqualsIgnoreCase.`,
        }),
      ),
      ...(zero.length > 0 && asked.platform === 'enclave' && asked.pcr > 2 && statement.effect === 'Allow'
        ? [
            findingIn(statement, {
              code: 'ZERO_PCR_BOUND',
              severity: 'low',
              why: `PCR${asked.pcr} is zero where it is not used: this binds nothing.`,
              fix: `Leave PCR${asked.pcr} out, or use it and bind what it then holds.`,
            }),
          ]
        : []),
    ];
  });
}

function canMatch(condition: Condition, value: string): boolean {
  if (/[*?]|\$\{/.test(value)) return true;
  const actual = value.toLowerCase();
  if (!/^[0-9a-f]{96}$/.test(actual)) return false;
  const positive = { ...condition, operator: { ...condition.operator, negated: false }, values: [value] };
  const context = new Map([[condition.key.toLowerCase(), [actual]]]);
  return matchCondition(positive, { context, variables: false });
}

function lintNegations(statement: KeyPolicyStatement): Finding[] {
  const findings: Finding[] = [];
  if (statement.effect === 'Allow' && statement.actions.negated) {
    findings.push(
      findingIn(statement, {
        code: 'NOT_ACTION',
        severity: 'low',
        why: 'NotAction also allows whatever actions AWS will add.',
        fix: 'List the actions that are meant under Action.',
      }),
    );
  }
  if (statement.principals.negated) {
    findings.push(
      findingIn(statement, {
        code: 'NOT_PRINCIPAL',
        severity: statement.effect === 'Allow' ? 'high' : 'medium',
        why:
          statement.effect === 'Allow'
            ? 'NotPrincipal allows everybody else, in every account.'
            : 'Whom a Deny with NotPrincipal spares depends on account, role and session being listed together.',
        fix: 'Use Principal, with a condition on aws:PrincipalArn where a Deny has to spare somebody.',
      }),
    );
  }
  return findings;
}

/** Finds a Deny with several negated PCRs: conditions are ANDed, so one fitting PCR lifts it. */
function lintTeeth(statement: KeyPolicyStatement): Finding[] {
  if (statement.effect === 'Allow' || !KMS_ACTIONS.use.some((action) => speaksOf(statement, action)))
    return [];
  const attested = statement.conditions.filter(({ key }) => parseAttestationKey(key)?.platform === 'enclave');
  const negated = attested.filter(({ operator }) => operator.negated);
  const lifted = negated.filter(({ key }) => {
    const wrong = parseAttestationKey(key)?.pcr;
    return attested.some(
      (other) =>
        parseAttestationKey(other.key)?.pcr !== wrong &&
        // The context is that of a document whose other PCR has the value in the Deny.
        !matchCondition(other, {
          context: new Map([[other.key.toLowerCase(), [other.values[0]?.toLowerCase() ?? ZERO_PCR]]]),
          variables: false,
        }),
    );
  });
  if (lifted.length === 0) return [];
  const names = lifted.map(({ key }) => key).join(', ');
  return [
    findingIn(statement, {
      code: 'DENY_WITHOUT_TEETH',
      severity: 'medium',
      why: `All conditions of a Deny have to hold: an image that differs in ${names} but shares another PCR is not denied.`,
      fix: 'Write one Deny for each PCR.',
    }),
  ];
}

function speaksOf({ actions }: KeyPolicyStatement, action: string): boolean {
  return actions.entries.some((pattern) => matchAction(pattern, action)) !== actions.negated;
}

function shorten(value: string): string {
  return value.length <= 24 ? value : `${value.slice(0, 20)}… (${value.length} characters)`;
}
