import { CreateKeyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { MANIFEST_PCR } from '../../attestation/index.ts';
import { renderKeyPolicy } from '../../attestation/key-policy/index.ts';
import { createEnvelope, signEnvelope } from '../../shared/dsse/index.ts';
import {
  type ConfigurationDocument,
  CONFIGURATION_PAYLOAD_TYPE,
} from '../../shared/documents/configuration.ts';
import type { AwsCredentials } from '../aws/index.ts';
import type { Identity } from './identity.ts';
import type { LocalAws } from './local-aws.ts';

export const REGION = 'eu-central-1';
const PARENT_ROLE = 'holdfast-parent';
const ADMIN_ROLE = 'policy-node-admin';

const FIRST_ACTIONS = ['kms:DescribeKey', 'kms:GetKeyPolicy', 'kms:PutKeyPolicy', 'kms:ScheduleKeyDeletion'];

/** IAM policy of the admin; use of the key is not among its rights. */
const ADMIN_IAM_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['kms:CreateKey'], Resource: '*' }],
});

type Pcrs = ReadonlyMap<number, Uint8Array>;

/** Images and role that one key policy admits. */
export interface AdmittedImages {
  readonly keyArn: string;
  /** PCR16, 48 bytes. */
  readonly manifestPcr: Uint8Array;
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** Role of the instance that the node's parent runs on. */
  readonly nodeRole: string;
  readonly images: readonly [Pcrs, ...Pcrs[]];
  /** True allows GenerateDataKey too. */
  readonly initialise: boolean;
}

/** Policy node admin: one AWS account, one KMS key, and the right to say which image may use it. */
export class NodeAdmin {
  readonly accountId: string;
  /** ARN of the admin's role. */
  readonly role: string;
  /** Client of KMS with the admin's credentials. */
  readonly kms: KMSClient;
  readonly #assume: (durationSeconds: number) => AwsCredentials;

  constructor(aws: LocalAws, accountId: string) {
    this.accountId = accountId;
    this.role = aws.directory.defineRole({ accountId, roleName: ADMIN_ROLE, policies: [ADMIN_IAM_POLICY] });
    this.#assume = (durationSeconds) =>
      aws.directory.assumeRole({ roleArn: this.role, sessionName: 'admin', durationSeconds });
    this.kms = new KMSClient({
      ...aws.clientOptions('kms', REGION),
      credentials: () => Promise.resolve(this.credentials()),
    });
  }

  /** Makes temporary credentials of the admin's role. */
  credentials(durationSeconds = 3600): AwsCredentials {
    return this.#assume(durationSeconds);
  }

  /**
   * Makes a key that nobody may use yet: the manifest names the key, so that the first policy cannot name the manifest.
   */
  async createKey(): Promise<string> {
    const Statement = [
      { Effect: 'Allow', Principal: { AWS: this.role }, Action: FIRST_ACTIONS, Resource: '*' },
    ];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    const created = await this.kms.send(
      new CreateKeyCommand({ Description: 'Holdfast policy node', Policy }),
    );
    const arn = created.KeyMetadata?.Arn;
    if (arn === undefined) throw new TypeError('expected the ARN of a new key from KMS');
    return arn;
  }

  /** Puts the key policy that lets these images use the key, and no others. */
  async admit({ keyArn, manifestPcr, images, ...rendered }: AdmittedImages): Promise<void> {
    const bind = (pcrs: Pcrs) => ({ pcrs: new Map([...pcrs, [MANIFEST_PCR, manifestPcr] as const]) });
    const [first, ...others] = images;
    const Policy = renderKeyPolicy({
      ...rendered,
      admins: [this.role],
      images: [bind(first), ...others.map(bind)],
    });
    await this.kms.send(new PutKeyPolicyCommand({ KeyId: keyArn, PolicyName: 'default', Policy }));
  }
}

/** Infrastructure admin: runs the instance of a parent, and has the credentials of that instance's role. */
export class InfrastructureAdmin {
  /** ARN of the instance's role. */
  readonly parentRole: string;
  readonly #assume: () => AwsCredentials;

  constructor(aws: LocalAws, accountId: string) {
    this.parentRole = aws.directory.defineRole({ accountId, roleName: PARENT_ROLE });
    this.#assume = () => aws.directory.assumeRole({ roleArn: this.parentRole, sessionName: 'parent' });
  }

  /** Makes temporary credentials of the instance's role, as its metadata service gives them. */
  parentCredentials(): AwsCredentials {
    return this.#assume();
  }
}

/** Authority that may sign configurations of nodes whose manifests name its key. */
export class ConfigurationAuthority {
  readonly identity: Identity;

  constructor(identity: Identity) {
    this.identity = identity;
  }

  /** Signs a configuration; returns an envelope's bytes. */
  sign(configuration: ConfigurationDocument): Uint8Array {
    const payload = Buffer.from(JSON.stringify(configuration, null, 2));
    const envelope = signEnvelope(
      createEnvelope(CONFIGURATION_PAYLOAD_TYPE, payload),
      this.identity.privateKey,
    );
    return new Uint8Array(Buffer.from(JSON.stringify(envelope, null, 2)));
  }
}
