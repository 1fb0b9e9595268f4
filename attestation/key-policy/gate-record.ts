import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { TrustAnchor } from '../trust-anchor.ts';
import type { PolicyDifference } from './diff.ts';
import type { Finding } from './finding.ts';

export const GATE_RECORD_FORMAT = 'holdfast-key-policy-decision/1';
export const GATE_RECORD_TYPE = 'application/vnd.holdfast.key-policy-decision+json';

/** A statement that was let through for a person's reason, not because it is known to be harmless. */
export interface RecordedException {
  readonly statement: { readonly index: number; readonly sid?: string; readonly sha256: string };
  readonly reason: string;
}

/** What the payload of a record says, see docs/key-policy.md. Digests are SHA-256 in hex, times ISO 8601 in UTC. */
export interface GateRecord extends PolicyDifference {
  readonly format: typeof GATE_RECORD_FORMAT;
  readonly decidedAt: string;
  readonly keyArn: string;
  readonly policySha256: string;
  readonly replacesSha256: string | null;
  readonly document: {
    readonly sha256: string;
    /** Under which root the document verified. */
    readonly root: TrustAnchor;
    readonly moduleId: string;
    readonly instanceId: string | null;
    readonly signedAt: string;
    readonly nonce: string;
    readonly pcrs: Readonly<Record<string, string>>;
  };
  readonly exceptions: readonly RecordedException[];
  /** Those below the threshold, and those of excepted statements. */
  readonly findings: readonly Finding[];
}

/** One line of JSON: the same bytes for the same decision. */
export function encodeGateRecord(record: GateRecord): Uint8Array {
  return utf8ToBytes(`${JSON.stringify(record)}\n`);
}
