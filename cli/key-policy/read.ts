import {
  assumeKey,
  type AssumedKey,
  diffKeyPolicies,
  isAtLeast,
  lintKeyPolicy,
  type Finding,
  type PermissionChange,
} from '../../attestation/key-policy/index.ts';
import type { Command } from '../common/command.ts';
import {
  OPTIONS,
  readArns,
  readKeyArn,
  readNamedPolicy,
  readNode,
  readOldPcrs,
  readOptionalKeyArn,
  readPcrs,
  readPolicy,
  readSeverity,
} from './input.ts';
import { encryptionContext, PASSWORD_SECRET } from '../../shared/documents/encryption-context.ts';
import { printable } from '../common/printable.ts';
import { UsageError } from '../common/usage-error.ts';

export const lintCommand: Command = {
  name: 'key-policy lint',
  summary: 'Ask a key policy who gets at the key without the enclave, and say why and how to mend it.',
  positionals: 'POLICY',
  options: {
    key: OPTIONS.key,
    manifest: OPTIONS.manifest,
    pcrs: OPTIONS.pcrs,
    'old-pcrs': OPTIONS['old-pcrs'],
    'node-role': { ...OPTIONS['node-role'], multiple: true },
    admin: OPTIONS.admin,
    'fail-on': OPTIONS['fail-on'],
  },
  examples: [
    'aws kms get-key-policy --key-id KEY --output json | holdfast key-policy lint - --key ARN',
    'holdfast key-policy lint policy.json --manifest manifest.json --pcrs pcr.json --fail-on low --json',
  ],
  async run(input) {
    const { positionals, text } = input;
    const node = await readNode(input);
    const pcrs = text('pcrs');
    const images =
      pcrs === undefined ? [] : [await readPcrs(pcrs, input, node), ...(await readOldPcrs(input, node))];
    const [nodes, admins] = [readArns(input, 'node-role'), readArns(input, 'admin')];
    const severity = readSeverity(input);
    const policy = await readNamedPolicy(positionals[0] ?? '', input);
    const keyArn = readOptionalKeyArn(input, node);
    const { keyArn: asked, assumed } =
      keyArn === undefined ? assumeKeyOf(policy.text) : { keyArn, assumed: undefined };
    const findings = lintKeyPolicy(policy.text, {
      keyArn: asked,
      now: Date.now(),
      ...(node === undefined ? {} : { encryptionContext: encryptionContext(node.manifest, PASSWORD_SECRET) }),
      ...(nodes.length === 0 ? {} : { nodes }),
      ...(admins.length === 0 ? {} : { admins }),
      ...(images.length === 0 ? {} : { images }),
    });
    const ok = !findings.some((finding) => isAtLeast(finding, severity));
    const lines = [...describeSource(policy.name, assumed), describeFindings(findings)];
    return {
      ok,
      text: lines.join('\n'),
      data: {
        failOn: severity,
        policyName: policy.name ?? null,
        ...(assumed === undefined ? {} : { assumed }),
        findings,
      },
    };
  },
};

export const diffCommand: Command = {
  name: 'key-policy diff',
  summary: 'Compare two key policies by what they permit: who can do now what they could not before.',
  positionals: 'OLD NEW',
  options: {
    key: OPTIONS.key,
    manifest: OPTIONS.manifest,
    'exit-code': { type: 'boolean', description: 'refuse when the new policy permits anything more' },
  },
  examples: [
    'holdfast key-policy diff old.json new.json --manifest manifest.json',
    'holdfast key-policy diff old.json new.json --key ARN --exit-code',
  ],
  async run(input) {
    const [before = '', after = ''] = input.positionals;
    const keyArn = readKeyArn(input, await readNode(input));
    const difference = diffKeyPolicies(await readPolicy(before, input), await readPolicy(after, input), {
      keyArn,
      now: Date.now(),
    });
    const { gained, lost } = difference;
    return {
      ok: !input.flag('exit-code') || gained.length === 0,
      text: describeDifference(gained, lost),
      data: difference,
    };
  },
};

/** @throws UsageError where what a policy permits depends on which key it is of */
function assumeKeyOf(policy: string): AssumedKey {
  const assumed = assumeKey(policy);
  if (assumed !== undefined) return assumed;
  throw new UsageError(
    '--key or --manifest is needed: Resource tells keys apart, by several names or a pattern',
  );
}

/** Which policy was read, and of which key, where that is not what everybody takes it for. */
function describeSource(name: string | undefined, assumed: string | undefined): string[] {
  const other = name !== undefined && name !== 'default';
  return [
    ...(other
      ? [
          `policy: ${printable(name)}, which the key has beside "default": aws kms list-key-policies names both`,
        ]
      : []),
    ...(assumed === undefined ? [] : [`assumed: ${printable(assumed)}; say which with --key`]),
  ];
}

/** Findings for people, the worst first. */
export function describeFindings(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'no findings';
  return findings
    .map((finding) => {
      const { code, severity, statement, why, fix, callers = [], actions = [] } = finding;
      const where = statement === undefined ? '' : ` in ${nameStatement(statement)}`;
      return [
        `${severity} ${code}${where}`,
        `  ${printable(why)}`,
        ...(actions.length === 0 ? [] : [`  what: ${actions.map(printable).join(', ')}`]),
        ...(callers.length === 0 ? [] : [`  who: ${callers.map(printable).join('; ')}`]),
        `  fix: ${printable(fix)}`,
      ].join('\n');
    })
    .join('\n\n');
}

/** What changes, one request a line. */
export function describeDifference(
  gained: readonly PermissionChange[],
  lost: readonly PermissionChange[],
): string {
  if (gained.length === 0 && lost.length === 0) return 'both permit the same';
  const lines = (sign: string, changes: readonly PermissionChange[]): string[] =>
    changes.map(({ caller, action, attestation, context, statement }) => {
      const how = attestation === 'none' ? '' : `, attested (${attestation})`;
      const values = Object.entries(context)
        .filter(
          ([key]) => /^kms:(?:recipientattestation|encryptioncontext)/.test(key) || key === 'aws:currenttime',
        )
        .map(([key, value]) => `\n    ${printable(`${key} = ${value}`)}`);
      return `${sign} ${action} by ${printable(caller)}${how}, ${nameStatement(statement)}${values.join('')}`;
    });
  return [...lines('+', gained), ...lines('-', lost)].join('\n');
}

function nameStatement({ index, sid }: { readonly index: number; readonly sid?: string }): string {
  return sid === undefined ? `statement ${index}` : `statement ${index} (${printable(sid)})`;
}
