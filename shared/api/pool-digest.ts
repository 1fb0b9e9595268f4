import type { CanonicalJson } from '../json/index.ts';
import type {
  CreatePoolKeyRequest,
  DataKeyRequest,
  DecryptRequest,
  DeriveSecretRequest,
  EncryptionContext,
  PoolKeyChange,
} from './pool-keys.ts';

/** What a request on a key of a pool asks for, beside its operation, key and algorithm. */
export type PoolAction =
  | ({ readonly action: 'create' } & CreatePoolKeyRequest)
  | { readonly action: 'encrypt'; readonly context?: EncryptionContext | undefined }
  | ({ readonly action: 'decrypt' } & Pick<DecryptRequest, 'ciphertext' | 'context'>)
  | ({ readonly action: 'data-key' } & DataKeyRequest)
  | { readonly action: 'mac' }
  | { readonly action: 'verify-mac'; readonly mac: string }
  | ({ readonly action: 'derive-secret' } & DeriveSecretRequest)
  | ({ readonly action: 'change' } & PoolKeyChange);

/**
 * Describes a request on a key of a pool as its digest covers it. Plaintexts and messages are left out: the log names the
 * digest, and who reads the log could find a short plaintext by trying.
 */
export function describePoolAction(action: PoolAction | { readonly [member: string]: CanonicalJson }): {
  readonly [member: string]: CanonicalJson;
} {
  const members: Record<string, CanonicalJson> = {};
  for (const [name, value] of Object.entries(action as Readonly<Record<string, CanonicalJson | undefined>>))
    if (value !== undefined) members[name] = value;
  return members;
}
