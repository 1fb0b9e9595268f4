import { KMS_ACTIONS } from './actions.ts';
import { parseAttestationKey } from './condition-keys.ts';
import type { KeyPolicyStatement } from './document.ts';
import { findingOf, type Finding } from './finding.ts';
import { ZERO_PCR } from './key-space.ts';
import type { LintScope } from './lint-scope.ts';
import { onlyKeys, toPcrHex, variableOfPcr } from './pcr-values.ts';
import type { Witness } from './search.ts';

const IMAGE_PCRS = [0, 1, 2] as const;
const among =
  (...allowed: readonly string[]) =>
  (values: readonly string[]): boolean =>
    values.every((value) => allowed.includes(value)) && values.length > 0;

type Only = NonNullable<Parameters<LintScope['ask']>[0]['only']>;

/** Finds images that get plaintext and should not: any image, one in debug mode, or one that is not expected. */
export function lintImages(scope: LintScope): Finding[] {
  const anyImage = askAll(
    scope,
    onlyKeys(...IMAGE_PCRS.map((pcr) => [variableOfPcr(pcr), isUnlisted(scope, pcr)] as const)),
  ).map((witness) =>
    findingOf(witness, {
      code: 'ANY_IMAGE',
      severity: 'critical',
      why: explainAnyImage(witness),
      fix: BIND_ALL,
    }),
  );
  const open = new Set(anyImage.map(({ statement }) => statement?.index));
  const bound = (witness: Witness): boolean => !open.has(witness.statement.index);
  return [
    ...anyImage,
    ...lintDebug(scope).filter(({ statement }) => !open.has(statement?.index)),
    ...lintUnboundPcrs(scope, bound),
    ...lintUnexpected(scope, bound),
    ...lintMixed(scope, bound),
  ];
}

/** Whether a measurement is written out nowhere in the policy: allowed by no value, or by a wildcard. */
function isUnlisted({ policy }: LintScope, pcr: number): (values: readonly string[]) => boolean {
  const listed = policy.statements.flatMap((statement) => [...writtenPcrs(statement, pcr), ZERO_PCR]);
  return (values) => !values.some((value) => listed.includes(value));
}

function writtenPcrs({ conditions }: KeyPolicyStatement, pcr: number): string[] {
  return conditions.flatMap(({ key, values }) => {
    const asked = parseAttestationKey(key);
    const named = asked?.platform === 'enclave' && asked.pcr === pcr;
    return named ? values.map((value) => value.toLowerCase()) : [];
  });
}

const BIND_ALL =
  'Require PCR0, PCR1 and PCR2, PCR8 when the image is signed and PCR16 for the manifest, each with StringEqualsIgnoreCase.';

/** Explains a statement that requires a document and no image; lint-use reports one that requires no document. */
function explainAnyImage({ statement }: Witness): string {
  const pcrs = statement.conditions.flatMap(({ key }) => parseAttestationKey(key)?.pcr ?? []);
  if (pcrs.length > 0 && pcrs.every((pcr) => pcr === 4)) {
    return 'Only PCR4 is bound: any image that runs on this one instance gets plaintext.';
  }
  return 'Some document is required, but not whose: any enclave image that the caller builds gets plaintext.';
}

function lintDebug(scope: LintScope): Finding[] {
  return IMAGE_PCRS.flatMap((pcr) =>
    askAll(scope, onlyKeys([variableOfPcr(pcr), among(ZERO_PCR)])).filter(({ statement }) =>
      listedPcrs(statement).get(pcr)?.includes(ZERO_PCR),
    ),
  ).map((witness) =>
    findingOf(witness, {
      code: 'DEBUG_IMAGE',
      severity: 'critical',
      why: 'PCRs of zeros are those of an enclave in debug mode, whose console and memory are open to the parent.',
      fix: 'Measure the image outside of debug mode and bind what nitro-cli build-enclave prints.',
    }),
  );
}

function lintUnboundPcrs(scope: LintScope, bound: (witness: Witness) => boolean): Finding[] {
  return pcrsToBind(scope).flatMap((pcr) =>
    askAll(scope, onlyKeys([variableOfPcr(pcr), isUnlisted(scope, pcr)]))
      .filter(bound)
      .map((witness) =>
        findingOf(witness, {
          code: 'PCR_UNBOUND',
          severity: pcr === 0 || pcr > 2 ? 'high' : 'medium',
          why: `PCR${pcr} (${MEANING[pcr] ?? 'extended by the enclave'}) may have values that are not written out.`,
          fix: `Require PCR${pcr} with StringEqualsIgnoreCase.`,
        }),
      ),
  );
}

