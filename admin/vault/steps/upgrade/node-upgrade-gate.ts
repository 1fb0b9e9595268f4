import { MANIFEST_PCR, type PcrValues } from '../../../../attestation/index.ts';
import { diffKeyPolicies, type GateDecision } from '../../../../attestation/key-policy/index.ts';
import { pinManifestIfUnnamed, signGateRecord } from '../../../key-policy/index.ts';
import {
  assertOverlapLength,
  type KeyPolicyOfNode,
  renderOverlapPolicy,
  renderSinglePolicy,
  type UpgradeImages,
} from '../../../upgrade/index.ts';
import { digestOf } from '../../exchange/index.ts';
import { roleOfNode } from '../../index.ts';
import type { StepContext } from '../context.ts';
import { StepError } from '../errors.ts';
import {
  describeNodeKey,
  gateNodeKey,
  isSamePolicy,
  type NodeKey,
  putKeyPolicy,
  readKeyPolicy,
} from '../key-policy.ts';
import { describePermission } from '../node-gate.ts';
import { documentFile } from '../shown-document.ts';
import type { Step } from '../step.ts';
import {
  assertNotRolledBack,
  assertOneUpgrade,
  describeImages,
  factsOf,
  findUpgradeStatement,
  needUpgradeStatement,
  readImages,
  readUntil,
  type Upgrade,
  withRelease,
} from './upgrade.ts';

/** Key of a node in an upgrade, and the three policies that it may have. */
export interface UpgradeKey {
  readonly key: NodeKey;
  readonly images: UpgradeImages;
  readonly pcr16: Uint8Array;
  readonly until: number;
  /** JSON: the old image alone, both of them, the new one alone. */
  readonly policies: { readonly before: string; readonly overlap: string; readonly narrowed: string };
}

/** Gathers a node's key and its policies from vault.yaml, both releases and what the admin has stated. */
export async function describeUpgradeKey(
  context: StepContext,
  upgrade: Upgrade,
  node: number,
): Promise<UpgradeKey> {
  const until = await readUntil(context, upgrade, node);
  const { policies, ...described } = await describePolicies(context, upgrade, node);
  if (policies.overlap === undefined) throw new TypeError('expected the day of the overlap');
  return { ...described, until, policies: { ...policies, overlap: policies.overlap } };
}

/** The same of a node whose admin may have named no day, so that there is no policy of an overlap. */
export async function describePolicies(context: StepContext, upgrade: Upgrade, node: number) {
  const key = await describeNodeKey(withRelease(context, upgrade, 'new'), node);
  const pcr16 = key.pcrs.get(MANIFEST_PCR);
  if (pcr16 === undefined) throw new TypeError('expected the PCR16 of the manifest');
  const images = await readImages(upgrade);
  const stated = await findUpgradeStatement(context, upgrade, roleOfNode(node), 'upgrade-configuration');
  const { nodeRole, admins, encryptionContext } = key;
  const options: KeyPolicyOfNode = { nodeRole, admins, encryptionContext, pcr16 };
  return {
    key,
    images,
    pcr16,
    policies: {
      before: renderSinglePolicy(options, images.old),
      overlap: stated && renderOverlapPolicy(options, images, Date.parse(stated.facts.until)),
      narrowed: renderSinglePolicy(options, images.new),
    },
  };
}

