import { measureInstanceRole } from '../measurement.ts';
import { isUnusedPcr, type PcrValues } from '../pcr.ts';
import { KMS_ACTIONS } from './actions.ts';
import { KeyPolicyError } from './errors.ts';
import { isRolePcr, toPcrHex } from './pcr-values.ts';

/** An image that may decrypt. */
export interface AdmittedImage {
  /** PCRs as parsePcrFile returns them, and PCR16 (the node's manifest). Unused PCRs from 3 on are not bound. */
  readonly pcrs: PcrValues;
  /** Time from which the image may not decrypt, in milliseconds since 1970. Default: no end. */
  readonly until?: number;
}

/** Options of {@link renderKeyPolicy}. */
export interface RenderOptions {
  /** ARN of the role of the parent instance, under which the enclave's requests are signed. */
  readonly nodeRole: string;
  /** ARNs of roles or users who administrate the key, without the right to use it. */
  readonly admins: readonly string[];
  /** The image to run, followed by the images that it replaces. */
  readonly images: readonly [AdmittedImage, ...AdmittedImage[]];
  /** The node's encryption context, from its manifest. */
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** Lets the first image make the master password; put a policy without it once the password exists. Default: false. */
  readonly initialise?: boolean;
  /** Lets the admins have KMS make a master password that they cannot see; put a policy without it then. Default: false. */
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
 * that no IAM policy can reopen it; thirty days between the order to delete the key and its end. In the steady state that use is kms:Decrypt alone.
 *
 * @returns the JSON of the policy, indented, the same for the same options
 * @throws KeyPolicyError POLICY_UNBOUND when a measurement is missing or zero, POLICY_ROLE_MISMATCH when PCR3 is of
 * another role
 * @throws RangeError without admins or an encryption context, or with the node among the admins
 *
 * Source: KMS Developer Guide, "Condition keys for Nitro Enclaves" and "Key policies".
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { lintKeyPolicy, renderKeyPolicy } from '@holdfast-nodes/holdfast/attestation/key-policy';
 *
 * const policy = renderKeyPolicy({
 *   nodeRole: 'arn:aws:iam::111122223333:role/node',
 *   admins: ['arn:aws:iam::111122223333:role/admin'],
 *   images: [{ pcrs: parsePcrFile(await readFile('node.pcr.json')) }],
 *   encryptionContext: { 'holdfast:node': '1' },
 * });
 * const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
 * console.log(lintKeyPolicy(policy, { keyArn, now: Date.now() }).length); // 0
 * ```
 */
export function renderKeyPolicy(options: RenderOptions): string {
  const { admins, images, encryptionContext } = options;
  if (admins.length === 0) throw new RangeError('somebody has to be able to change the policy');
  if (admins.includes(options.nodeRole))
    throw new RangeError('nodeRole is among admins: expected a node that does not administrate its key');
  if (Object.keys(encryptionContext).length === 0)
    throw new RangeError('encryptionContext is empty: expected at least one pair');
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
 * Writes a policy under which nobody can use the key, not even by an earlier grant. A new key begins with it, since the
 * manifest names the key and the final policy needs the manifest; put on a key in use, it shuts a node out at once.
 *
 * @param admins ARNs of roles or users who administrate the key; the caller of PutKeyPolicy has to be one of them
 * @returns the JSON of the policy, indented
 * @throws RangeError without admins
 *
 * Source: KMS Developer Guide, "Key policies" and "Grants".
 */
export function renderClosedKeyPolicy(admins: RenderOptions['admins']): string {
  if (admins.length === 0) throw new RangeError('somebody has to be able to change the policy');
  return format([administration(admins), CLOSURE, TIME_TO_NOTICE]);
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

/** Shortest time between the order to delete the key and its end, in days: the longest that KMS gives. */
const DELETION_DAYS = 30;

/** Denial of an end that nobody may notice in time; a request without a number of days has KMS take thirty. */
const TIME_TO_NOTICE: object = {
  Sid: 'ThirtyDaysToNotice',
  Effect: 'Deny',
  Principal: '*',
  Action: 'kms:ScheduleKeyDeletion',
  Resource: '*',
  Condition: { NumericLessThan: { 'kms:ScheduleKeyDeletionPendingWindowInDays': String(DELETION_DAYS) } },
};

/** Denials that hold whatever this policy, or a grant, allows. */
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
  TIME_TO_NOTICE,
];

/** Denial of every use. It has no condition, since a grantee can get a document for an enclave of any image. */
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
 * Writes the statement that lets principals have KMS make a master password for one node, and nothing else. The principals
 * get its ciphertext, and can neither choose the password, as with kms:Encrypt, nor read it.
 *
 * @param principals ARNs of roles or users
 * @param encryptionContext the node's, from its manifest
 * @returns a statement of a key policy, to be serialised as JSON
 *
 * Source: KMS API Reference, "GenerateDataKeyWithoutPlaintext".
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

/** Writes a list of one as AWS does: its entry alone. */
function one(values: readonly string[]): string | readonly string[] {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}
