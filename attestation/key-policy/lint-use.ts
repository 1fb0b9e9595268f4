import { KMS_ACTIONS } from './actions.ts';
import { matchValue } from './comparison.ts';
import { ATTESTATION_PREFIX, parseAttestationKey } from './condition-keys.ts';
import type { Condition } from './condition.ts';
import type { KeyPolicyStatement } from './document.ts';
import { findingOf, type Finding } from './finding.ts';
import { variableOf } from './key-space.ts';
import type { LintScope } from './lint-scope.ts';

/** Who gets at plaintext without showing an image, or with another platform's document. */
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

/** Actions that undo attestation for good, because nothing attested is asked of them. */
export function lintBypass({ callers, ask }: LintScope): Finding[] {
  const why = {
    'kms:CreateGrant':
      'A grant lets its grantee decrypt, and a grant cannot be bound to an attestation document.',
    'kms:ReEncryptFrom':
      "ReEncrypt moves a secret under a key of the caller's own, and takes no attestation document.",
    'kms:ReplicateKey':
      "A replica has the same key material in another Region, under a policy of the caller's own.",
    'kms:UpdatePrimaryRegion': 'It hands the rule over a multi-Region key to another Region.',
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

/** Blobs of another purpose or node open as well, when nothing of the encryption context is required. */
export function lintContext(scope: LintScope): Finding[] {
  return [...lintAnyContext(scope), ...lintOtherContexts(scope)];
}

/** Blobs whose encryption context differs from the manifest's in one name, that a variable or a list lets through. */
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
      // What asks for nothing at all is reported as such.
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

/** A value that a condition lists, in whatever operator, by itself or by a pattern. */
function isWritten({ operator, values }: Condition, value: string): boolean {
  const scope = { context: new Map(), variables: true, unknown: 'none' } as const;
  return values.some((wanted) => matchValue(operator.comparison, wanted, value, scope));
}

/** While a node may make data keys, a second master password can be made (only the first start needs it). */
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

/** Why a statement lets through what is not attested. */
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
