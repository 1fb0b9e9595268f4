import { Agent } from 'node:https';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { type CommandInput, type OptionSpec, readInput, UsageError } from '../command.ts';
import { CliError } from '../errors.ts';

const MAX_CA_BYTES = 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_REASON_LENGTH = 500;

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

/** Input with the {@link AWS_OPTIONS}. */
type AwsInput = Pick<CommandInput, 'text' | 'io'>;

interface AwsOptions {
  readonly region: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly requestHandler: NodeHttpHandler;
}

/** Opens a client for the KMS of a region. @throws UsageError; CliError */
export async function openKms(input: AwsInput, region: string): Promise<KMSClient> {
  const { KMSClient: Client } = await import('@aws-sdk/client-kms');
  return new Client(await readAwsOptions(input, region));
}

/** Opens a client for the Secrets Manager of a region. @throws UsageError; CliError */
export async function openSecretsManager(input: CommandInput, region: string): Promise<SecretsManagerClient> {
  const { SecretsManagerClient: Client } = await import('@aws-sdk/client-secrets-manager');
  return new Client(await readAwsOptions(input, region));
}

async function readAwsOptions({ text, io }: AwsInput, region: string): Promise<AwsOptions> {
  const [profile, endpoint, ca] = [text('aws-profile'), text('endpoint'), text('ca')];
  if (endpoint !== undefined && (!URL.canParse(endpoint) || new URL(endpoint).protocol !== 'https:')) {
    throw new UsageError('--endpoint is an https URL');
  }
  const authorities = ca === undefined ? undefined : Buffer.from(await readInput(ca, io, MAX_CA_BYTES));
  return {
    region,
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
    requestHandler: await createHandler(authorities),
  };
}

async function createHandler(ca: Buffer | undefined): Promise<NodeHttpHandler> {
  const { NodeHttpHandler: Handler } = await import('@smithy/node-http-handler');
  /**
   * Handler that refuses plain HTTP: the environment and the profile can name an endpoint too, and none gets a secret
   * in the clear.
   */
  class EncryptedHandler extends Handler {
    override async handle(
      ...[request, options]: Parameters<NodeHttpHandler['handle']>
    ): ReturnType<NodeHttpHandler['handle']> {
      if (request.protocol !== 'https:') {
        throw new CliError('AWS_UNREACHABLE', 'expected an https endpoint in the configuration', {
          endpoint: request.hostname,
        });
      }
      return await super.handle(request, options);
    }
  }
  return new EncryptedHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    httpsAgent: new Agent({
      keepAlive: true,
      minVersion: 'TLSv1.2',
      // Holds whatever NODE_TLS_REJECT_UNAUTHORIZED says.
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca }),
    }),
  });
}

/**
 * Sends one request to AWS and returns its response.
 *
 * @param named handlers of the errors that the caller expects, by the error's name
 * @throws CliError AWS_CREDENTIALS, AWS_REFUSED, AWS_UNREACHABLE, INTERRUPTED
 */
export async function askAws<Response>(
  operation: string,
  answer: Promise<Response>,
  named: Readonly<Record<string, () => Response>> = {},
): Promise<Response> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error)) throw error;
    const { name, message, $metadata, code } = error as AwsError;
    const expected = Object.hasOwn(named, name) ? named[name] : undefined;
    if (expected !== undefined) return expected();
    if (name === 'AbortError') throw new CliError('INTERRUPTED', 'interrupted', { operation });
    if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
      throw new CliError('AWS_CREDENTIALS', 'no AWS credentials', { operation });
    }
    if ($metadata?.httpStatusCode === undefined) {
      throw new CliError('AWS_UNREACHABLE', 'AWS cannot be asked', { operation, error: code ?? name });
    }
    const reason = message.slice(0, MAX_REASON_LENGTH);
    throw new CliError('AWS_REFUSED', 'AWS refused', { operation, error: name, reason });
  }
}

interface AwsError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}
