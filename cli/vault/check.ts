import {
  checkVault,
  describeRole,
  partFindings,
  sortFindings,
  VAULT_SEVERITIES,
  type VaultFinding,
  type VaultSeverity,
} from '../../admin/vault/index.ts';
import {
  type Command,
  type CommandInput,
  type OptionSpec,
  type Outcome,
  UsageError,
} from '../common/command.ts';
import { AWS_OPTIONS } from '../common/aws.ts';
import { printable } from '../common/printable.ts';
import { checkAccounts, SEEN_OPTIONS } from './accounts-seen.ts';
import { checkOwnKey } from './own-key.ts';
import { readVaultFile, ROLE_OPTION, VAULT_OPTION, type VaultFile } from './options.ts';

/** Option by which a role sees that vault.yaml names its own key. */
export const OWN_KEY_OPTION = {
  'statement-key': {
    type: 'string',
    value: 'FILE',
    description: 'your private key: that vault.yaml names it, and not one that somebody has put in its place',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

export const checkCommand: Command = {
  name: 'vault check',
  summary:
    'Find what does not fit together in vault.yaml: accounts, Regions, people in two roles, keys in two places, names, thresholds, rules.',
  positionals: '',
  options: {
    ...VAULT_OPTION,
    ...ROLE_OPTION,
    ...OWN_KEY_OPTION,
    ...AWS_OPTIONS,
    ...SEEN_OPTIONS,
    'fail-on': {
      type: 'string',
      value: 'SEVERITY',
      description: `exit 1 at findings from this severity on: ${VAULT_SEVERITIES.join(', ')} (default: error)`,
    },
  },
  examples: [
    'holdfast vault check',
    'holdfast vault check --role node-1 --statement-key keys/node-1.statement.pem',
    'holdfast vault check --role node-1 --aws-profile node-admin',
    'holdfast vault check --aws-profile-of infrastructure=infra --aws-profile-of node-1=node-admin',
    'holdfast vault check --vault vault.yaml --offline --fail-on warning --json',
  ],
  run: runCheck,
};

async function runCheck(input: CommandInput): Promise<Outcome> {
  const failOn = VAULT_SEVERITIES.find((severity) => severity === (input.text('fail-on') ?? 'error'));
  if (failOn === undefined) throw new UsageError(`--fail-on is one of ${VAULT_SEVERITIES.join(', ')}`);
  return await checkFile(await readVaultFile(input), input, failOn);
}

/**
 * Checks a description as far as it can be seen: by itself, by the key that a role holds, and in accounts whose credentials
 * are at hand.
 *
 * @param failOn the mildest severity that is no success
 * @throws UsageError; CliError KEY_FILE_…; VaultError VAULT_ROLE_UNKNOWN; AdminError INTERRUPTED
 */
export async function checkFile(
  vault: VaultFile,
  input: CommandInput,
  failOn: VaultSeverity = 'error',
): Promise<Outcome> {
  const { text } = input;
  const limit = VAULT_SEVERITIES.indexOf(failOn);
  const named = text('role');
  const own = named === undefined ? undefined : describeRole(vault.document, named);
  const env = input.io.env ?? process.env;
  const keyFile = text('statement-key') ?? (own === undefined ? undefined : env['HOLDFAST_STATEMENT_KEY']);
  if (keyFile !== undefined && own === undefined) throw new UsageError('--statement-key needs --role');
  const seen = await checkAccounts(input, vault.document, own?.role);
  const all = [
    ...checkVault(vault, Date.now()),
    ...seen.findings,
    ...(keyFile === undefined || own === undefined ? [] : await checkOwnKey(vault, own, keyFile)),
  ];
  const sorted = sortFindings(all);
  const parts = own === undefined ? undefined : partFindings(sorted, own.role);
  const findings = parts === undefined ? sorted : [...parts.own, ...parts.common];
  const counts = countSeverities(findings);
  const others = countOthers(parts?.others ?? []);
  return {
    ok: !findings.some(({ severity }) => VAULT_SEVERITIES.indexOf(severity) <= limit),
    text: [
      ...(parts?.own ?? sorted).flatMap(describe),
      ...(parts === undefined || parts.common.length === 0 ? [] : ['of the vault as a whole:']),
      ...(parts?.common ?? []).flatMap(describe),
      ...seen.accounts.map(({ role, as }) => `${role.padEnd(16)}${describeSeen(as)}`),
      ...(others.length === 0
        ? []
        : [`others have: ${others.map(({ role, ...of }) => `${role} ${describeCounts(of)}`).join('; ')}`]),
      `${describeCounts(counts, true)}; vault ${vault.digest.slice(0, 16)}…`,
    ].join('\n'),
    data: { vault: vault.digest, failOn, findings, accounts: seen.accounts, ...counts, others },
  };
}

const amount = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

interface Counts {
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
}

function countSeverities(findings: readonly VaultFinding[]): Counts {
  const count = (severity: VaultFinding['severity']) =>
    findings.filter((finding) => finding.severity === severity).length;
  return { errors: count('error'), warnings: count('warning'), notes: count('note') };
}

/** Counts findings by the roles that have them; one of two roles counts for each. */
function countOthers(findings: readonly VaultFinding[]): (Counts & { readonly role: string })[] {
  const roles = [...new Set(findings.flatMap((finding) => finding.roles))].toSorted();
  return roles.map((role) => ({
    role,
    ...countSeverities(findings.filter((finding) => finding.roles.includes(role))),
  }));
}

/** Describes how many there are of each severity; those that are none only where all are asked for. */
function describeCounts({ errors, warnings, notes }: Counts, isWhole = false): string {
  const parts = [
    [errors, 'error'],
    [warnings, 'warning'],
    [notes, 'note'],
  ] as const;
  return parts
    .filter(([count]) => isWhole || count > 0)
    .map(([count, noun]) => amount(count, noun))
    .join(', ');
}

function describeSeen(as: string | null): string {
  return as === null ? 'offline: nothing of its account was looked at' : `looked at as ${printable(as)}`;
}

function describe({ code, severity, path, line, roles, text, advice }: VaultFinding): string[] {
  const where = line === null ? path : `line ${line}, ${path}`;
  const whose = roles.length === 0 ? '' : `; ${roles.join(', ')}`;
  return [
    `${severity.padEnd(8)}${code} (${printable(where)}${whose}): ${printable(text)}`,
    `        ${printable(advice)}`,
  ];
}