const MEANING: Readonly<Record<number, string>> = {
  0: 'the whole image',
  1: 'kernel and boot ramdisk',
  2: 'application',
  3: "the instance's role",
  4: 'the instance',
  8: 'the signing certificate',
  16: "the node's manifest",
};

/** Lists the PCRs to bind: PCR0 to PCR2, and those that any of the images uses. */
function pcrsToBind({ options }: LintScope): number[] {
  const used = (options.images ?? []).flatMap((image) =>
    [...image].filter(([, value]) => value.some((byte) => byte !== 0)).map(([pcr]) => pcr),
  );
  return [...new Set<number>([...IMAGE_PCRS, ...used])].sort((a, b) => a - b);
}

function lintUnexpected(scope: LintScope, bound: (witness: Witness) => boolean): Finding[] {
  const { images } = scope.options;
  if (images === undefined) return [];
  return pcrsToBind(scope).flatMap((pcr) => {
    const expected = [...images.map((image) => toPcrHex(image.get(pcr))), ZERO_PCR];
    const written = scope.policy.statements.flatMap((statement) => writtenPcrs(statement, pcr));
    const isUnexpected = (values: readonly string[]): boolean =>
      values.some((value) => written.includes(value) && !expected.includes(value));
    return askAll(scope, onlyKeys([variableOfPcr(pcr), isUnexpected]))
      .filter(bound)
      .filter(({ assignment }) => assignment.has(variableOfPcr(pcr)))
      .map((witness) =>
        findingOf(witness, {
          code: 'UNEXPECTED_IMAGE',
          severity: 'high',
          why: `PCR${pcr} may be ${witness.assignment.get(variableOfPcr(pcr))?.[0] ?? ''}, which is of none of the images given.`,
          fix: 'Take out the measurements of images that may not use the key any more.',
        }),
      );
  });
}

/** Finds statements that allow mixed images: two lists of two measurements allow four images, two of them never built. */
function lintMixed(scope: LintScope, bound: (witness: Witness) => boolean): Finding[] {
  return scope.policy.statements
    .filter(({ effect }) => effect === 'Allow')
    .flatMap((statement) => {
      const lists = [...listedPcrs(statement)].filter(([, values]) => values.length > 1);
      return lists.flatMap(([left, leftValues], at) =>
        lists.slice(at + 1).flatMap(([right, rightValues]) => {
          const pairs = leftValues.flatMap((a) =>
            rightValues.flatMap((b) => {
              const only: Only = onlyKeys([variableOfPcr(left), among(a)], [variableOfPcr(right), among(b)]);
              const [witness] = askAll(scope, only)
                .filter(bound)
                .filter((one) => one.statement === statement);
              return witness === undefined ? [] : [{ witness, left: a, right: b }];
            }),
          );
          const strange = pairs.filter((pair) => !isMeant(scope, [left, pair.left], [right, pair.right]));
          const meant =
            scope.options.images === undefined ? Math.max(leftValues.length, rightValues.length) : 0;
          const [first] = strange;
          if (first === undefined || strange.length <= meant) return [];
          return [
            findingOf(first.witness, {
              code: 'MIXED_IMAGES',
              severity: 'medium',
              why: `PCR${left} and PCR${right} each list several values, so every combination is allowed, also of measurements that belong to different images.`,
              fix: 'Write one statement for each image, with one value for each PCR.',
            }),
          ];
        }),
      );
    });
}

function isMeant(
  { options }: LintScope,
  [left, leftValue]: [number, string],
  [right, rightValue]: [number, string],
): boolean {
  return (options.images ?? []).some(
    (image) => toPcrHex(image.get(left)) === leftValue && toPcrHex(image.get(right)) === rightValue,
  );
}

/** Collects the measurements that a statement lists, by PCR. */
function listedPcrs({ conditions }: KeyPolicyStatement): Map<number, string[]> {
  const lists = new Map<number, string[]>();
  for (const { key, operator, values } of conditions) {
    const asked = parseAttestationKey(key);
    if (asked?.platform !== 'enclave' || operator.negated || operator.comparison === 'Null') continue;
    const known = lists.get(asked.pcr) ?? [];
    lists.set(asked.pcr, [...new Set([...known, ...values.map((value) => value.toLowerCase())])]);
  }
  return lists;
}

/** Asks who may use the key with a document of these PCRs, by a statement that requires a document. */
function askAll({ callers, ask }: LintScope, only: Only): Witness[] {
  return KMS_ACTIONS.use.flatMap((action) =>
    callers.flatMap((who) =>
      ask({ action, who, attestation: 'enclave', only }).filter(
        // A statement that requires no document is reported as unattested use.
        ({ statement }) =>
          ask({ action, who, attestation: 'none' }).every((one) => one.statement !== statement),
      ),
    ),
  );
}
