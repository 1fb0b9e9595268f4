import { evaluateKeyPolicy, KeyPolicyError, parseKeyPolicy } from '../../../attestation/key-policy/index.ts';
import {
  attestationContext,
  buildRequestContext,
  type KeyPolicy,
} from '../../../attestation/key-policy/index.ts';
import { KEY_ARN, policyText, session } from '../../attestation/key-policy/policies.ts';
import { samplePolicies } from '../seeds.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

const REQUEST = {
  action: 'kms:Decrypt',
  caller: session('node'),
  keyArn: KEY_ARN,
  context: buildRequestContext(attestationContext(new Map([[0, new Uint8Array(48).fill(1)]]))),
};
const DENY_ALL = parseKeyPolicy(
  policyText({ Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' }),
).statements;

/** A key policy and a decision; whatever it allows, it allows no more with a Deny of everything behind it. */
export const target: FuzzTarget = {
  maxBytes: 4096,
  seeds: samplePolicies,
  fuzz(data) {
    let policy: KeyPolicy;
    try {
      policy = parseKeyPolicy(Buffer.from(data).toString('utf8'));
    } catch (error) {
      if (error instanceof KeyPolicyError) return;
      throw error;
    }
    evaluateKeyPolicy(policy, REQUEST);
    const closed = { ...policy, statements: [...policy.statements, ...DENY_ALL] };
    assertThat(evaluateKeyPolicy(closed, REQUEST).decision === 'deny', 'a Deny of everything was overruled');
  },
};
