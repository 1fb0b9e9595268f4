import type { AwsAccess } from '../../admin/aws/index.ts';
import { type CommandInput, type OptionSpec, readInput, UsageError } from './command.ts';

const MAX_CA_BYTES = 1024 * 1024;

/** Options of every command that talks to AWS. Credentials come from where the AWS SDK looks for them. */
export const AWS_OPTIONS = {
  'aws-profile': {
    type: 'string',
    value: 'NAME',
    description: 'AWS profile (default: where the AWS SDK looks: environment, profile, SSO, instance)',
  },
  endpoint: { type: 'string', value: 'URL', description: 'another endpoint than that of AWS, https alone' },
  ca: { type: 'string', value: 'PEM', description: 'trust these authorities and no others' },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** What {@link AWS_OPTIONS} say of the AWS that is asked. @throws UsageError; CliError INPUT_TOO_LARGE, INTERRUPTED */
export async function readAwsAccess(
  { text, io }: Pick<CommandInput, 'text' | 'io'>,
  region: string,
): Promise<AwsAccess> {
  const [profile, endpoint, ca] = [text('aws-profile'), text('endpoint'), text('ca')];
  if (endpoint !== undefined && (!URL.canParse(endpoint) || new URL(endpoint).protocol !== 'https:')) {
    throw new UsageError('--endpoint is an https URL');
  }
  return {
    region,
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(ca === undefined ? {} : { ca: await readInput(ca, io, MAX_CA_BYTES) }),
  };
}
