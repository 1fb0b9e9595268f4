import { describe, expect, it } from 'vitest';
import { compareWithRendered } from '../../../attestation/key-policy/known-statements.ts';
import {
  diffKeyPolicies,
  KeyPolicyError,
  lintKeyPolicy,
  renderKeyPolicy,
} from '../../../attestation/key-policy/index.ts';
import { allows, type OracleRequest } from './oracle/decide.ts';
import { drawRequest, KEY_OPERATIONS, pick, readHints, seeded, type Random } from './oracle/draw.ts';
import { drawStatement } from './oracle/policies.ts';

const NOW = Date.UTC(2026, 0, 15);
const KEY = 'arn:aws:kms:us-west-2:210987654321:key/0000abcd-12ab-34cd-56ef-1234567890ab';
const NODE = 'arn:aws:iam::345678901234:role/alpha';
const ADMIN = 'arn:aws:iam::210987654321:role/beta';
const PCRS = new Map([0, 1, 2, 8, 16].map((pcr) => [pcr, new Uint8Array(48).fill(0x60 + pcr)]));
const OPTIONS = {
  nodeRole: NODE,
  admins: [ADMIN],
  images: [{ pcrs: PCRS }],
  encryptionContext: { one: '1', purpose: 'password' },
} as const;
const RENDERED = renderKeyPolicy(OPTIONS);

type Statement = Record<string, unknown> & { Condition?: Record<string, Record<string, unknown>> };

/** Changes one thing, or adds one. */
function mutate(statements: Statement[], random: Random): void {
  const statement = pick(random, statements);
  const conditions = Object.entries(statement.Condition ?? {});
  const [operator, keys] = conditions.length === 0 ? ['', {}] : pick(random, conditions);
  const key = Object.keys(keys).length === 0 ? undefined : pick(random, Object.keys(keys));
  const change = (value: unknown): void => {
    if (key !== undefined)
      statement.Condition = { ...statement.Condition, [operator]: { ...keys, [key]: value } };
  };
  const value = key === undefined ? undefined : keys[key];
  pick(random, [
    () => statements.push(drawStatement(random, 'Allow')),
    () => statements.push(drawStatement(random)),
    () => void statements.splice(statements.indexOf(statement), 1),
    () => (statement['Effect'] = 'Allow'),
    () => (statement['Principal'] = drawStatement(random)['Principal']),
    () => (statement['Action'] = [statement['Action'], `kms:${pick(random, KEY_OPERATIONS)}`].flat()),
    () => (statement['Action'] = drawStatement(random)['Action'] ?? '*'),
    () => (statement['Resource'] = 'arn:aws:kms:*:*:key/${aws:PrincipalTag/key}'),
    () => key !== undefined && Reflect.deleteProperty(keys, key),
    () => change([value, '${aws:PrincipalTag/any}'].flat()),
    () => change("${aws:SourceIdentity, 'x'}"),
    () => change([value, 'ab'.repeat(48)].flat()),
    () => {
      if (key === undefined) return;
      const renamed = pick(random, [
        `${operator}IfExists`,
        `ForAllValues:${operator}`,
        operator.replace('Equals', 'NotEquals'),
        'StringLike',
      ]);
      Reflect.deleteProperty(keys, key);
      statement.Condition = {
        ...statement.Condition,
        [renamed]: { ...statement.Condition?.[renamed], [key]: renamed === 'StringLike' ? '*' : value },
      };
    },
    () =>
      (statement.Condition = (drawStatement(random)['Condition'] ?? {}) as NonNullable<
        Statement['Condition']
      >),
  ])();
  for (const one of statements) {
    const left = Object.entries(one.Condition ?? {}).filter(([, members]) => Object.keys(members).length > 0);
    if (left.length === 0) Reflect.deleteProperty(one, 'Condition');
    else one.Condition = Object.fromEntries(left);
  }
}

function isReading(action: string): boolean {
  return /^kms:(?:DescribeKey|GetKeyLastUsage|GetKeyPolicy|GetKeyRotationStatus|ListGrants|ListKeyPolicies|ListKeyRotations|ListResourceTags)$/.test(
    action,
  );
}

