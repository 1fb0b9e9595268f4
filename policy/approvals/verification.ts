import { ed25519 } from '@noble/curves/ed25519.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import {
  type Assertion,
  verifyAssertion,
  WebAuthnError,
  type WebAuthnErrorCode,
} from '../../shared/webauthn/index.ts';
import type {
  Approval,
  ApprovalProof,
  ApproverCredential,
  ApproverEntry,
  ExpectedApproval,
  VerifiedApproval,
} from './approval.ts';
import { nameCredential } from './approval.ts';
import { ApprovalError, type ApprovalErrorCode } from './errors.ts';
import {
  type ApprovalStatement,
  computeChallenge,
  encodeApprovalMessage,
  parseStatement,
} from './statement.ts';

/** What is known at the time of a vote beside the request itself. */
export interface ApprovalState {
  readonly approvers: readonly ApproverEntry[];
  /** Milliseconds since 1970, by the NSM. */
  readonly now: number;
  /** Last counter of a passkey by {@link nameCredential}; 0 before its first use. */
  readonly lastCounter: (credential: string) => number;
}

/**
 * Verifies a vote against the request that waits. Everything that the signature covers is compared with the node's own
 * record, so that no vote counts for another request, transaction, node, configuration, rule or time; the signature
 * comes last, because it costs most.
 *
 * @throws ApprovalError
 */
export function verifyApproval(
  approval: Approval,
  expected: ExpectedApproval,
  state: ApprovalState,
): VerifiedApproval {
  const statement = parseStatement(approval.statement);
  assertSubject(statement, expected, state.now);
  const { entry, credential } = findCredential(approval.proof, statement.approver, state.approvers);
  assertEntitled(entry, expected);
  assertFirst(statement, expected);
  const counter = assertProof(approval, credential, state);
  return { approver: entry.id, decision: statement.decision, credential, counter };
}

/** Asserts that a statement is about this request under this rule, now. */
function assertSubject(statement: ApprovalStatement, expected: ExpectedApproval, now: number): void {
  const { request, configuration } = expected;
  if (statement.request.id !== request.id || statement.request.digest !== request.digest) {
    throw new ApprovalError('APPROVAL_OTHER_REQUEST', 'the vote is about another request', {
      expected: request,
      actual: statement.request,
    });
  }
  if (statement.manifest !== expected.manifest) {
    throw new ApprovalError('APPROVAL_OTHER_NODE', 'the vote is for another node', {
      expected: expected.manifest,
      actual: statement.manifest,
    });
  }
  const isRule =
    statement.rule === expected.rule &&
    statement.configuration.version === configuration.version &&
    statement.configuration.digest === configuration.digest;
  if (!isRule) {
    throw new ApprovalError('APPROVAL_OTHER_RULE', 'the vote is under another configuration or rule', {
      expected: { rule: expected.rule, configuration },
      actual: { rule: statement.rule, configuration: statement.configuration },
    });
  }
  // A statement that names another end was made for another reading of the request.
  if (statement.expires !== expected.expires || !(now < expected.expires)) {
    throw new ApprovalError('APPROVAL_EXPIRED', 'the request or the vote has expired', {
      expected: expected.expires,
      actual: statement.expires,
      now,
    });
  }
}

/** Finds whose credential the proof names; the statement must name the same person. */
function findCredential(proof: ApprovalProof, approver: string, approvers: readonly ApproverEntry[]) {
  const name = proof.type === 'passkey' ? proof.credentialId : proof.publicKey;
  const entry = approvers.find(({ id }) => id === approver);
  const credential = entry?.credentials.find(
    (candidate) => candidate.type === proof.type && nameCredential(candidate) === name,
  );
  if (entry === undefined || credential === undefined) {
    throw new ApprovalError(
      'APPROVER_UNKNOWN',
      'the configuration has no such approver with this credential',
      {
        approver,
      },
    );
  }
  return { entry, credential };
}

function assertEntitled({ id, credentials }: ApproverEntry, { asked, requester }: ExpectedApproval): void {
  const isRequester =
    id === requester.person || credentials.some(({ publicKey }) => publicKey === requester.publicKey);
  if (isRequester) {
    throw new ApprovalError('APPROVER_IS_REQUESTER', 'the approver stands behind the client that asks', {
      approver: id,
    });
  }
  if (!asked.includes(id)) {
    throw new ApprovalError('APPROVER_NOT_ASKED', 'the rule does not ask this approver', { approver: id });
  }
}

/** Asserts that a person votes once; whoever has approved may still reject. */
function assertFirst({ approver, decision }: ApprovalStatement, { votes }: ExpectedApproval): void {
  const before = votes.find((vote) => vote.approver === approver);
  if (before === undefined || (before.decision === 'approve' && decision === 'reject')) return;
  throw new ApprovalError('APPROVAL_REPEATED', 'the approver has voted on this request', { approver });
}

function assertProof(
  { statement, proof }: Approval,
  credential: ApproverCredential,
  state: ApprovalState,
): number | null {
  if (proof.type === 'passkey' && credential.type === 'passkey') {
    return assertPasskey(proof, credential, statement, state.lastCounter(nameCredential(credential)));
  }
  const isValid =
    proof.type === 'ed25519' &&
    proof.signature.length === 64 &&
    verifyEd25519(proof.signature, encodeApprovalMessage(statement), credential.publicKey);
  if (!isValid) throw new ApprovalError('APPROVAL_SIGNATURE_INVALID', 'the signature does not verify');
  return null;
}

function verifyEd25519(signature: Uint8Array, message: Uint8Array, publicKey: string): boolean {
  try {
    return ed25519.verify(signature, message, hexToBytes(publicKey), { zip215: false });
  } catch {
    // Thrown for a public key that is no point.
    return false;
  }
}

const CODE_OF_STEP: Readonly<Partial<Record<WebAuthnErrorCode, ApprovalErrorCode>>> = {
  WEBAUTHN_CHALLENGE: 'APPROVAL_OTHER_REQUEST',
  WEBAUTHN_ORIGIN: 'APPROVAL_ORIGIN',
  WEBAUTHN_CROSS_ORIGIN: 'APPROVAL_ORIGIN',
  WEBAUTHN_RELYING_PARTY: 'APPROVAL_ORIGIN',
  WEBAUTHN_USER_PRESENCE: 'APPROVAL_USER_NOT_VERIFIED',
  WEBAUTHN_USER_VERIFICATION: 'APPROVAL_USER_NOT_VERIFIED',
  WEBAUTHN_COUNTER: 'APPROVAL_COUNTER_BACK',
};

function assertPasskey(
  assertion: Assertion,
  { algorithm, publicKey, relyingParty, origins }: Extract<ApproverCredential, { type: 'passkey' }>,
  statement: Uint8Array,
  lastCounter: number,
): number {
  try {
    const { counter } = verifyAssertion(assertion, {
      challenge: computeChallenge(statement),
      origins,
      relyingParty,
      key: { algorithm, publicKey: hexToBytes(publicKey) },
      lastCounter,
    });
    return counter;
  } catch (error) {
    if (!(error instanceof WebAuthnError)) throw error;
    const code = CODE_OF_STEP[error.code] ?? 'APPROVAL_SIGNATURE_INVALID';
    throw new ApprovalError(code, error.message, error.details, error);
  }
}
