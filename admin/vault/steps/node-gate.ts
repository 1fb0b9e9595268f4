import {
  diffKeyPolicies,
  type GateDecision,
  type PermissionChange,
  renderClosedKeyPolicy,
} from '../../../attestation/key-policy/index.ts';
import { signGateRecord } from '../../key-policy/index.ts';
import { digestOf } from '../exchange/index.ts';
import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import { readDocument } from './infrastructure-attestations.ts';
import {
  describeNodeKey,
  gateNodeKey,
  isSamePolicy,
  type NodeKey,
  putKeyPolicy,
  readKeyPolicy,
  renderNodePolicy,
} from './key-policy.ts';
import { assertOneRelease } from './node-release.ts';
import type { Step } from './step.ts';
import { needStatement } from './support.ts';

/** Step that opens a node's key to the enclave that has shown what it is, and to nobody else. */
export function nodeGate(node: number): Step<'gate'> {
  const role = roleOfNode(node);
  return {
    id: `${role}/gate`,
    role,
    name: 'gate',
    stage: 2,
    summary: 'verify the live document, and open the key to that enclave alone',
    needs: [`${role}/nonce`, 'infrastructure/attestations'],
    async inspect(context) {
      if ((await context.exchange.statement(role, 'narrow')) !== undefined) return { state: 'done' };
      const key = await describeNodeKey(context, node);
      const policy = renderNodePolicy(key, true);
      const current = await readKeyPolicy(key, context);
      // A run that was cut off in the next step has narrowed the policy, and has told nobody of it.
      const isPut = isSamePolicy(current, policy) || isSamePolicy(current, renderNodePolicy(key, false));
      if (isPut && (await context.exchange.statement(role, 'gate')) !== undefined) return { state: 'done' };
      const { nonce, document } = await readEvidence(context, node);
      if (document === undefined)
        return {
          state: 'waiting',
          waitsFor: [{ role: 'infrastructure', step: 'infrastructure/attestations' }],
        };
      const { difference } = await decide(context, { key, policy, current, nonce, document });
      return {
        state: 'ready',
        changes: [
          `puts the policy of ${key.keyArn}`,
          ...difference.gained.map((change) => `  permits ${describePermission(change)}`),
          ...difference.lost.map((change) => `  no longer permits ${describePermission(change)}`),
        ],
      };
    },
    async apply(context) {
      const key = await describeNodeKey(context, node);
      const policy = renderNodePolicy(key, true);
      const current = await readKeyPolicy(key, context);
      const { nonce, document } = await readEvidence(context, node);
      if (document === undefined)
        throw new StepError('VAULT_STEP_UNFINISHED', 'there is no document for the nonce any more', { node });
      const decision = await decide(context, { key, policy, current, nonce, document });
      if (!isSamePolicy(current, policy)) await putKeyPolicy(key, policy, context);
      return {
        facts: { policy: digestOf(Buffer.from(policy)), document: digestOf(document), nonce },
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

interface Evidence {
  readonly key: NodeKey;
  readonly policy: string;
  readonly current: string;
  readonly nonce: string;
  readonly document: Uint8Array;
}

/**
 * Decides whether the policy may be put.
 *
 * @throws StepError VAULT_KEY_POLICY_CHANGED where the key is not closed before; KeyPolicyError GATE_…; AttestationError
 */
async function decide(
  context: StepContext,
  { key, policy, current, nonce, document }: Evidence,
): Promise<GateDecision> {
  await assertOneRelease(context);
  const now = context.clock();
  const { gained } = diffKeyPolicies(renderClosedKeyPolicy(key.admins), current, {
    keyArn: key.keyArn,
    now,
  });
  // A run that was cut off after the policy was put finds its own.
  if (gained.length > 0 && !isSamePolicy(current, policy)) {
    throw new StepError(
      'VAULT_KEY_POLICY_CHANGED',
      'the key is not closed, as it has to be before its gate',
      {
        keyArn: key.keyArn,
        permits: gained.map(describePermission),
      },
    );
  }
  return gateNodeKey(key, { policy, current, document, nonce }, context);
}

async function readEvidence(context: StepContext, node: number) {
  const { facts } = await needStatement(context, roleOfNode(node), 'nonce');
  const stated = await needStatement(context, 'infrastructure', 'attestations');
  return { nonce: facts.nonce, document: await readDocument(context, stated, node, facts.nonce) };
}

/** Describes who may do what under a policy. */
export function describePermission({ action, caller, attestation }: PermissionChange): string {
  return `${action} by ${caller}${attestation === 'none' ? '' : `, attested (${attestation})`}`;
}
