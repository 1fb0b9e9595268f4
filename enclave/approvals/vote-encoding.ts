import type { Approval } from '../../policy/approvals/index.ts';
import type { VoteRequest } from '../../shared/api/requests.ts';

/** Writes the base64 of a vote in its one canonical form, which entries of the log take alone. */
export function toCanonical({ statement, proof }: VoteRequest): VoteRequest {
  const again = (text: string) => Buffer.from(text, 'base64').toString('base64');
  if (proof.type === 'ed25519') {
    return { statement: again(statement), proof: { ...proof, signature: again(proof.signature) } };
  }
  return {
    statement: again(statement),
    proof: {
      ...proof,
      authenticatorData: again(proof.authenticatorData),
      clientDataJSON: again(proof.clientDataJSON),
      signature: again(proof.signature),
    },
  };
}

/** Decodes a vote as it is verified. */
export function toApproval({ statement, proof }: VoteRequest): Approval {
  const decode = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
  if (proof.type === 'ed25519') {
    return { statement: decode(statement), proof: { ...proof, signature: decode(proof.signature) } };
  }
  return {
    statement: decode(statement),
    proof: {
      ...proof,
      authenticatorData: decode(proof.authenticatorData),
      clientDataJSON: decode(proof.clientDataJSON),
      signature: decode(proof.signature),
    },
  };
}
