import type { LookupFunction } from 'node:net';
import { join } from 'node:path';
import { dnsSuffixOf } from '../../shared/aws/partitions.ts';
import {
  createCloudFormation,
  createRecordsService,
  createRegistry,
  readObjectBy,
  RECORD_SERVICES,
  ResponseBox,
  type CloudFormation,
  type InstanceHooks,
} from '../cloudformation/index.ts';
import { createIamService } from '../iam/index.ts';
import { createStsService } from '../sts/index.ts';
import { createKmsService, type CmsShape, type KeyDecision, type RecipientVerifier } from '../kms/index.ts';
import { createLambdaService, type InvocationRecord, Lambda } from '../lambda/index.ts';
import { createS3Service, S3 } from '../s3/index.ts';
import { createSecretsManagerService } from '../secrets-manager/index.ts';
import { createSsmService, ManagedHosts } from '../ssm/index.ts';
import { PrincipalDirectory } from '../aws/directory.ts';
import type { AwsService } from '../aws/plumbing.ts';
import { startAwsServer, type AwsEvent, type AwsServer } from '../aws/server.ts';
import { StateStore } from '../aws/state.ts';
import { openAuthority } from '../aws/tls.ts';

export interface LocalAwsOptions {
  /** Folder in which keys, secrets and the TLS authority are kept; without one they end with the process. */
  readonly stateDirectory?: string;
  /** Verifier of attestation documents, under the root of the NSM's provider. */
  readonly verifyRecipient: RecipientVerifier;
  /** Shape of CMS content; `constructed` when left out. */
  readonly cmsShape?: CmsShape;
  /** Clock in milliseconds since 1970; the machine's when left out. */
  readonly clock?: () => number;
  /** Port; any that is free when left out. */
  readonly port?: number;
  /** What makes hosts of the instances that stacks launch; without it they are records. */
  readonly instanceHooks?: InstanceHooks;
  /** Called for every request. */
  readonly onEvent?: (event: AwsEvent) => void;
  /** Called after every try of a function's invocation. */
  readonly onInvocation?: (invocation: InvocationRecord) => void;
  /** Called for every decision on a key. */
  readonly onDecision?: (decision: KeyDecision) => void;
}

/** Options, beside credentials, of an AWS SDK client that talks to the local AWS under AWS's own host names. */
interface ClientOptions {
  readonly region: string;
  readonly endpoint: string;
  readonly requestHandler: { readonly httpsAgent: { readonly ca: string; readonly lookup: LookupFunction } };
}

/** Services of the local AWS, as in their host names. */
type ServiceName = 'kms' | 'secretsmanager' | 's3' | 'lambda' | 'cloudformation' | 'sts' | 'iam' | 'ssm';

/** Services of all accounts and regions, on one loopback port. */
export interface LocalAws {
  readonly port: number;
  /** Authority of every certificate that the port shows, in PEM: clients pin it. */
  readonly caPem: string;
  /** Accounts, roles and credentials. */
  readonly directory: PrincipalDirectory;
  /** Buckets of all accounts, for providers of resources in this process. */
  readonly s3: S3;
  /** Stacks of all accounts. */
  readonly cloudFormation: Pick<CloudFormation, 'settled'>;
  /** Functions of all accounts, for providers of resources in this process. */
  readonly lambda: Lambda;
  /** Instances that Systems Manager gives commands to. */
  readonly hosts: ManagedHosts;
  clientOptions(service: ServiceName, region: string): ClientOptions;
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
    // Real clients check certificates by their own clocks, so that the machine's clock dates them.
    const authority = openAuthority(state, Date.now());
    const { verifyRecipient, cmsShape, onDecision, onEvent, port } = options;
    const isClosed = (accountId: string) => directory.isClosed(accountId);
    const kms = createKmsService({
      state,
      isClosed,
      verifyRecipient,
      ...(cmsShape === undefined ? {} : { cmsShape }),
      ...(onDecision === undefined ? {} : { onDecision }),
    });
    const { stateDirectory } = options;
    const s3 = new S3({
      state,
      clock,
      isClosed,
      ...(stateDirectory === undefined ? {} : { folder: join(stateDirectory, 's3') }),
    });
    let origin = '';
    const lambda = new Lambda({
      state,
      directory,
      clock,
      endpoint: () => ({ url: origin, caPem: authority.caPem }),
      ...(options.onInvocation === undefined ? {} : { onInvocation: options.onInvocation }),
      ...(stateDirectory === undefined ? {} : { folder: join(stateDirectory, 'lambda') }),
    });
    const hosts = new ManagedHosts();
    const services: AwsService[] = [
      kms,
      createSecretsManagerService({ state }),
      createS3Service(s3),
      createLambdaService({ lambda, s3 }),
      createIamService({ state, directory }),
      createStsService({ directory }),
      createSsmService({ hosts, clock }),
    ];
    const box = new ResponseBox({ s3, directory, clock, origin: () => `https://localhost:${server.port}` });
    const cloudFormation = createCloudFormation({
      state,
      directory,
      clock,
      registry: createRegistry(box, options.instanceHooks),
      readObject: readObjectBy(createS3Service(s3)),
      services: [...services, ...RECORD_SERVICES.map((name) => createRecordsService(name, state))],
    });
    services.push(cloudFormation.service);
    const server: AwsServer = await startAwsServer({
      services,
      directory,
      authority,
      clock,
      ...(port === undefined ? {} : { port }),
      ...(onEvent === undefined ? {} : { onEvent }),
    });
    origin = `https://127.0.0.1:${server.port}`;
    cloudFormation.resume();
    return {
      port: server.port,
      caPem: authority.caPem,
      directory,
      s3,
      cloudFormation,
      lambda,
      hosts,
      clientOptions: (service, region) => ({
        region,
        endpoint: `https://${service}.${region}.${dnsSuffixOf(region)}:${server.port}`,
        requestHandler: { httpsAgent: { ca: authority.caPem, lookup: lookupLoopback } },
      }),
      async close() {
        await cloudFormation.close();
        await lambda.close();
        await server.close();
        s3.close();
        state.close();
      },
    };
  } catch (error) {
    state.close();
    throw error;
  }
}

/** Resolves every name to this machine. */
const lookupLoopback: LookupFunction = (_name, options, done) => {
  if (options.all === true) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};