/** Step that lets the new image in beside the old one, once a live enclave of it has shown what it is. */
export function nodeUpgradeGate(upgrade: Upgrade, node: number): Step<'upgrade-gate'> {
  const role = roleOfNode(node);
  return {
    id: `${role}/upgrade-gate`,
    role,
    name: 'upgrade-gate',
    stage: 2,
    summary: 'verify the live document of the new image, and admit it beside the old one until the day',
    needs: [`${role}/upgrade-configuration`, 'infrastructure/upgrade-attestations'],
    async inspect(context) {
      if ((await findUpgradeStatement(context, upgrade, role, 'upgrade-narrow')) !== undefined)
        return { state: 'done' };
      await assertNotRolledBack(context, upgrade, node);
      const own = await describeUpgradeKey(context, upgrade, node);
      const current = await readKeyPolicy(own.key, context);
      const stated = await findUpgradeStatement(context, upgrade, role, 'upgrade-gate');
      if (stated !== undefined && isSamePolicy(current, own.policies.overlap)) return { state: 'done' };
      if ((await readEvidence(context, upgrade, node)).document === undefined)
        return {
          state: 'waiting',
          waitsFor: [{ role: 'infrastructure', step: 'infrastructure/upgrade-attestations' }],
        };
      const { difference } = await decide(context, upgrade, node, own, current);
      return {
        state: 'ready',
        changes: [
          `puts the policy of ${own.key.keyArn}, by which the old image is refused from ${new Date(own.until).toISOString()}`,
          ...(await describeImages(context, upgrade)),
          ...difference.gained.map((change) => `  permits ${describePermission(change)}`),
          ...difference.lost.map((change) => `  no longer permits ${describePermission(change)}`),
        ],
      };
    },
    async apply(context) {
      await assertNotRolledBack(context, upgrade, node);
      const own = await describeUpgradeKey(context, upgrade, node);
      const current = await readKeyPolicy(own.key, context);
      const { document, nonce, ...decision } = await decide(context, upgrade, node, own, current);
      const policy = own.policies.overlap;
      if (!isSamePolicy(current, policy)) await putKeyPolicy(own.key, policy, context);
      return {
        facts: {
          upgrade: factsOf(upgrade),
          policy: digestOf(Buffer.from(policy)),
          document: digestOf(document),
          nonce,
        },
        files: [
          {
            name: 'gate-record.json',
            bytes: new Uint8Array(Buffer.from(signGateRecord(decision, context.statementKey))),
          },
        ],
      };
    },
  };
}

/**
 * Decides whether the policy of the overlap may be put.
 *
 * @throws StepError VAULT_KEY_POLICY_CHANGED where the policy in force is not that of the old image alone;
 *   KeyPolicyError GATE_…; AttestationError; UpgradeError UPGRADE_OVERLAP_LENGTH
 */
async function decide(
  context: StepContext,
  upgrade: Upgrade,
  node: number,
  { key, images, pcr16, until, policies }: UpgradeKey,
  current: string,
): Promise<Omit<GateDecision, 'document'> & { readonly document: Uint8Array; readonly nonce: string }> {
  await assertOneUpgrade(context, upgrade);
  const now = context.clock();
  assertOverlapLength(until, now);
  // A run that was cut off after the policy was put finds its own.
  if (!isSamePolicy(current, policies.overlap)) assertPolicyBefore(key, policies.before, current, now);
  const { nonce, document } = await readEvidence(context, upgrade, node);
  if (document === undefined)
    throw new StepError('VAULT_STEP_UNFINISHED', 'there is no document for the nonce any more', { node });
  const old: PcrValues = pinManifestIfUnnamed(images.old, pcr16);
  const others = [{ pcrs: old, until }];
  const decision = gateNodeKey(key, { policy: policies.overlap, current, document, nonce, others }, context);
  return { ...decision, document, nonce };
}

/**
 * Asserts that a node's key admits the image that the upgrade comes from, and no other.
 *
 * @throws StepError VAULT_KEY_POLICY_CHANGED
 */
export async function assertAdmitsOldAlone(
  context: StepContext,
  upgrade: Upgrade,
  node: number,
): Promise<void> {
  const { key, policies } = await describePolicies(context, upgrade, node);
  assertPolicyBefore(key, policies.before, await readKeyPolicy(key, context), context.clock());
}

/** @throws StepError VAULT_KEY_POLICY_CHANGED where the policy in force is not that of the old image alone */
function assertPolicyBefore({ keyArn }: NodeKey, before: string, current: string, now: number): void {
  if (isSamePolicy(current, before)) return;
  const difference = diffKeyPolicies(before, current, { keyArn, now });
  throw new StepError('VAULT_KEY_POLICY_CHANGED', 'the policy in force is not that of the old image alone', {
    keyArn,
    permits: difference.gained.map(describePermission),
    lacks: difference.lost.map(describePermission),
  });
}

async function readEvidence(context: StepContext, upgrade: Upgrade, node: number) {
  const stated = await needUpgradeStatement(context, upgrade, roleOfNode(node), 'upgrade-configuration');
  const { nonce } = stated.facts;
  return { nonce, document: await readUpgradeDocument(context, upgrade, node, nonce) };
}

/** Reads the document that a node's new image has made for a nonce; undefined where there is none. */
export async function readUpgradeDocument(
  context: StepContext,
  upgrade: Upgrade,
  node: number,
  nonce: string,
): Promise<Uint8Array | undefined> {
  const stated = await findUpgradeStatement(context, upgrade, 'infrastructure', 'upgrade-attestations');
  const isThere = stated?.facts.documents.some((one) => one.node === node && one.nonce === nonce);
  return stated !== undefined && isThere === true
    ? await context.exchange.file(stated, documentFile(node))
    : undefined;
}
