import type { Condition } from '../../shared/documents/configuration.ts';

/** Kinds of requests that Signatory tells apart. */
export const REQUEST_KINDS = [
  'generic',
  'block',
  'preattestation',
  'attestation',
  'attestation_with_dal',
  'pack',
] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/** Former names, which Signatory still takes. */
export const FORMER_NAMES: ReadonlyMap<string, string> = new Map([
  ['endorsement', 'attestation'],
  ['preendorsement', 'preattestation'],
]);

/** Selectors of the effects of consensus payloads, by Signatory's name of the request. */
export const CONSENSUS_SELECTORS = {
  block: 'block',
  preattestation: 'preattestation',
  attestation: 'attestation',
  attestation_with_dal: 'attestation-with-dal',
} as const satisfies Partial<Record<RequestKind, string>>;

export const BALLOTS = ['ballot:yay', 'ballot:nay', 'ballot:pass'] as const;

/** What a rule says of one kind of operation. */
export interface OperationRule {
  /** Type of the effect that tells the operation from others by its selector. */
  readonly type: Condition['type'];
  /** Selector of that effect; null: the ordinary operation of its type, which a condition without selectors permits. */
  readonly selector: string | null;
  /** Types of further effects of the ordinary operation. */
  readonly also?: readonly Condition['type'][];
  readonly features: readonly string[];
}

const protocol = (type: Condition['type'], name: string): OperationRule => ({
  type,
  selector: name,
  features: [`tezos:${name.replaceAll('_', '-')}`],
});
const ballot = (vote: (typeof BALLOTS)[number]): OperationRule => ({
  type: 'call',
  selector: vote,
  features: ['tezos:ballot'],
});
const staking = (selector: string, features: readonly string[] = []): OperationRule => ({
  type: 'stake',
  selector,
  features,
});

/** Operations of a generic request that a node signs. */
export const OPERATIONS: ReadonlyMap<string, OperationRule> = new Map([
  [
    'transaction',
    {
      type: 'transfer',
      selector: null,
      also: ['call', 'allowance'],
      features: ['tezos:tokens-of-others', 'tezos:unlimited-allowance'],
    },
  ],
  ['reveal', { type: 'reveal', selector: null, features: [] }],
  ['delegation', { type: 'delegate', selector: null, features: [] }],
  ['origination', { type: 'deploy', selector: null, features: [] }],
  ['ballot:yay', ballot('ballot:yay')],
  ['ballot:nay', ballot('ballot:nay')],
  ['ballot:pass', ballot('ballot:pass')],
  ['proposals', protocol('call', 'proposals')],
  ['stake', staking('stake')],
  ['unstake', staking('unstake')],
  ['finalize_unstake', staking('finalize_unstake')],
  ['set_delegate_parameters', staking('set_delegate_parameters', ['tezos:set-delegate-parameters'])],
  ['update_consensus_key', protocol('delegate', 'update_consensus_key')],
  ['update_companion_key', protocol('delegate', 'update_companion_key')],
  ['drain_delegate', protocol('transfer', 'drain_delegate')],
  ['set_deposits_limit', protocol('call', 'set_deposits_limit')],
  ['increase_paid_storage', protocol('call', 'increase_paid_storage')],
  ['register_global_constant', protocol('deploy', 'register_global_constant')],
  ['smart_rollup_originate', protocol('deploy', 'smart_rollup_originate')],
  ['smart_rollup_add_messages', protocol('call', 'smart_rollup_add_messages')],
  ['smart_rollup_execute_outbox_message', protocol('call', 'smart_rollup_execute_outbox_message')],
  ['dal_publish_commitment', protocol('call', 'dal_publish_commitment')],
  ['failing_noop', protocol('message', 'failing_noop')],
]);

/** Operation that a rule can permit only beside transactions: a ticket for a contract looks like a call of it. */
export const TRANSFER_TICKET = 'transfer_ticket';

/** Operations that Signatory knows and no node signs. */
export const UNSIGNED_OPERATIONS: ReadonlySet<string> = new Set([
  'activate_account',
  'attestations_aggregate',
  'dal_entrapment_evidence',
  'double_attestation_evidence',
  'double_baking_evidence',
  'double_consensus_operation_evidence',
  'double_preattestation_evidence',
  'preattestations_aggregate',
  'seed_nonce_revelation',
  'signature_prefix',
  'smart_rollup_cement',
  'smart_rollup_publish',
  'smart_rollup_recover_bond',
  'smart_rollup_refute',
  'smart_rollup_timeout',
  'vdf_revelation',
  'zk_rollup_origination',
  'zk_rollup_publish',
  'zk_rollup_update',
]);

/** Kinds of consensus requests that some put among operations, where Signatory refuses to start. */
export const MISPLACED_KINDS: ReadonlySet<string> = new Set([
  'attestation',
  'attestation_with_dal',
  'preattestation',
  'block',
  'endorsement',
  'preendorsement',
]);
