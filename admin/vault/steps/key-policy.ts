import { MANIFEST_PCR, parsePcrFile, type PcrValues } from '../../../attestation/index.ts';
import {
  type GateDecision,
  gateKeyPolicy,
  type GateOptions,
  renderKeyPolicy,
} from '../../../attestation/key-policy/index.ts';
import { encryptionContext, PASSWORD_SECRET } from '../../../shared/documents/encryption-context.ts';
import { encodeCanonicalJson, parseJson } from '../../../shared/json/index.ts';
import { askAws } from '../../aws/index.ts';
import { pinManifest } from '../../key-policy/index.ts';
import { measureManifest } from '../derive/manifest.ts';
import { describeRole, roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import { hostRoleOf } from './host-role.ts';
import { needStatement, readManifestBytes } from './support.ts';

/** Largest policy that KMS keeps, in bytes. */
const MAX_POLICY_BYTES = 32 * 1024;
const MAX_DEPTH = 20;
/** Age up to which a document passes the gate, in milliseconds: the certificate in it is valid for three hours. */
const MAX_DOCUMENT_AGE_MS = 3 * 3_600_000;
const READ_ATTEMPTS = 10;
const READ_PAUSE_MS = 1000;

/** Key of a node, and what its policy is made of. */
export interface NodeKey {
  readonly keyArn: string;
  readonly region: string;
  readonly nodeRole: string;
  readonly admins: readonly string[];
  /** PCRs of the image, PCR16 of the manifest among them. */
  readonly pcrs: PcrValues;
  readonly encryptionContext: Readonly<Record<string, string>>;
}

/** Gathers what the policy of a node's key is made of, from vault.yaml, the release and what the admin has stated. */
export async function describeNodeKey(context: StepContext, node: number): Promise<NodeKey> {
  const { region, admins } = describeRole(context.vault, roleOfNode(node));
  const { facts } = await needStatement(context, roleOfNode(node), 'kms-stack');
  const { manifest, pcr16 } = measureManifest(await readManifestBytes(context, node));
  const { pcrJson } = await context.release();
  return {
    keyArn: facts.keyArn,
    region,
    admins,
    nodeRole: hostRoleOf(context.vault, node),
    pcrs: pinManifest(parsePcrFile(pcrJson), new Uint8Array(Buffer.from(pcr16, 'hex'))),
    encryptionContext: encryptionContext(manifest, PASSWORD_SECRET),
  };
}

/** Renders the policy under which the node's enclave alone uses the key. */
export function renderNodePolicy({ nodeRole, admins, pcrs, ...key }: NodeKey, initialise: boolean): string {
  if (!pcrs.has(MANIFEST_PCR)) throw new TypeError('expected the PCR16 of the manifest');
  return renderKeyPolicy({
    nodeRole,
    admins,
    images: [{ pcrs }],
    encryptionContext: key.encryptionContext,
    initialise,
  });
}

/** Reads the policy in force. @throws AdminError AWS_… */
export async function readKeyPolicy({ keyArn, region }: NodeKey, context: StepContext): Promise<string> {
  const { GetKeyPolicyCommand } = await import('@aws-sdk/client-kms');
  const client = await context.aws.kms(region);
  const command = new GetKeyPolicyCommand({ KeyId: keyArn, PolicyName: 'default' });
  const { Policy: policy } = await askAws(
    'kms:GetKeyPolicy',
    client.send(command, { abortSignal: context.signal }),
  );
  if (policy !== undefined) return policy;
  throw new StepError('VAULT_KEY_POLICY_CHANGED', 'KMS gives no policy of the key', { keyArn });
}

/** Puts a policy, and reads it back. @throws StepError VAULT_KEY_POLICY_CHANGED; AdminError AWS_… */
export async function putKeyPolicy(key: NodeKey, policy: string, context: StepContext): Promise<void> {
  const { PutKeyPolicyCommand } = await import('@aws-sdk/client-kms');
  const client = await context.aws.kms(key.region);
  const command = new PutKeyPolicyCommand({ KeyId: key.keyArn, PolicyName: 'default', Policy: policy });
  await askAws('kms:PutKeyPolicy', client.send(command, { abortSignal: context.signal }));
  // KMS may answer with the former policy for a moment.
  for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt += 1) {
    if (isSamePolicy(await readKeyPolicy(key, context), policy)) return;
    await context.sleep(READ_PAUSE_MS);
  }
  throw new StepError('VAULT_KEY_POLICY_CHANGED', 'KMS does not give back the policy that was put', {
    keyArn: key.keyArn,
  });
}

/** Whether two policies are the same JSON, whatever their spaces and the order of their members. */
export function isSamePolicy(one: string, other: string): boolean {
  return canonical(one) === canonical(other);
}

function canonical(policy: string): string {
  const value = parseJson(Buffer.from(policy), { maxBytes: MAX_POLICY_BYTES, maxDepth: MAX_DEPTH });
  return Buffer.from(encodeCanonicalJson(value as never)).toString('utf8');
}

/** What a gate decides on beside the node's key: policies, the live document and the nonce that it was made for, in hex. */
export interface GateEvidence extends Pick<GateOptions, 'policy' | 'current' | 'document' | 'others'> {
  readonly nonce: string;
}

/**
 * Asks the gate whether a policy may be put on a node's key, by a document that its enclave has just made.
 *
 * @throws KeyPolicyError GATE_…; AttestationError
 */
export function gateNodeKey(
  key: NodeKey,
  { nonce, ...evidence }: GateEvidence,
  { root, clock }: Pick<StepContext, 'root' | 'clock'>,
): GateDecision {
  return gateKeyPolicy({
    ...evidence,
    keyArn: key.keyArn,
    nodeRole: key.nodeRole,
    admins: key.admins,
    expected: key.pcrs,
    encryptionContext: key.encryptionContext,
    nonce: new Uint8Array(Buffer.from(nonce, 'hex')),
    root,
    now: clock(),
    maxAgeMs: MAX_DOCUMENT_AGE_MS,
  });
}