/** What an administrator may do to the key without using it. */
function isAdministration({ who, action }: OracleRequest): boolean {
  const keeps =
    /^kms:(?:Enable|Disable|Tag|Untag|Update(?:Alias|KeyD)|Create(?:Alias)|DeleteAlias|DeleteImp|Retire|Revoke|Rotate|Cancel|Schedule|Put|GetParam)/;
  return who.names.includes(ADMIN) && keeps.test(action);
}

describe('a rendered policy that somebody has changed', () => {
  it('passes no gate and is named by lint and diff wherever it permits anything more', () => {
    const seen = { gained: 0, judged: 0 };
    for (let seed = 1; seed <= 90; seed += 1) {
      const random = seeded(seed);
      const { Statement } = JSON.parse(RENDERED) as { Statement: Statement[] };
      for (let count = 1 + Math.floor(random() * 2); count > 0; count -= 1) mutate(Statement, random);
      const mutated = JSON.stringify({ Version: '2012-10-17', Statement });
      const hints = readHints(`[${RENDERED},${mutated}]`);
      const gains: OracleRequest[] = [];
      for (let count = 0; count < 120; count += 1) {
        const request = drawRequest(mutated, hints, KEY, NOW, random);
        if (allows(mutated, request) && !allows(RENDERED, request)) gains.push(request);
      }
      const [first] = gains.filter(({ action }) => !isReading(action));
      if (first === undefined) continue;
      seen.gained += 1;
      const shown = `seed ${seed}: ${mutated}\n${JSON.stringify(first)}`;
      const judge = <T>(ask: () => T): T | undefined => {
        try {
          return ask();
        } catch (error) {
          // Refused outright, which opens nothing.
          if (error instanceof KeyPolicyError) return undefined;
          throw error;
        }
      };
      const compared = judge(() => compareWithRendered(mutated, OPTIONS, KEY));
      if (compared !== undefined) expect(compared.unproven.length > 0 ? '' : shown).toBe('');
      const difference = judge(() => diffKeyPolicies(RENDERED, mutated, { keyArn: KEY, now: NOW }));
      if (difference !== undefined) expect(difference.gained.length > 0 ? '' : shown).toBe('');
      const worst = gains.find((one) => !isReading(one.action) && !isAdministration(one));
      if (worst === undefined) continue;
      seen.judged += 1;
      const options = {
        keyArn: KEY,
        now: NOW,
        nodes: [NODE],
        admins: [ADMIN],
        images: [PCRS],
        encryptionContext: OPTIONS.encryptionContext,
      };
      const findings = judge(() => lintKeyPolicy(mutated, options));
      if (findings !== undefined) {
        const about = findings.filter(
          ({ code }) => !['CANNOT_DECRYPT', 'LOCKED_OUT', 'NEVER_ATTESTED', 'PCR3_MISMATCH'].includes(code),
        );
        expect(about.length > 0 ? '' : `${shown}\n${JSON.stringify(worst)}`).toBe('');
      }
    }
    expect(seen.gained).toBeGreaterThan(12);
    expect(seen.judged).toBeGreaterThan(12);
  }, 300_000);

  it('compares equal in another order, with lists of one, other Sids and other case where AWS ignores it', () => {
    expect(compareWithRendered(RENDERED, OPTIONS, KEY)).toEqual({ unproven: [], missing: [] });
    const { Statement } = JSON.parse(RENDERED) as { Statement: Statement[] };
    const rewritten = Statement.toReversed().map((one, index) => ({
      ...Object.fromEntries(Object.entries(one).toReversed()),
      Sid: `S${index}`,
      Action: [one['Action']]
        .flat()
        .map((action) => String(action).toUpperCase().replace('KMS:', 'kms:'))
        .toReversed(),
      Resource: ['*'],
      Principal: one['Principal'] === '*' ? { AWS: ['*'] } : one['Principal'],
    }));
    const text = JSON.stringify({ Statement: rewritten, Version: '2008-10-17', Id: 'x' })
      .replaceAll('kms:RecipientAttestation', 'KMS:recipientattestation')
      .replaceAll(/"(6[0-9a-f])+"/g, (value) => value.toUpperCase());
    expect(compareWithRendered(text, OPTIONS, KEY)).toEqual({ unproven: [], missing: [] });
  });
});
