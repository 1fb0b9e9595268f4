import { readFileSync } from 'node:fs';
import type { OraclePrincipal, OracleRequest } from './decide.ts';

/** AWS's own list, with the two names under which its policies know ReEncrypt. */
const { operations, withRecipient } = JSON.parse(
  readFileSync(new URL('../../../../attestation/key-policy/kms-operations.json', import.meta.url), 'utf8'),
) as { operations: string[]; withRecipient: string[] };
const WITHOUT_KEY =
  /CustomKeyStore|^CreateKey$|^GenerateRandom$|^ListKeys$|^ListAliases$|^ListRetirableGrants$/;
export const KEY_OPERATIONS = [
  ...operations.filter((name) => name !== 'ReEncrypt' && !WITHOUT_KEY.test(name)),
  'ReEncryptFrom',
  'ReEncryptTo',
];
const ATTESTED_OPERATIONS = withRecipient.filter((name) => !WITHOUT_KEY.test(name));

/** Numbers below one from a seed (mulberry32). */
export type Random = () => number;
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(random: Random, list: readonly T[]): T {
  const one = list[Math.floor(random() * list.length)];
  if (one === undefined && list.length === 0) throw new RangeError('nothing to pick from');
  return one as T;
}

function text(random: Random, length: number, letters = 'abcdefghijklmnopqrstuvwxyz0123456789-'): string {
  return Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join('');
}

/** What the text of a policy shows: its condition keys with the values beside them, and whatever looks like a name. */
export interface Hints {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly variables: readonly string[];
  readonly names: readonly string[];
  readonly accounts: readonly string[];
}

export function readHints(policy: string): Hints {
  const values = new Map<string, string[]>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (/^[A-Za-z]+:(?!StringEquals)/.test(name) && !/^For(?:All|Any)/.test(name)) {
        const key = name.toLowerCase();
        values.set(key, [...(values.get(key) ?? []), ...[member].flat().map(String)]);
      }
      visit(member);
    }
  };
  visit(JSON.parse(policy));
  const strings = [...policy.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, inside = '']) => inside);
  return {
    values,
    variables: [...policy.matchAll(/\$\{([A-Za-z]+:[^,}\s]+)/g)].map(([, key = '']) => key.toLowerCase()),
    names: strings.filter((one) => /^arn:|^A[A-Z0-9]{15,}$|\.com$/.test(one)),
    accounts: [...policy.matchAll(/\d{12}/g)].map(([id]) => id),
  };
}

/** A request as somebody might send it who has read the policy, for an action or any. */
export function drawRequest(
  policy: string,
  hints: Hints,
  keyArn: string,
  now: number,
  random: Random,
): OracleRequest & { readonly attested: boolean } {
  const attested = random() < 0.4;
  const action = `kms:${pick(random, attested ? ATTESTED_OPERATIONS : [...KEY_OPERATIONS, 'Decrypt', 'Decrypt', 'Decrypt', `New${text(random, 3)}`])}`;
  const { who, own } = drawPrincipal(hints, keyArn, random);
  const context: Record<string, string[]> = {
    'aws:currenttime': [new Date(now + Math.floor(random() ** 4 * 4e11)).toISOString()],
    'aws:securetransport': ['true'],
    'aws:requestedregion': [keyArn.split(':')[3] ?? ''],
    'kms:multiregion': ['false'],
  };
  const whole = random() < 0.5;
  for (const key of new Set([...hints.values.keys(), ...hints.variables])) {
    if (key.startsWith('kms:recipientattestation:') || (key in context && key !== 'aws:currenttime'))
      continue;
    if (random() < (whole ? 0.85 : 0.5)) {
      const many =
        /encryptioncontextkeys|tagkeys|orgpaths/.test(key) && random() < 0.6
          ? 1 + Math.floor(random() * 3)
          : 1;
      context[key] = Array.from({ length: many }, () => drawValue(key, hints, random));
    }
  }
  const time = context['aws:currenttime']?.[0] ?? '';
  if (!(Date.parse(time) >= now)) context['aws:currenttime'] = [new Date(now).toISOString()];
  const pcrs = attested ? 32 : 0;
  for (let pcr = 0; pcr < pcrs; pcr += 1) {
    const key = `kms:recipientattestation:pcr${pcr}`;
    if (pcr > 15 && random() < 0.3) continue;
    context[key] = [drawPcr(hints.values.get(key) ?? [], random)];
    if (pcr === 0) context['kms:recipientattestation:imagesha384'] = context[key];
  }
  drawVariables(policy, context, random);
  for (const [key, value] of Object.entries(own)) {
    if (value === undefined) Reflect.deleteProperty(context, key);
    else context[key] = [value];
  }
  agreeOnContext(context);
  return { action, keyArn, who, context, attested };
}

/** Now and then a variable's key gets the value that is compared with it. */
function drawVariables(policy: string, context: Record<string, string[]>, random: Random): void {
  for (const [, name = '', variable = ''] of policy.matchAll(
    /"([A-Za-z]+:[^"]+)":\s*\[?\s*"\$\{([A-Za-z]+:[^,}\s]+)/g,
  )) {
    const value = context[name.toLowerCase()];
    if (value?.length === 1 && random() < 0.6) context[variable.toLowerCase()] = [...value];
  }
}

