import { measureInstanceRole } from '../measurement.ts';
import { parseAttestationKey } from './condition-keys.ts';
import { principalArn } from './caller-context.ts';
import { findingIn, type Finding } from './finding.ts';
import type { LintScope } from './lint-scope.ts';
import { toPcrHex, variableOfPcr } from './pcr-values.ts';

const PCRS = 32;

/** Finds images and roles that the caller expects to decrypt and that the policy does not let decrypt now. */
export function lintNode(scope: LintScope): Finding[] {
  const { options, nodes } = scope;
  if (options.nodes === undefined && options.images === undefined) return [];
  const images = options.images ?? [undefined];
  return images.flatMap((image): Finding[] => {
    const locked = [...nodes].filter((node) => !canDecrypt(scope, node, image));
    if (options.nodes !== undefined) return locked.map((node) => describeLocked(node, image));
    return locked.length < nodes.size || canAnybody(scope, image) ? [] : [describeLocked('nobody', image)];
  });
}

function describeLocked(node: string, image: ReadonlyMap<number, Uint8Array> | undefined): Finding {
  const which =
    image === undefined ? 'an enclave' : `the image with PCR0 ${toPcrHex(image.get(0)).slice(0, 16)}…`;
  return {
    code: 'CANNOT_DECRYPT',
    severity: 'low',
    why:
      node === 'nobody'
        ? `Nobody can decrypt with the document of ${which}.`
        : `${node} cannot decrypt with the document of ${which}, in a request of its own to KMS.`,
    fix: 'Look at the Allow for the node: Principal is the role\'s ARN (no service, and no id that begins with AROA: that role was deleted), Resource "*", and no condition on kms:ViaService or on another image, manifest or context.',
  };
}

function canAnybody(scope: LintScope, image: ReadonlyMap<number, Uint8Array> | undefined): boolean {
  return scope.callers.some((who) => ask(scope, who, image));
}

function canDecrypt(
  scope: LintScope,
  node: string,
  image: ReadonlyMap<number, Uint8Array> | undefined,
): boolean {
  return scope.callers.some((who) => principalArn(who.caller) === node && ask(scope, who, image));
}

function ask(
  scope: LintScope,
  who: LintScope['callers'][number],
  image: ReadonlyMap<number, Uint8Array> | undefined,
): boolean {
  const { now, encryptionContext } = scope.options;
  const measured = new Map(
    Array.from({ length: image === undefined ? 0 : PCRS }, (_, pcr) => [
      variableOfPcr(pcr),
      toPcrHex(image?.get(pcr)),
    ]),
  );
  const pairs = new Map(
    Object.entries(encryptionContext ?? {}).map(([name, value]) => [
      `kms:encryptioncontext:${name.toLowerCase()}`,
      value,
    ]),
  );
  const is = (wanted: string | undefined) => (values: readonly string[]) => values.join() === (wanted ?? '');
  const only = (key: string): ((values: readonly string[]) => boolean) | undefined => {
    if (key === 'kms:viaservice') return is(undefined);
    if (key === 'aws:currenttime' || key === 'aws:epochtime')
      return ([time = '']) => Date.parse(time) === now;
    // A pcr.json need not name every PCR that an enclave has.
    if (measured.get(key) !== undefined && measured.get(key) !== '') return is(measured.get(key));
    if (encryptionContext === undefined || !key.startsWith('kms:encryptioncontext')) return undefined;
    if (key !== 'kms:encryptioncontextkeys') return is(pairs.get(key));
    return (values) =>
      values.length > 0 && values.every((name) => pairs.has(`kms:encryptioncontext:${name.toLowerCase()}`));
  };
  return scope.ask({ action: 'kms:Decrypt', who, attestation: 'enclave', only }).length > 0;
}

/** Finds statements with the PCR3 of a role other than their principal, under which no enclave ever decrypts. */
export function lintRole({ policy, options }: LintScope): Finding[] {
  return policy.statements.flatMap((statement) => {
    const roles =
      options.nodes ?? statement.principals.entries.flatMap((one) => (one.kind === 'role' ? [one.arn] : []));
    const bound = statement.conditions
      .filter(({ key, operator }) => {
        const asked = parseAttestationKey(key);
        return (
          asked?.platform === 'enclave' &&
          asked.pcr === 3 &&
          !operator.negated &&
          operator.comparison.startsWith('String')
        );
      })
      .flatMap(({ values }) => values.map((value) => value.toLowerCase()));
    const named = bound.filter((value) => /^[0-9a-f]{96}$/.test(value) && !/^0+$/.test(value));
    const measured = roles.map((role) => toPcrHex(measureInstanceRole(role)));
    const fits = named.some((value) => measured.includes(value));
    if (
      statement.effect === 'Deny' ||
      roles.length === 0 ||
      named.length < bound.length ||
      bound.length === 0 ||
      fits
    ) {
      return [];
    }
    return [
      findingIn(statement, {
        code: 'PCR3_MISMATCH',
        severity: 'low',
        why: `PCR3 is not the measurement of ${roles.join(', ')}, so that no enclave of that role decrypts.`,
        fix: `PCR3 is SHA-384 of 48 zero bytes and the role's ARN, not of the ARN alone: ${measured.join(', ')}.`,
      }),
    ];
  });
}
