import { CHECK_SEVERITIES, checkDescription, type CheckFinding } from '../../admin/canton/index.ts';
import { type IdentityPolicy, parseIdentityPolicy } from '../../attestation/key-policy/index.ts';
import { type Command, type CommandInput, type Outcome, readInput } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { printable } from '../common/printable.ts';
import { UsageError } from '../common/usage-error.ts';
import { readDescriptionFile } from './file.ts';
import { OBJECTS, readObjectsFiles } from './objects-files.ts';

const MAX_POLICY_BYTES = 32_768;

export const checkCommand: Command = {
  name: 'canton check',
  summary:
    'Look at what runs in the cluster: fragments that another variable overrides, fields that stop the node, keys that would stay in the database, roles that lack a permission.',
  positionals: 'FILE',
  options: {
    objects: { ...OBJECTS, required: true },
    policy: {
      type: 'string',
      value: 'NAME=FILE',
      multiple: true,
      description: "IAM policy of a validator's role, as JSON; several of one validator count together",
    },
    'fail-on': {
      type: 'string',
      value: 'SEVERITY',
      description: `exit 1 at findings from this severity on: ${CHECK_SEVERITIES.join(', ')} (default: warning)`,
    },
  },
  examples: [
    'kubectl get deploy,sts,sa,cm,secret -A -o json | holdfast canton check canton.yaml --objects -',
    'holdfast canton check canton.yaml --objects cluster.json --policy alpha=alpha-policy.json --fail-on error --json',
  ],
  run: runCheck,
};

async function runCheck({ positionals, text, texts, io }: CommandInput): Promise<Outcome> {
  const [path = ''] = positionals;
  const failOn = text('fail-on') ?? 'warning';
  const limit = CHECK_SEVERITIES.findIndex((severity) => severity === failOn);
  if (limit === -1) throw new UsageError(`--fail-on is one of ${CHECK_SEVERITIES.join(', ')}`);
  const description = await readDescriptionFile(path, io);
  const policies = await readPolicies(texts('policy'), io);
  const objects = await readObjectsFiles(texts('objects'), io);
  const findings = inFile(path, () => checkDescription(description, objects, policies));
  const count = (severity: CheckFinding['severity']) =>
    findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings, notes] = [count('error'), count('warning'), count('note')];
  return {
    ok: !findings.some(({ severity }) => CHECK_SEVERITIES.indexOf(severity) <= limit),
    text: [
      ...findings.flatMap(describe),
      `${errors} errors, ${warnings} warnings, ${notes} notes about ${description.validators.length} validators`,
    ].join('\n'),
    data: { failOn, findings, errors, warnings, notes },
  };
}

function describe({ code, severity, validator, path, text, advice }: CheckFinding): string[] {
  return [
    `${severity.padEnd(8)}${code} (${validator}, ${printable(path)}): ${printable(text)}`,
    `        ${printable(advice)}`,
  ];
}

async function readPolicies(
  values: readonly string[],
  io: CommandInput['io'],
): Promise<ReadonlyMap<string, readonly IdentityPolicy[]>> {
  const policies = new Map<string, readonly IdentityPolicy[]>();
  for (const value of values) {
    const [, name, path] = /^([^=]+)=(.+)$/s.exec(value) ?? [];
    if (name === undefined || path === undefined) throw new UsageError('--policy is NAME=FILE');
    const bytes = await readInput(path, io, MAX_POLICY_BYTES);
    const policy = inFile(path, () => parseIdentityPolicy(Buffer.from(bytes).toString()));
    policies.set(name, [...(policies.get(name) ?? []), policy]);
  }
  return policies;
}
