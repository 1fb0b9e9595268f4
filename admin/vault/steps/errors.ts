import { HoldfastError } from '../../../shared/errors.ts';

export type StepErrorCode =
  /** The credentials are those of another account than vault.yaml names for the role. */
  | 'VAULT_OTHER_ACCOUNT'
  /** What lies in a bucket under the name of a step's object has other bytes. */
  | 'VAULT_OBJECT_DIFFERS'
  /** What a step would do is no longer what a person was shown and has agreed to. */
  | 'VAULT_PLAN_CHANGED'
  /** The change would remove or replace what holds a key or data, or may. */
  | 'VAULT_WOULD_DESTROY'
  /** The change would put a key policy, which is the gate's to put. */
  | 'VAULT_WOULD_REOPEN'
  /** Another run, on this machine or another, is changing the stack. */
  | 'VAULT_STACK_BUSY'
  /** CloudFormation could not make the stack as ordered; `cause` says which resource failed first, and why. */
  | 'VAULT_STACK_FAILED'
  /** CloudFormation could not take the last change of a stack back; `resources` says what failed. */
  | 'VAULT_STACK_ROLLBACK_FAILED'
  /** A stack of stage 1 that was stated is no more, or another one has its name. */
  | 'VAULT_STACK_GONE'
  /** A stack of the name that the vault's would have is that of another vault in the same account. */
  | 'VAULT_STACK_OTHER_VAULT'
  /** The template is longer than CloudFormation takes in a request. */
  | 'VAULT_STACK_TOO_LARGE'
  /** A stack lacks an output, or has one of another form. */
  | 'VAULT_OUTPUT_WRONG'
  /** The release of one node's admin is another than that of this role. */
  | 'VAULT_RELEASE_DIFFERS'
  /** vault.yaml wants every admin of a node to have rebuilt the image that they vouch for, and `node`'s has not. */
  | 'VAULT_REBUILD_MISSING'
  /** vault.yaml names no key that releases are signed with. */
  | 'VAULT_RELEASE_KEY_UNKNOWN'
  /** The host says that a deployment failed; `reason` is its code. */
  | 'VAULT_DEPLOY_FAILED'
  /** The host's answer to a deployment is not what `parent deploy` prints. */
  | 'VAULT_DEPLOY_MALFORMED'
  /** A node is up that should have been refused by KMS, or is down that should serve. */
  | 'VAULT_NODE_UNEXPECTED'
  /** Some nodes were left as they are, and the others went on; `left` says which, why, and whose turn it is. */
  | 'VAULT_NODES_LEFT'
  /** The key in KMS is not closed before its gate, or has another policy than the steps put. */
  | 'VAULT_KEY_POLICY_CHANGED'
  /** A private key of a configuration authority is needed, and none was given. */
  | 'VAULT_AUTHORITY_MISSING'
  /** A step of the first ceremony would sign the first rules again, though the node has a later configuration. */
  | 'VAULT_CEREMONY_OVER'
  /** Other rules than another node's admin has stated for the same change of a vault. */
  | 'VAULT_CHANGE_DIFFERS'
  /** A change of a vault's rules is numbered too far ahead of all in which the other nodes' admins have taken part. */
  | 'VAULT_CHANGE_LEAP'
  /** The rules that were given are those that the node has already. */
  | 'VAULT_CHANGE_NONE'
  /** A node runs another configuration than its admin has stated last, or a file is not the one that was stated. */
  | 'VAULT_CONFIGURATION_DIFFERS'
  /** A configuration that is to be signed does not do what it says. */
  | 'VAULT_CONFIGURATION_LINTED'
  /** The version of a configuration is not above the newest one of the node. */
  | 'VAULT_CONFIGURATION_OLD'
  /** A configuration would leave keys out that the node holds, or drop them. */
  | 'VAULT_KEYS_LOST'
  /** A description of changed rules differs from vault.yaml in what no configuration can change. */
  | 'VAULT_RULES_OTHER_VAULT'
  /** The function that signs configurations is not the one that was put into the node's stack. */
  | 'VAULT_FUNCTION_CHANGED'
  /** The function does not sign a configuration; `reason` is its code. */
  | 'VAULT_SIGNING_REFUSED'
  /** The function's answer is not what it gives, or is about another configuration. */
  | 'VAULT_SIGNING_MALFORMED'
  /** Another node than the one that was named first is to be the canary of an upgrade. */
  | 'VAULT_UPGRADE_CANARY_DIFFERS'
  /** An upgrade has to see the quorum sign, and no client of the vault was given. */
  | 'VAULT_UPGRADE_CLIENT_MISSING'
  /** A role has stated another day for the same upgrade. */
  | 'VAULT_UPGRADE_DAY_DIFFERS'
  /** Nobody has said until when the old image of an upgrade is admitted. */
  | 'VAULT_UPGRADE_DAY_MISSING'
  /** A node's key no longer admits the old image, so that there is no way back to it. */
  | 'VAULT_UPGRADE_NARROWED'
  /** No upgrade is under way, or the nodes run the release already. */
  | 'VAULT_UPGRADE_NONE'
  /** An upgrade is being rolled back, and that has to come to its end first. */
  | 'VAULT_UPGRADE_ROLLING_BACK'
  /** The key by which the quorum is to prove that it signs is none that its nodes share. */
  | 'VAULT_UPGRADE_SIGN_KEY'
  /** The first ceremony has to leave the nodes alone while they are upgraded. */
  | 'VAULT_UPGRADE_UNDER_WAY'
  /** A step did not come to its end in the time that the command waits; the next run goes on. */
  | 'VAULT_STEP_UNFINISHED';

/** Refusal of a step of a vault's ceremony. */
export class StepError extends HoldfastError<StepErrorCode> {}
