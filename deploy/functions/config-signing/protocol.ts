import type { ConfigurationChange } from '../../../policy/index.ts';
import type { ConfigurationFinding } from '../../../policy/analysis/index.ts';

/** What a caller sends: the payload of Lambda's Invoke, as JSON. */
export type ConfigSigningRequest =
  | {
      readonly action: 'describe';
      /** Base64 of a configuration's bytes, or of an envelope around one, which keeps the signatures that it has. */
      readonly configuration: string;
    }
  | {
      readonly action: 'sign';
      readonly configuration: string;
      /** `confirmation` of the description that a person has read: 96 hex digits. */
      readonly confirmation: string;
    };

/** What would be signed, for a person to confirm. */
export interface ConfigSigningDescription {
  readonly version: number;
  /** SHA-384 of the configuration's bytes, hex. */
  readonly digest: string;
  /** The newest configuration in the bucket, against which changes are told; null where there is none. */
  readonly against: { readonly version: number; readonly digest: string } | null;
  readonly changes: readonly ConfigurationChange[];
  /** The changes in words. */
  readonly text: string;
  /** What `config lint` finds; errors are refused before this. */
  readonly findings: readonly ConfigurationFinding[];
  /** Digest of all that: confirms this change of this newest configuration, and no other. */
  readonly confirmation: string;
}

/** A configuration with the signature of the function's key. */
export interface ConfigSigningResult {
  readonly version: number;
  readonly digest: string;
  /** Base64 of the envelope's bytes, as they lie in the bucket. */
  readonly envelope: string;
  /** Key of the object in the bucket of the stack. */
  readonly key: string;
  /** Public key of the function, raw Ed25519 in hex. */
  readonly signer: string;
  /** True where this very configuration had been signed before. */
  readonly isRepeated: boolean;
}

/** What the function responds with. It does not throw for a refusal, since Lambda logs what is thrown. */
export type ConfigSigningResponse =
  | { readonly ok: true; readonly description: ConfigSigningDescription }
  | { readonly ok: true; readonly signed: ConfigSigningResult }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };
