import type {
  BootPredicate,
  CeremonyPredicate,
  DecisionPredicate,
  RecordedApproval,
  VotePredicate,
} from '../../../audit/receipt/index.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const common = {
  node: { manifest: 'aa'.repeat(48), namespace: 'treasury', environment: 'production', index: 1 },
  session: '0b'.repeat(16),
  sequence: 7,
  time: '2026-11-29T06:40:17.123Z',
};
const configuration = { version: 4, digest: 'cc'.repeat(48) };

export const REQUEST_DIGEST = 'dd'.repeat(32);

export const ED25519_APPROVAL: RecordedApproval = {
  approver: 'first',
  decision: 'approve',
  statement: base64('{"format":"holdfast-approval/1"}'),
  proof: { type: 'ed25519', publicKey: '11'.repeat(32), signature: base64('s'.repeat(64)) },
};
export const PASSKEY_APPROVAL: RecordedApproval = {
  approver: 'second',
  decision: 'approve',
  statement: base64('{"format":"holdfast-approval/1"}'),
  proof: {
    type: 'passkey',
    credentialId: 'AbC-_9',
    authenticatorData: base64('a'.repeat(37)),
    clientDataJSON: base64('{"type":"webauthn.get"}'),
    signature: base64('s'.repeat(70)),
  },
};

/** A decision that permitted a transfer after two people had agreed. */
export const DECISION: DecisionPredicate = {
  ...common,
  request: {
    client: 'backend',
    key: 'hot',
    algorithm: 'ed25519',
    operation: 'sign',
    payload: 'solana-transaction',
  },
  transaction: {
    kind: 'solana-transaction',
    network: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp',
    source: '4fYNw3dojWmQ4dXtSGE9epjRGy9pFSx62YypT7avPYvA',
    effects: [
      {
        type: 'transfer',
        to: '11111111111111111111111111111112',
        asset: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501',
        amount: '1000000000',
        contract: null,
        selector: null,
        details: { instruction: '0' },
      },
    ],
    fee: { asset: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501', amount: '5000' },
    nonce: null,
    gas: null,
    features: [],
    details: {},
  },
  outcome: 'permitted',
  code: null,
  rule: 'transfers',
  reasons: [],
  needs: [],
  pendingId: '0e'.repeat(16),
  approvals: [ED25519_APPROVAL, PASSKEY_APPROVAL],
  charges: [{ rule: 'transfers', limit: 'daily', asset: null, amount: '1000000000' }],
  configuration,
  failure: null,
  signatures: [{ index: null, publicKey: '22'.repeat(32), sha256: '33'.repeat(32) }],
  witnesses: { threshold: 3, of: 4 },
};

export const DENIAL: DecisionPredicate = {
  ...DECISION,
  outcome: 'denied',
  code: 'POLICY_DENIED',
  rule: null,
  reasons: [{ rule: 'transfers', condition: 'amount', words: 'at most 10, the request has 11' }],
  needs: [{ rule: 'transfers', kind: 'approvals', words: '2 of treasury' }],
  pendingId: null,
  approvals: [],
  charges: [],
  signatures: [],
  witnesses: null,
};

export const BOOT: BootPredicate = {
  ...common,
  entropy: 'ee'.repeat(32),
  previousSize: 7,
  configuration,
  state: 'ff'.repeat(32),
  origin: 'holdfast.invalid/treasury/production/1',
  document: base64('a document'),
};

export const VOTE: VotePredicate = {
  ...common,
  pendingId: '0e'.repeat(16),
  approval: ED25519_APPROVAL,
  configuration,
};

export const TRANSCRIPT_DIGEST = '44'.repeat(32);

export const CEREMONY: CeremonyPredicate = {
  ...common,
  id: '55'.repeat(16),
  operation: 'refresh',
  coordinator: 3,
  request: null,
  holders: [1, 2, 3],
  threshold: 2,
  keys: [{ key: 'treasury', epoch: 2, publicKey: '66'.repeat(32), group: '77'.repeat(48) }],
  configuration,
};
