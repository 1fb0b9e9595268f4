import type { Manifest } from '../../shared/node/manifest.ts';
import { encryptionContext } from '../../shared/node/encryption-context.ts';

const ADMINISTRATION = [
  'kms:CancelKeyDeletion',
  'kms:DescribeKey',
  'kms:DisableKey',
  'kms:EnableKey',
  'kms:GetKeyPolicy',
  'kms:PutKeyPolicy',
  'kms:ScheduleKeyDeletion',
];

interface NodePolicy {
  readonly adminRole: string;
  /** Whose requests may use the key when an enclave attests; without it nobody's may. */
  readonly parentRole?: string;
  readonly manifest?: Manifest;
  readonly pcrs?: ReadonlyMap<number, Uint8Array>;
  readonly initialise?: boolean;
  /** Lets the admin encrypt a password of his own for this node, and nothing else (P10). */
  readonly supply?: boolean;
}

/** The key policy of a node's key, as JSON. */
export function renderNodePolicy({ adminRole, parentRole, manifest, pcrs, ...phase }: NodePolicy): string {
  const administration = {
    Sid: 'Administration',
    Effect: 'Allow',
    Principal: { AWS: adminRole },
    Action: ADMINISTRATION,
    Resource: '*',
  };
  if (parentRole === undefined || manifest === undefined || pcrs === undefined) {
    return JSON.stringify({ Version: '2012-10-17', Statement: [administration] });
  }
  const context = encryptionContext(manifest, 'encryptor-master-password');
  const forContext = Object.fromEntries(
    Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
  );
  const attested = {
    Sid: 'AttestedUse',
    Effect: 'Allow',
    Principal: { AWS: parentRole },
    Action: phase.initialise === true ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'],
    Resource: '*',
    Condition: {
      StringEqualsIgnoreCase: Object.fromEntries(
        [...pcrs].map(([index, value]) => [
          `kms:RecipientAttestation:PCR${index}`,
          Buffer.from(value).toString('hex'),
        ]),
      ),
      StringEquals: forContext,
    },
  };
  const supply = {
    Sid: 'SupplyPassword',
    Effect: 'Allow',
    Principal: { AWS: adminRole },
    Action: 'kms:Encrypt',
    Resource: '*',
    Condition: { StringEquals: forContext },
  };
  const statements = phase.supply === true ? [administration, attested, supply] : [administration, attested];
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}
