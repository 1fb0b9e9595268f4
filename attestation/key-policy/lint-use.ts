import { KMS_ACTIONS } from './actions.ts';
import { matchValue } from './comparison.ts';
import { ATTESTATION_PREFIX, parseAttestationKey } from './condition-keys.ts';
import type { Condition } from './condition.ts';
import type { KeyPolicyStatement } from './document.ts';
import { findingOf, type Finding } from './finding.ts';
import { variableOf } from './key-space.ts';
import type { LintScope } from './lint-scope.ts';

/** Finds callers who get plaintext without an attestation document, or with one of another platform. */
export function lintUnattestedUse({ callers, ask }: LintScope): Finding[] {
  const unattested = KMS_ACTIONS.use.flatMap((action) =>
    callers.flatMap((who) =>
      ask({ action, who, attestation: 'none' }).map((witness) =>
        findingOf(witness, {
          code: 'UNATTESTED_USE',
          severity: 'critical',
          why: `${gapOf(witness.statement)}, so plaintext goes to whoever asks, without an enclave.`,
          fix: `Require every PCR of the image with StringEqualsIgnoreCase in this statement, or take ${KMS_ACTIONS.use.join(', ')} out of it.`,
        }),
      ),
    ),
  );
  const open = new Set(unattested.map(({ statement }) => statement?.index));
  const tpm = KMS_ACTIONS.use.flatMap((action) =>
    callers.flatMap((who) =>
      ask({ action, who, attestation: 'nitrotpm' })
        .filter(({ statement }) => !open.has(statement.index))
        .map((witness) =>
          findingOf(witness, {
            code: 'OTHER_PLATFORM',
            severity: 'high',
            why: 'An instance attested by its NitroTPM gets plaintext; its operator can read its memory.',
            fix: 'Bind PCRs of the enclave (PCR0, PCR1, PCR2), not NitroTPMPCRs.',
          }),
        ),
    ),
  );
  return [...unattested, ...tpm];
}

/** Finds allowed actions that go around attestation: none of them takes an attestation document. */
export function lintBypass({ callers, ask }: LintScope): Finding[] {
  const why = {
    'kms:CreateGrant':
      'A grant lets its grantee decrypt, and a grant cannot be bound to an attestation document.',
    'kms:ReEncryptFrom':
      "ReEncrypt moves a secret under a key of the caller's own, and takes no attestation document.",
    'kms:ReplicateKey':
      "A replica has the same key material in another Region, under a policy of the caller's own.",
    'kms:UpdatePrimaryRegion': 'UpdatePrimaryRegion hands control of a multi-Region key to another Region.',
    'kms:ImportKeyMaterial': 'Whoever imports key material knows it, and needs no KMS to decrypt.',
  };
  return KMS_ACTIONS.bypass.flatMap((action) =>
    callers.flatMap((who) =>
      ask({ action, who, attestation: 'none' }).map((witness) =>
        findingOf(witness, {
          code: 'ATTESTATION_BYPASS',
          severity: 'critical',
          why: why[action],
          fix: `Allow ${action} to nobody, and deny it to "*".`,
        }),
      ),
    ),
  );
}

/** Finds statements that open ciphertexts of another purpose or node, since they do not bind the encryption context. */
export function lintContext(scope: LintScope): Finding[] {
  return [...lintAnyContext(scope), ...lintOtherContexts(scope)];
}

/** Finds statements that open ciphertexts whose encryption context differs from the manifest's in one name. */
function lintOtherContexts({ callers, ask, options }: LintScope): Finding[] {
  return Object.entries(options.encryptionContext ?? {}).flatMap(([name, value]) =>
    callers.flatMap((who) =>
      ask({
        action: 'kms:Decrypt',
        who,
        attestation: 'enclave',
        only: (key) =>
          key === `kms:encryptioncontext:${name.toLowerCase()}`
            ? (values) => !values.includes(value)
            : undefined,
      })
        .filter(({ statement }) =>
          ask({ action: 'kms:Decrypt', who, attestation: 'none' }).every(
            (one) => one.statement !== statement,
          ),
        )
        .map((witness) =>
          findingOf(witness, {
            code: 'CONTEXT_UNBOUND',
            severity: 'medium',
            why: `A blob opens whose encryption context has not ${value} as ${name}, so that one of another node or purpose can be swapped for it.`,
            fix: `Require kms:EncryptionContext:${name} with StringEquals.`,
          }),
        ),
    ),
  );
}

function lintAnyContext({ callers, ask, policy }: LintScope): Finding[] {
  const conditions = policy.statements.flatMap((statement) => statement.conditions);
  const isForeign = (key: string) => (values: readonly string[]) =>
    !values.some((value) => conditions.some((one) => variableOf(one.key) === key && isWritten(one, value)));
  return callers.flatMap((who) =>
    ask({
      action: 'kms:Decrypt',
      who,
      attestation: 'enclave',
      only: (key) => (key.startsWith('kms:encryptioncontext') ? isForeign(key) : undefined),
    })
      // A statement that requires no document is reported as unattested use.
      .filter(({ statement }) =>
        ask({ action: 'kms:Decrypt', who, attestation: 'none' }).every((one) => one.statement !== statement),
      )
      .map((witness) =>
        findingOf(witness, {
          code: 'CONTEXT_UNBOUND',
          severity: 'medium',
          why: "Any blob under this key opens, so that one node's or purpose's can be swapped for another's.",
          fix: "Require the node's encryption context with StringEquals on kms:EncryptionContext:NAME, each name.",
        }),
      ),
  );
}

/** Whether a condition lists a value, by itself or by a pattern, under any operator. */
function isWritten({ operator, values }: Condition, value: string): boolean {
  const scope = { context: new Map(), variables: true, unknown: 'none' } as const;
  return values.some((wanted) => matchValue(operator.comparison, wanted, value, scope));
}

/** Finds nodes that may make data keys, and so a second master password; only the first start needs that. */
export function lintInitialisation({ callers, ask }: LintScope): Finding[] {
  return callers.flatMap((who) =>
    ask({ action: 'kms:GenerateDataKey', who, attestation: 'enclave' }).map((witness) =>
      findingOf(witness, {
        code: 'INITIALISE_OPEN',
        severity: 'low',
        why: 'An enclave may make a new master password; it needs that once, when the node is initialised.',
        fix: 'Once the node has been initialised, put the policy without kms:GenerateDataKey.',
      }),
    ),
  );
}

/** Explains why a statement allows a request without an attestation document. */
function gapOf(statement: KeyPolicyStatement): string {
  const attested = statement.conditions.filter(({ key }) => key.toLowerCase().startsWith(ATTESTATION_PREFIX));
  if (attested.length === 0) {
    return statement.actions.negated
      ? 'NotAction allows everything that it does not list, and no recipient condition binds it'
      : 'No recipient condition binds this statement';
  }
  if (attested.some(({ operator }) => operator.ifExists)) {
    return 'IfExists holds when there is no attestation document';
  }
  if (attested.some(({ operator }) => operator.quantifier === 'ForAllValues')) {
    return 'ForAllValues holds when there is no attestation document';
  }
  if (attested.some(({ operator }) => operator.negated)) {
    return 'A negated operator holds when there is no attestation document';
  }
  return attested.every(({ key }) => parseAttestationKey(key) === undefined)
    ? 'Its condition keys are none that KMS knows'
    : 'Its conditions hold without an attestation document';
}
