import { AdminError } from '../../admin/errors.ts';
import { type AwsAccess, openCloudFormation, openKms, openSts } from '../../admin/aws/index.ts';
import {
  checkAccount,
  createAccountView,
  describeRole,
  type Role,
  type RoleDescription,
  rolesOf,
  type VaultDocument,
  type VaultFinding,
} from '../../admin/vault/index.ts';
import { readAwsAccess } from '../common/aws.ts';
import { type CommandInput, type OptionSpec, UsageError } from '../common/command.ts';

/** Options by which a verb is told whose credentials it may look with, beside those of every verb that asks AWS. */
export const SEEN_OPTIONS = {
  'aws-profile-of': {
    type: 'string',
    value: 'ROLE=NAME',
    multiple: true,
    description: 'AWS profile with credentials of a role, to look at its account as well',
  },
  offline: { type: 'boolean', description: 'look at no account, even where credentials are at hand' },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Variables by which credentials come to the AWS SDK; without one of them nothing looks for any. */
const AT_HAND = [
  'AWS_PROFILE',
  'AWS_ACCESS_KEY_ID',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

/** What was seen of the account of one role. */
export interface SeenAccount {
  readonly role: Role;
  /** Principal that looked; null: nothing was looked at. */
  readonly as: string | null;
}

/**
 * Looks at the accounts of roles whose credentials are at hand, and says of the others that nothing was looked at.
 * @throws UsageError; AdminError INTERRUPTED
 */
export async function checkAccounts(
  input: CommandInput,
  document: VaultDocument,
  own: Role | undefined,
): Promise<{ readonly findings: readonly VaultFinding[]; readonly accounts: readonly SeenAccount[] }> {
  const roles = own === undefined ? rolesOf(document) : [own];
  const profiles = readProfiles(input, document);
  const findings: VaultFinding[] = [];
  const accounts: SeenAccount[] = [];
  const hasDefault = !input.flag('offline') && areCredentialsAtHand(input);
  const account = hasDefault && own === undefined ? await findAccount(input, document.region) : undefined;
  for (const role of roles) {
    const description = describeRole(document, role);
    const profile = profiles.get(role);
    const isMeant =
      profile !== undefined || (hasDefault && (own === role || account === description.account));
    if (input.flag('offline') || !isMeant) {
      accounts.push({ role, as: null });
      continue;
    }
    const seen = await look(input, document, description, profile);
    findings.push(...seen.findings);
    accounts.push({ role, as: seen.as });
  }
  return { findings, accounts };
}

function readProfiles(input: CommandInput, document: VaultDocument): ReadonlyMap<Role, string> {
  const profiles = new Map<Role, string>();
  for (const value of input.texts('aws-profile-of')) {
    const [, name = '', profile] = /^([^=]+)=(.+)$/.exec(value) ?? [];
    const role = rolesOf(document).find((known) => known === name);
    if (role === undefined || profile === undefined)
      throw new UsageError('--aws-profile-of is ROLE=NAME, of a role of the vault');
    profiles.set(role, profile);
  }
  return profiles;
}

function areCredentialsAtHand({ text, io }: CommandInput): boolean {
  const env = io.env ?? process.env;
  return text('aws-profile') !== undefined || AT_HAND.some((name) => (env[name] ?? '') !== '');
}

/** Account of the credentials at hand; undefined where they cannot be used. */
async function findAccount(input: CommandInput, region: string): Promise<string | undefined> {
  try {
    const access = await readAwsAccess(input, region);
    return await withView(access, input, async (view) => (await view.callerIdentity()).account);
  } catch (error) {
    return rethrowUnlessAws(error);
  }
}

async function look(
  input: CommandInput,
  document: VaultDocument,
  { role, region }: RoleDescription,
  profile: string | undefined,
): Promise<{ readonly findings: readonly VaultFinding[]; readonly as: string | null }> {
  try {
    const access = await readAwsAccess(input, region);
    return await withView(profile === undefined ? access : { ...access, profile }, input, async (view) => {
      const { arn } = await view.callerIdentity();
      return { findings: await checkAccount(document, role, view), as: arn };
    });
  } catch (error) {
    rethrowUnlessAws(error);
    const { code, details } = error as AdminError;
    const finding: VaultFinding = {
      code: 'ACCOUNT_NOT_SEEN',
      severity: 'warning',
      roles: [role],
      path: typeof details['operation'] === 'string' ? details['operation'] : role,
      line: null,
      text: `the account of ${role} could not be looked at: ${code}`,
      advice: `holdfast explain ${code} says more.`,
    };
    return { findings: [finding], as: null };
  }
}

function rethrowUnlessAws(error: unknown): undefined {
  if (error instanceof AdminError && error.code.startsWith('AWS_')) return undefined;
  throw error;
}

async function withView<Result>(
  access: AwsAccess,
  { io }: CommandInput,
  act: (view: ReturnType<typeof createAccountView>) => Promise<Result>,
): Promise<Result> {
  const [sts, cloudFormation, kms] = await Promise.all([
    openSts(access),
    openCloudFormation(access),
    openKms(access),
  ]);
  try {
    return await act(createAccountView({ sts, cloudFormation, kms }, io.signal));
  } finally {
    for (const client of [sts, cloudFormation, kms]) client.destroy();
  }
}
