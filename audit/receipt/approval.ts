import * as z from 'zod';
import { base64UpTo, base64urlUpTo, hex, identifier } from './fields.ts';

/** The longest statement that an approver signs, in bytes. */
const MAX_STATEMENT_BYTES = 4096;
/** The longest clientDataJSON or authenticator data of an assertion, in bytes. */
const MAX_ASSERTION_PART_BYTES = 1024;
/** The longest id of a credential (WebAuthn level 3, section 4), in bytes. */
const MAX_CREDENTIAL_ID_BYTES = 1023;
/** An ECDSA signature in DER is the longest. */
const MAX_SIGNATURE_BYTES = 72;

const signature = base64UpTo(MAX_SIGNATURE_BYTES);

/**
 * One person's word on one request, with everything that its signature was made over: whoever has the configuration
 * can verify the consent again.
 */
export const approvalSchema = z.strictObject({
  /** Id of the person in the configuration. */
  approver: identifier,
  decision: z.enum(['approve', 'reject']),
  /** The canonical JSON that was signed (`holdfast-approval/1`), in base64: the payload of the PAE, not the PAE. */
  statement: base64UpTo(MAX_STATEMENT_BYTES),
  proof: z.discriminatedUnion('type', [
    /** A WebAuthn assertion whose challenge is SHA-256 of the PAE of the statement. */
    z.strictObject({
      type: z.literal('passkey'),
      credentialId: base64urlUpTo(MAX_CREDENTIAL_ID_BYTES),
      authenticatorData: base64UpTo(MAX_ASSERTION_PART_BYTES),
      clientDataJSON: base64UpTo(MAX_ASSERTION_PART_BYTES),
      signature,
    }),
    /** An Ed25519 signature over the PAE of the statement. */
    z.strictObject({ type: z.literal('ed25519'), publicKey: hex(32), signature }),
  ]),
});
export type RecordedApproval = z.infer<typeof approvalSchema>;
