import type { LookupFunction } from 'node:net';
import { dnsSuffixOf } from '../../shared/aws/partitions.ts';
import { createKmsService, type CmsShape, type KeyDecision, type RecipientVerifier } from '../kms/index.ts';
import { createSecretsManagerService } from '../secrets-manager/index.ts';
import { PrincipalDirectory } from './directory.ts';
import { startAwsServer, type AwsEvent } from './server.ts';
import { StateStore } from './state.ts';
import { openAuthority } from './tls.ts';

export interface LocalAwsOptions {
  /** Where keys, secrets and the TLS authority are kept; without it they end with the process. */
  readonly stateDirectory?: string;
  /** Verifies attestation documents, under the root of whoever provides the NSM. */
  readonly verifyRecipient: RecipientVerifier;
  /** Default `constructed`. */
  readonly cmsShape?: CmsShape;
  /** Milliseconds since 1970; the machine's by default. */
  readonly clock?: () => number;
  /** Default: any that is free. */
  readonly port?: number;
  /** Told of every request. */
  readonly onEvent?: (event: AwsEvent) => void;
  /** Told of every decision on a key. */
  readonly onDecision?: (decision: KeyDecision) => void;
}

/** What an AWS SDK client needs, beside credentials, to talk to the local AWS under AWS's own host names. */
interface ClientOptions {
  readonly region: string;
  readonly endpoint: string;
  readonly requestHandler: { readonly httpsAgent: { readonly ca: string; readonly lookup: LookupFunction } };
}

/** KMS and Secrets Manager of all accounts and regions, on one loopback port. */
export interface LocalAws {
  readonly port: number;
  /** The authority of every certificate that the port shows: what a client pins. */
  readonly caPem: string;
  /** Accounts, roles and credentials. */
  readonly directory: PrincipalDirectory;
  clientOptions(service: 'kms' | 'secretsmanager', region: string): ClientOptions;
  close(): Promise<void>;
}

/**
 * Starts the stand-ins for AWS.
 * @throws LocalAwsError STATE_IN_USE, STATE_UNREADABLE
 */
export async function startLocalAws(options: LocalAwsOptions): Promise<LocalAws> {
  const clock = options.clock ?? Date.now;
  const directory = new PrincipalDirectory(clock);
  const state = new StateStore(options.stateDirectory);
  try {
    // Certificates are checked by the clocks of real clients.
    const authority = openAuthority(state, Date.now());
    const { verifyRecipient, cmsShape, onDecision, onEvent, port } = options;
    const kms = createKmsService({
      state,
      verifyRecipient,
      ...(cmsShape === undefined ? {} : { cmsShape }),
      ...(onDecision === undefined ? {} : { onDecision }),
    });
    const server = await startAwsServer({
      services: [kms, createSecretsManagerService({ state })],
      directory,
      authority,
      clock,
      ...(port === undefined ? {} : { port }),
      ...(onEvent === undefined ? {} : { onEvent }),
    });
    return {
      port: server.port,
      caPem: authority.caPem,
      directory,
      clientOptions: (service, region) => ({
        region,
        endpoint: `https://${service}.${region}.${dnsSuffixOf(region)}:${server.port}`,
        requestHandler: { httpsAgent: { ca: authority.caPem, lookup: lookupLoopback } },
      }),
      async close() {
        await server.close();
        state.close();
      },
    };
  } catch (error) {
    state.close();
    throw error;
  }
}

/** Every name is this machine. */
const lookupLoopback: LookupFunction = (_name, options, done) => {
  if (options.all === true) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};
