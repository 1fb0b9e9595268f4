import { hash, sign } from 'node:crypto';
import { formatTlogProof } from '../../audit/log/index.ts';
import {
  type CeremonyPredicate,
  createCeremonyEntry,
  createDecisionEntry,
  createReceipt,
  createVoteEntry,
  type DecisionPredicate,
  encodeEntry,
  encodeReceiptPae,
  type Receipt,
} from '../../audit/receipt/index.ts';
import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import type { ReceivedVote } from '../approvals/index.ts';
import type { TransparencyLog } from '../log/index.ts';
import type { MeasuredManifest } from '../node/manifest.ts';
import type { NodeKey } from '../node/node-keys.ts';

/** What every entry of one boot of a node says of it. */
export interface DecisionLogOptions {
  readonly log: Pick<TransparencyLog, 'append' | 'peerWitnesses' | 'witnesses'>;
  readonly receiptKey: NodeKey;
  readonly measured: MeasuredManifest;
  readonly signed: SignedConfiguration;
  readonly session: string;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

type Own = 'node' | 'session' | 'sequence' | 'time' | 'configuration' | 'peerWitnesses' | 'witnesses';
/** What a decision's entry says beside what all entries of the node say. */
export type DecisionParts = Omit<DecisionPredicate, Own>;

/** What a ceremony's entry says beside what all entries of the node say. */
export type CeremonyParts = Omit<CeremonyPredicate, Exclude<Own, 'peerWitnesses' | 'witnesses'>>;

/** Records decisions in the node's log and issues receipts; both resolve only once what was recorded may take effect. */
export interface DecisionLog {
  /**
   * Records a decision.
   *
   * @param digest SHA-256 of the canonical request
   * @param onEntry called while the entry is made: state that it changes is sealed in the same commit
   */
  recordDecision(digest: Uint8Array, parts: DecisionParts, onEntry?: () => void): Promise<Receipt>;
  /** Records a vote on a request that waits, and calls `apply` while the entry is made. */
  recordVote(received: ReceivedVote): Promise<void>;
  /** Records the transcript that this node is about to confirm. @param transcript its SHA-256 */
  recordCeremony(transcript: Uint8Array, parts: CeremonyParts): Promise<void>;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Creates the recorder of a node that serves. */
export function createDecisionLog(options: DecisionLogOptions): DecisionLog {
  const { log, receiptKey, signed, session, now } = options;
  const { manifest, digest } = options.measured;
  const publicKey = hex(receiptKey.publicKey);
  const common = {
    node: {
      manifest: hex(digest),
      namespace: manifest.namespace,
      environment: manifest.environment,
      index: manifest.node,
    },
    session,
  };
  const configuration = { version: signed.configuration.version, digest: hex(signed.digest) };
  const witnesses = {
    witnesses: log.witnesses,
    ...(log.peerWitnesses === null ? {} : { peerWitnesses: log.peerWitnesses }),
  };
  const place = (sequence: number) => ({ ...common, sequence, time: new Date(now()).toISOString() });
  const issue = (entry: Uint8Array, proof: string) =>
    createReceipt(
      entry,
      { publicKey, signature: sign(null, encodeReceiptPae(entry), receiptKey.privateKey) },
      { proof },
    );

  return {
    recordDecision: async (requestDigest, parts, onEntry) => {
      let entry: Uint8Array = new Uint8Array();
      const { index, checkpoint, proof } = await log.append((sequence) => {
        const predicate = { ...place(sequence), ...parts, configuration, ...witnesses };
        entry = encodeEntry(createDecisionEntry(hex(requestDigest), predicate));
        onEntry?.();
        return entry;
      });
      return issue(entry, formatTlogProof({ index, inclusion: proof, checkpoint }));
    },
    recordVote: async ({ request, vote, apply }) => {
      const { approver, decision, statement, proof } = vote;
      await log.append((sequence) => {
        const entry = encodeEntry(
          createVoteEntry(request.digest, {
            ...place(sequence),
            pendingId: request.id,
            approval: { approver, decision, statement, proof },
            configuration,
          }),
        );
        apply();
        return entry;
      });
    },
    recordCeremony: async (transcript, parts) => {
      await log.append((sequence) =>
        encodeEntry(createCeremonyEntry(hex(transcript), { ...place(sequence), ...parts, configuration })),
      );
    },
  };
}

/** Computes the SHA-256 by which an entry names a signature. */
export function digestSignature(signature: Uint8Array): string {
  return hash('sha256', signature, 'hex');
}