/** The names of an encryption context are those of its pairs. */
function agreeOnContext(context: Record<string, string[]>): void {
  const prefix = 'kms:encryptioncontext:';
  const pairs = Object.keys(context).filter((key) => key.startsWith(prefix));
  const others = (context['kms:encryptioncontextkeys'] ?? []).filter(
    (name) => !(prefix + name.toLowerCase() in context),
  );
  for (const name of others) context[prefix + name.toLowerCase()] ??= ['1'];
  const names = [...pairs.map((key) => key.slice(prefix.length)), ...others];
  if (names.length === 0) Reflect.deleteProperty(context, 'kms:encryptioncontextkeys');
  else context['kms:encryptioncontextkeys'] = names;
}

function drawPcr(listed: readonly string[], random: Random): string {
  const exact = listed.map((one) => one.toLowerCase()).filter((one) => /^[0-9a-f]{96}$/.test(one));
  const fill = text(random, 1, '0123456789abcdef').repeat(96);
  const like = listed
    .filter((one) => /[*?]/.test(one))
    .map((one) =>
      (one.replace('*', fill) + fill)
        .slice(0, 96)
        .toLowerCase()
        .replaceAll(/[^0-9a-f]/g, 'a'),
    );
  if (random() < 0.8 && exact.length > 0) return pick(random, exact);
  return pick(random, [text(random, 96, '0123456789abcdef'), '0'.repeat(96), ...like]);
}

function drawValue(key: string, { values }: Hints, random: Random): string {
  const listed = (values.get(key) ?? []).filter((one) => !one.includes('${'));
  const one = listed.length === 0 ? '' : pick(random, listed);
  const number = Number(one);
  const time = Date.parse(one);
  const like = one
    .replaceAll('*', () => text(random, Math.floor(random() * 4)))
    .replaceAll('?', () => text(random, 1));
  const near = /^-?\d+(?:\.\d+)?$/.test(one)
    ? [String(number - 1), String(number + 1), String(number + 0.5)]
    : [];
  const around = /^\d{4}-/.test(one)
    ? [new Date(time - 1000).toISOString(), new Date(time + 1000).toISOString()]
    : [];
  const [address = ''] = one.split('/');
  const next = /^\d+\.\d+\.\d+\.\d+$/.test(address)
    ? [address, address.replace(/\d+$/, '77'), address.replace(/^\d+/, '9')]
    : [];
  return pick(random, [
    one,
    one,
    like,
    like,
    `${one}x`,
    one.toUpperCase(),
    one.toLowerCase(),
    text(random, 6),
    'true',
    'false',
    ...near,
    ...around,
    ...next,
  ]);
}

/** Somebody whom the policy names, or somebody else; with the condition keys that come with that. */
function drawPrincipal(
  hints: Hints,
  keyArn: string,
  random: Random,
): { who: OraclePrincipal; own: Record<string, string | undefined> } {
  const partition = keyArn.split(':')[1] ?? 'aws';
  const account = pick(random, [
    keyArn.split(':')[4] ?? '',
    ...hints.accounts,
    text(random, 12, '0123456789'),
  ]);
  const name = pick(
    random,
    hints.names.length > 0 && random() < 0.7
      ? hints.names
      : [
          `arn:${partition}:iam::${account}:${pick(random, ['role', 'user'])}/${text(random, 5)}`,
          `arn:${partition}:iam::${account}:root`,
          `arn:${partition}:sts::${account}:federated-user/${text(random, 4)}`,
        ],
  );
  const [, , , of, kind = '', last = ''] =
    /^(arn):([a-z-]+):(?:iam|sts)::(\d{12}):([a-z-]+)(?:\/.*?)?([^/:]*)$/.exec(
      name.replaceAll(/[*?]/g, 'q'),
    ) ?? [];
  if (name.endsWith('.com')) {
    const gone = ['arn', 'account', 'type', 'orgid', 'orgpaths'].map(
      (part) => [`aws:principal${part}`, undefined] as const,
    );
    return {
      who: { names: [name] },
      own: {
        'aws:principalisawsservice': 'true',
        'aws:principalservicename': name,
        'aws:username': undefined,
        'aws:userid': undefined,
        ...Object.fromEntries(gone),
      },
    };
  }
  const owner = of ?? account;
  const arn =
    kind === 'assumed-role'
      ? `arn:${partition}:iam::${owner}:role/${name.split('/')[1] ?? ''}`
      : name.startsWith('arn:') && of !== undefined
        ? name.replaceAll(/[*?]/g, 'q')
        : `arn:${partition}:iam::${owner}:role/${text(random, 5)}`;
  const types: Record<string, string> = { root: 'Account', user: 'User', 'federated-user': 'FederatedUser' };
  const role = arn.split('/').at(-1) ?? '';
  const session = arn.includes(':role/')
    ? [`arn:${partition}:sts::${owner}:assumed-role/${role}/${text(random, 6)}`]
    : [];
  return {
    who: { names: [name, arn, ...session], account: owner },
    own: {
      'aws:principalarn': arn,
      'aws:principalaccount': owner,
      'kms:calleraccount': owner,
      'aws:principaltype': types[kind] ?? 'AssumedRole',
      'aws:principalisawsservice': 'false',
      'aws:username': kind === 'user' ? last || role : undefined,
      ...(kind === 'root' ? { 'aws:userid': owner } : {}),
      'aws:principalservicename': undefined,
    },
  };
}
