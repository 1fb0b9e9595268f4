import type { VaultDocument } from '../document.ts';
import { deriveStacks, type DerivedStack } from '../derive/stacks.ts';
import { describeRole, nodeOfRole, type Role, type RoleDescription } from '../roles.ts';
import { isWithin } from './networks.ts';
import type { AccountFindingCode, VaultFinding, VaultSeverity } from './finding.ts';

/** Stack as CloudFormation describes it. */
export interface SeenStack {
  readonly status: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** KMS key as DescribeKey tells of it. */
export interface SeenKey {
  readonly arn: string;
  readonly state: string;
  readonly usage: string;
  readonly spec: string;
  readonly origin: string;
  readonly isMultiRegion: boolean;
}

/** What an account shows to somebody with credentials of it. Each only reads; undefined is "there is none". */
export interface AccountView {
  callerIdentity(): Promise<{ readonly account: string; readonly arn: string }>;
  describeStack(name: string): Promise<SeenStack | undefined>;
  describeKey(arn: string): Promise<SeenKey | undefined>;
}

/** Output of a node's stack that names its KMS key. */
const KEY_OUTPUT = 'KeyArn';

/** Finds what the account of one role holds otherwise than vault.yaml says. Reads alone; nothing is changed. */
export async function checkAccount(
  document: VaultDocument,
  role: Role,
  view: AccountView,
): Promise<VaultFinding[]> {
  const own = describeRole(document, role);
  const identity = checkIdentity(own, await view.callerIdentity());
  // Another account's stacks say nothing about this one's.
  if (identity.some(({ code }) => code === 'CREDENTIALS_OF_OTHER_ACCOUNT')) return identity;
  const findings = [...identity];
  for (const stack of deriveStacks(document).filter((one) => one.role === role)) {
    const seen = await view.describeStack(stack.name);
    if (seen === undefined) continue;
    findings.push(...checkStack(stack, seen), ...checkHostAddress(document, stack, seen));
    const keyArn = seen.outputs[KEY_OUTPUT];
    if (nodeOfRole(role) === undefined || keyArn === undefined) continue;
    findings.push(...checkKey(own, keyArn, await view.describeKey(keyArn)));
  }
  return findings;
}

/** Output of a host's stack that says where the other hosts reach it. */
const ADDRESS_OUTPUT = 'PrivateIp';

/** Finds a host whose address is none of those that the other hosts let in. */
function checkHostAddress(
  { infrastructure: { network } }: VaultDocument,
  { role, name, template }: DerivedStack,
  { outputs }: SeenStack,
): VaultFinding[] {
  const address = outputs[ADDRESS_OUTPUT];
  if (template !== 'host' || address === undefined || isWithin(network.peerCidr, address)) return [];
  return [
    reportFor(role)(
      'HOST_OUT_OF_NETWORK',
      'warning',
      `${name} ${ADDRESS_OUTPUT}`,
      `the host has ${address}, and peerCidr is ${network.peerCidr}: the hosts of the other nodes do not let it in`,
      'Name the range of the subnet of the hosts as peerCidr. It is part of vault.yaml, so that everybody needs the new file: mend it before the nodes have started.',
    ),
  ];
}

type Report = (
  code: AccountFindingCode,
  severity: VaultSeverity,
  path: string,
  text: string,
  advice: string,
) => VaultFinding;

const reportFor =
  (role: Role): Report =>
  (code, severity, path, text, advice) => ({ code, severity, roles: [role], path, line: null, text, advice });

function checkIdentity(
  { role, account, admins }: RoleDescription,
  caller: { readonly account: string; readonly arn: string },
): VaultFinding[] {
  const report = reportFor(role);
  if (caller.account !== account) {
    return [
      report(
        'CREDENTIALS_OF_OTHER_ACCOUNT',
        'error',
        'sts:GetCallerIdentity',
        `the credentials are of account ${caller.account}, and ${role} has account ${account}`,
        'Take credentials of the account that vault.yaml names.',
      ),
    ];
  }
  const principal = principalOf(caller.arn);
  if (admins.some((arn) => principalOf(arn) === principal)) return [];
  return [
    report(
      'CREDENTIALS_OF_NO_ADMIN',
      'error',
      'sts:GetCallerIdentity',
      `${caller.arn} is none of the admins of ${role}: AWS would let no such person put a key policy that names the admins alone`,
      'Assume one of the roles that vault.yaml names.',
    ),
  ];
}

/** Names the role or user behind an ARN: a session's ARN has the name of its role without the path. */
function principalOf(arn: string): string {
  const [, , , , account = '', resource = ''] = arn.split(':');
  const [kind = '', ...names] = resource.split('/');
  const name = kind === 'assumed-role' ? names[0] : names.at(-1);
  return `${account} ${kind === 'assumed-role' ? 'role' : kind} ${name ?? ''}`;
}

function checkStack({ role, name, parameters, stage }: DerivedStack, seen: SeenStack): VaultFinding[] {
  const report = reportFor(role);
  const status = describeStatus(seen.status, stage);
  const state =
    status === undefined
      ? []
      : [report(status.code, status.severity, name, `stack ${name} is ${seen.status}`, status.advice)];
  const unknown = Object.keys(parameters).filter((parameter) => !(parameter in seen.parameters));
  if (unknown.length > 0 && Object.keys(seen.parameters).length > 0) {
    const text = `stack ${name} has no parameter ${unknown.join(', ')}`;
    return [
      ...state,
      report(
        'STACK_OF_OTHER_TEMPLATE',
        'error',
        name,
        text,
        'Find out what this stack is; take another namespace if it is not yours.',
      ),
    ];
  }
  const differing = Object.entries(parameters).filter(
    ([parameter, value]) => seen.parameters[parameter] !== value,
  );
  return [
    ...state,
    ...(Object.keys(seen.parameters).length === 0 ? [] : differing).map(([parameter, value]) =>
      report(
        'STACK_PARAMETERS_DIFFER',
        FIXED.has(parameter) ? 'error' : 'warning',
        `${name} ${parameter}`,
        `stack ${name} has ${parameter} = ${seen.parameters[parameter] ?? ''}, and vault.yaml gives ${value}`,
        FIXED.has(parameter)
          ? 'This never changes once the stack is made: another value is another vault. Mend vault.yaml.'
          : '"holdfast vault plan" shows what the change would do.',
      ),
    ),
  ];
}

/** Parameters that say which vault and node a stack is. */
const FIXED = new Set(['Namespace', 'Environment', 'NodeIndex', 'WalletAccountId']);

function describeStatus(
  status: string,
  stage: 1 | 2,
): { code: AccountFindingCode; severity: VaultSeverity; advice: string } | undefined {
  if (status.startsWith('DELETE_')) {
    return {
      code: 'STACK_DELETED',
      // A first attempt that somebody has removed is among those that were deleted; "apply" knows what was stated.
      severity: stage === 1 && status !== 'DELETE_COMPLETE' ? 'error' : 'warning',
      advice: 'Keys and buckets of stage 1 outlive their stack: find them before a new one is made.',
    };
  }
  if (/_FAILED$|^ROLLBACK_COMPLETE$/.test(status)) {
    return { code: 'STACK_STUCK', severity: 'error', advice: 'See the first failed event of the stack.' };
  }
  if (status.endsWith('_IN_PROGRESS')) {
    return { code: 'STACK_IN_PROGRESS', severity: 'note', advice: 'Wait until that has ended.' };
  }
  return undefined;
}

function checkKey(
  { role, account, region }: RoleDescription,
  arn: string,
  key: SeenKey | undefined,
): VaultFinding[] {
  const report = reportFor(role);
  const [, , , keyRegion, keyAccount] = arn.split(':');
  const findings: VaultFinding[] = [];
  if (keyAccount !== account) {
    findings.push(
      report(
        'KMS_KEY_OF_OTHER_ACCOUNT',
        'error',
        arn,
        `the key is in account ${keyAccount ?? ''}, and ${role} has ${account}`,
        'Stop: whoever has that account decides what may decrypt.',
      ),
    );
  }
  if (keyRegion !== region) {
    findings.push(
      report(
        'KMS_KEY_OF_OTHER_REGION',
        'error',
        arn,
        `the key is in ${keyRegion ?? ''}, and vault.yaml says ${region}`,
        'Mend vault.yaml: a key never moves.',
      ),
    );
  }
  if (key === undefined || key.state !== 'Enabled') {
    findings.push(
      report(
        'KMS_KEY_NOT_USABLE',
        'error',
        arn,
        `the key is ${key?.state ?? 'not to be found'}`,
        'Cancel the deletion and enable the key at once.',
      ),
    );
  }
  if (
    key !== undefined &&
    (key.isMultiRegion ||
      key.origin !== 'AWS_KMS' ||
      key.usage !== 'ENCRYPT_DECRYPT' ||
      key.spec !== 'SYMMETRIC_DEFAULT')
  ) {
    findings.push(
      report(
        'KMS_KEY_OF_OTHER_KIND',
        'error',
        arn,
        `the key is ${key.isMultiRegion ? 'multi-Region, ' : ''}${key.spec}, for ${key.usage}, of origin ${key.origin}`,
        'Replicas have policies of their own, and material that was imported lies elsewhere, too: take a key that KMS has made in one Region.',
      ),
    );
  }
  return findings;
}
