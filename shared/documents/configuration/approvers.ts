import * as z from 'zod';
import { publicKey32Schema } from '../public-key.ts';
import { areUnique, entryList, idList, identifier } from './fields.ts';

export const MAX_APPROVERS = 256;
const MAX_CREDENTIALS = 8;
const MAX_ORIGINS = 8;
export const MAX_GROUPS = 256;

/** A domain: what WebAuthn calls the relying party's id. */
const domain = z
  .string()
  .max(253)
  .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
/** A web origin (RFC 6454) as a browser writes it into clientDataJSON. */
const origin = z
  .string()
  .max(280)
  .regex(/^https?:\/\/[a-z0-9.-]{1,253}(:[1-9][0-9]{0,4})?$/);

const passkeySchema = z
  .strictObject({
    type: z.literal('passkey'),
    algorithm: z.enum(['ES256', 'EdDSA']),
    /** base64url without padding; WebAuthn allows up to 1,023 bytes. */
    credentialId: z.string().regex(/^[A-Za-z0-9_-]{1,1364}$/),
    /** SEC1 compressed for ES256 (33 bytes), raw for EdDSA (32 bytes); hex. */
    publicKey: z.string().regex(/^([0-9a-f]{64}|0[23][0-9a-f]{64})$/),
    relyingParty: domain,
    origins: z.array(origin).min(1).max(MAX_ORIGINS).refine(areUnique),
  })
  .refine(({ algorithm, publicKey }) => publicKey.length === (algorithm === 'ES256' ? 66 : 64), {
    path: ['publicKey'],
    error: 'not a public key of this algorithm',
  });

const keyFileSchema = z.strictObject({ type: z.literal('ed25519'), publicKey: publicKey32Schema });

/** What an approver signs with: a passkey (WebAuthn), or an Ed25519 key in a file. */
export const credentialSchema = z.discriminatedUnion('type', [passkeySchema, keyFileSchema]);
export type Credential = z.infer<typeof credentialSchema>;

/** A person whose consent a rule may ask for. Several credentials are still one person. */
export const approverSchema = z.strictObject({
  id: identifier,
  credentials: z.array(credentialSchema).min(1).max(MAX_CREDENTIALS),
});
export type Approver = z.infer<typeof approverSchema>;

/** Approvers; no credential and no key belongs to two of them, or stands twice. */
export const approversSchema = entryList(approverSchema, MAX_APPROVERS)
  .refine((approvers) => areUnique(credentialsOf(approvers).map(({ publicKey }) => publicKey)), {
    error: 'a public key is given twice',
  })
  .refine(
    (approvers) =>
      areUnique(
        credentialsOf(approvers).flatMap((credential) =>
          credential.type === 'passkey' ? [credential.credentialId] : [],
        ),
      ),
    { error: 'a credential id is given twice' },
  );

const credentialsOf = (approvers: readonly Approver[]) => approvers.flatMap(({ credentials }) => credentials);

export const approverGroupSchema = z.strictObject({ id: identifier, approvers: idList });
export type ApproverGroup = z.infer<typeof approverGroupSchema>;

/** Clients under one name: a rule may name the group where it may name a client. */
export const clientGroupSchema = z.strictObject({ id: identifier, clients: idList });
export type ClientGroup = z.infer<typeof clientGroupSchema>;
