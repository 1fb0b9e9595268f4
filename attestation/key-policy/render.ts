import { measureInstanceRole } from '../measurement.ts';
import { isUnusedPcr, type PcrValues } from '../pcr.ts';
import { KMS_ACTIONS } from './actions.ts';
import { KeyPolicyError } from './errors.ts';
import { isRolePcr, toPcrHex } from './pcr-values.ts';

/** An image that may decrypt. */
export interface AdmittedImage {
  /** As parsePcrFile gives them, PCR16 (the node's manifest) with them. Unused PCRs from 3 on are left out. */
  readonly pcrs: PcrValues;
  /** Milliseconds since 1970: from then on the image may not decrypt. Without it, until the next policy. */
  readonly until?: number;
}

export interface RenderOptions {
  /** ARN of the role of the parent instance, under which the enclave's requests are signed. */
  readonly nodeRole: string;
  /** ARNs of roles or users who administrate the key. They get no use of it. */
  readonly admins: readonly string[];
  /** The image to run first; after it, those that it replaces. */
  readonly images: readonly [AdmittedImage, ...AdmittedImage[]];
  /** The node's encryption context, from its manifest. */
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** Lets the first image make the master password. Put the policy without it as soon as it has. */
  readonly initialise?: boolean;
  /** Lets the admins have KMS make a master password for this node, which they do not see. For that moment only. */
  readonly supply?: boolean;
}

const IMAGE_PCRS = [0, 1, 2];
const MANIFEST_PCR = 16;

const ADMINISTRATION = [
  'kms:CancelKeyDeletion',
  'kms:DescribeKey',
  'kms:DisableKey',
  'kms:DisableKeyRotation',
  'kms:EnableKey',
  'kms:EnableKeyRotation',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:ListGrants',
  'kms:ListKeyPolicies',
  'kms:ListResourceTags',
  'kms:PutKeyPolicy',
  'kms:RevokeGrant',
  'kms:ScheduleKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateKeyDescription',
];

/**
 * Writes the key policy of one policy node: attested use by the instance's role, for each image with all its PCRs
 * and the node's encryption context; administration without use for the admins; nothing for the account as such, so
 * that no IAM policy can reopen it. In the steady state that use is kms:Decrypt alone.
 *
 * @throws KeyPolicyError POLICY_UNBOUND when a measurement is missing or zero, POLICY_ROLE_MISMATCH when PCR3 is of
 * another role; RangeError for options without sense
 */
export function renderKeyPolicy(options: RenderOptions): string {
  const { admins, images, encryptionContext } = options;
  if (admins.length === 0) throw new RangeError('somebody has to be able to change the policy');
  if (admins.includes(options.nodeRole)) throw new RangeError('the node does not administrate its own key');
  if (Object.keys(encryptionContext).length === 0) throw new RangeError('an encryption context is missing');
  const foreign = images.find(({ pcrs }) => !isRolePcr(pcrs.get(3), options.nodeRole));
  if (foreign !== undefined) {
    throw new KeyPolicyError(
      'POLICY_ROLE_MISMATCH',
      "PCR3 is not the measurement of the role: it is SHA-384 of 48 zero bytes and the role's ARN, not of the ARN alone",
      {
        role: options.nodeRole,
        expected: toPcrHex(measureInstanceRole(options.nodeRole)),
        actual: toPcrHex(foreign.pcrs.get(3)),
      },
    );
  }
  return format([
    administration(admins),
    ...images.map((image, index) => attestedUse(options, image, index)),
    ...(options.supply === true ? [renderSupplyStatement(admins, encryptionContext)] : []),
    ...DENIALS,
  ]);
}

/**
 * A policy under which nobody uses the key, not by a grant that somebody made before either: what a new key begins with,
 * since a manifest names the key and a policy the manifest, and what shuts a node out at once.
 *
 * @param admins ARNs of roles or users who administrate the key; whoever puts the policy has to be one of them
 * @throws RangeError without any
 */
