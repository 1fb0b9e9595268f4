import type { Assertion } from '../../shared/webauthn/index.ts';

/** A vote as it arrives, before anything of it was verified. */
export interface Approval {
  /** Canonical JSON of the statement: the payload of the PAE. */
  readonly statement: Uint8Array;
  readonly proof: ApprovalProof;
}

export type ApprovalProof =
  | { readonly type: 'ed25519'; readonly publicKey: string; readonly signature: Uint8Array }
  | ({ readonly type: 'passkey'; readonly credentialId: string } & Assertion);

/** A credential of an approver, as the configuration has it. */
export type ApproverCredential =
  | { readonly type: 'ed25519'; readonly publicKey: string }
  | {
      readonly type: 'passkey';
      readonly algorithm: 'ES256' | 'EdDSA';
      readonly credentialId: string;
      readonly publicKey: string;
      readonly relyingParty: string;
      readonly origins: readonly string[];
    };

/** A person whose consent a rule may ask for; several credentials are still one person. */
export interface ApproverEntry {
  readonly id: string;
  readonly credentials: readonly ApproverCredential[];
}

/** What a vote must be about, from the node's own record of the request that waits. */
export interface ExpectedApproval {
  readonly request: { readonly id: string; readonly digest: string };
  /** SHA-384 of the manifest, in hex. */
  readonly manifest: string;
  readonly configuration: { readonly version: number; readonly digest: string };
  readonly rule: string;
  /** Milliseconds since 1970 at which the request expires. */
  readonly expires: number;
  /** Ids of the approvers whom the rule asks. */
  readonly asked: readonly string[];
  readonly requester: {
    /** Raw Ed25519 public key of the client, in hex. */
    readonly publicKey: string;
    /** Approver who stands behind the client; null where none does. */
    readonly person: string | null;
  };
  /** Votes that count already. */
  readonly votes: readonly { readonly approver: string; readonly decision: 'approve' | 'reject' }[];
}

/** A vote that verified: about this request, by a person who was asked. */
export interface VerifiedApproval {
  readonly approver: string;
  readonly decision: 'approve' | 'reject';
  readonly credential: ApproverCredential;
  /** Counter to keep as the passkey's last one; null for key files, which have none. */
  readonly counter: number | null;
}

/** Names a credential uniquely within a configuration, for its counter. */
export function nameCredential(credential: ApproverCredential): string {
  return credential.type === 'passkey' ? credential.credentialId : credential.publicKey;
}
