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
}

/** The key policy of a node's key, as JSON. */
export function renderNodePolicy({
  adminRole,
  parentRole,
  manifest,
  pcrs,
  initialise = false,
}: NodePolicy): string {
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
  const attested = {
    Sid: 'AttestedUse',
    Effect: 'Allow',
    Principal: { AWS: parentRole },
    Action: initialise ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'],
    Resource: '*',
    Condition: {
      StringEqualsIgnoreCase: Object.fromEntries(
        [...pcrs].map(([index, value]) => [
          `kms:RecipientAttestation:PCR${index}`,
          Buffer.from(value).toString('hex'),
        ]),
      ),
      StringEquals: Object.fromEntries(
        Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
      ),
    },
  };
  return JSON.stringify({ Version: '2012-10-17', Statement: [administration, attested] });
}