export function renderClosedKeyPolicy(admins: RenderOptions['admins']): string {
  if (admins.length === 0) throw new RangeError('somebody has to be able to change the policy');
  return format([administration(admins), CLOSURE]);
}

function administration(admins: readonly string[]): object {
  return {
    Sid: 'Administration',
    Effect: 'Allow',
    Principal: { AWS: one(admins) },
    Action: ADMINISTRATION,
    Resource: '*',
  };
}

/** Whatever else is allowed, in this policy or by a grant. */
const DENIALS: readonly object[] = [
  {
    Sid: 'NothingUnattested',
    Effect: 'Deny',
    Principal: '*',
    Action: KMS_ACTIONS.use,
    Resource: '*',
    Condition: { Null: { 'kms:RecipientAttestation:PCR0': 'true' } },
  },
  {
    Sid: 'NoWayAround',
    Effect: 'Deny',
    Principal: '*',
    Action: [...KMS_ACTIONS.bypass, 'kms:ReEncryptTo'],
    Resource: '*',
  },
];

/** Without a condition: a grantee's own enclave has a document too, of whatever image. */
const CLOSURE: object = {
  Sid: 'NobodyUses',
  Effect: 'Deny',
  Principal: '*',
  Action: [...KMS_ACTIONS.use, ...KMS_ACTIONS.mint, ...KMS_ACTIONS.bypass],
  Resource: '*',
};

function format(statements: readonly object[]): string {
  return `${JSON.stringify({ Version: '2012-10-17', Id: 'holdfast-node', Statement: statements }, undefined, 2)}\n`;
}

/**
 * The statement that lets whoever it names have KMS make a master password for this node, and nothing else: they get its
 * ciphertext, and can neither choose nor read what is in it, as they could with kms:Encrypt.
 *
 * @param principals ARNs of roles or users
 */
export function renderSupplyStatement(
  principals: readonly string[],
  encryptionContext: RenderOptions['encryptionContext'],
): object {
  return {
    Sid: 'SupplyPassword',
    Effect: 'Allow',
    Principal: { AWS: one(principals) },
    Action: 'kms:GenerateDataKeyWithoutPlaintext',
    Resource: '*',
    Condition: { StringEquals: conditionOf(encryptionContext) },
  };
}

function conditionOf(encryptionContext: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(encryptionContext).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
  );
}

function attestedUse(
  { nodeRole, encryptionContext, initialise }: RenderOptions,
  { pcrs, until }: AdmittedImage,
  index: number,
): object {
  return {
    Sid: index === 0 ? 'AttestedImage' : `AttestedImageBefore${index}`,
    Effect: 'Allow',
    Principal: { AWS: nodeRole },
    Action: initialise === true && index === 0 ? ['kms:Decrypt', 'kms:GenerateDataKey'] : 'kms:Decrypt',
    Resource: '*',
    Condition: {
      StringEqualsIgnoreCase: Object.fromEntries(
        boundPcrs(pcrs).map(([pcr, value]) => [`kms:RecipientAttestation:PCR${pcr}`, value]),
      ),
      StringEquals: conditionOf(encryptionContext),
      ...(until === undefined
        ? {}
        : { DateLessThan: { 'aws:CurrentTime': new Date(until).toISOString().replace(/\.[0-9]+/, '') } }),
    },
  };
}

function boundPcrs(pcrs: PcrValues): [number, string][] {
  for (const pcr of [...IMAGE_PCRS, MANIFEST_PCR]) {
    if (isUnusedPcr(pcrs.get(pcr))) {
      throw new KeyPolicyError('POLICY_UNBOUND', `PCR${pcr} is missing or zero`, { pcr });
    }
  }
  return [...pcrs]
    .filter(([, value]) => !isUnusedPcr(value))
    .sort(([a], [b]) => a - b)
    .map(([pcr, value]) => [pcr, toPcrHex(value)]);
}

/** A list of one as AWS writes it. */
function one(values: readonly string[]): string | readonly string[] {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}
