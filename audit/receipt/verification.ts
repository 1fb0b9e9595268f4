import { bytesToHex } from '@noble/hashes/utils.js';
import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import {
  hashLeaf,
  parseTlogProof,
  parseVerifierKey,
  type VerifiedInclusion,
  type VerifierKey,
  type VerifySignature,
  verifyTlogProof,
  WITNESS_KEY_TYPES,
} from '../log/index.ts';
import { type Consent, verifyConsent } from './consent.ts';
import { type Entry, PREDICATE_TYPES } from './entry.ts';
import { parseEntry } from './entry-encoding.ts';
import { ReceiptError } from './errors.ts';
import type { ReceiptNode } from './node.ts';
import { encodeReceiptPae, type UnverifiedReceipt } from './receipt.ts';

/** What a receipt is verified against, beside the node. */
export interface ReceiptExpectations {
  /** Takes an entry of another boot than the document's: the image of that boot is then not shown. */
  readonly isOtherBootTaken?: boolean;
  /** SHA-256 of the canonical request in hex. */
  readonly requestDigest?: string;
  /** SHA-256 in hex of a signature that the request was given. */
  readonly signatureDigest?: string;
  /** The configuration that decided, with the signatures of its authorities verified. */
  readonly signed?: SignedConfiguration;
  /** Witnesses that must have cosigned; without them those of the configuration, if there is one. */
  readonly witnesses?: { readonly keys: readonly VerifierKey[]; readonly threshold: number };
  /** Requires a place in the log. */
  readonly isInclusionRequired?: boolean;
}

/** What a receipt has shown. */
export interface VerifiedReceipt {
  readonly entry: Entry;
  /** Whether the document is of the boot that decided, so that its PCRs are those of the image that decided. */
  readonly isOfSameBoot: boolean;
  /** Null where the receipt has no proof. */
  readonly inclusion: VerifiedInclusion | null;
  /** Number of witnesses whose cosignatures were asked for; null where nobody said which witnesses to believe. */
  readonly witnesses: number | null;
  /** People whose votes verified; null without the configuration that names their keys. */
  readonly consents: readonly Consent[] | null;
}

/**
 * Verifies a receipt offline: that the node's receipt key signed this entry, that the entry is of this node and boot,
 * about this request, under this configuration and with this consent, and that it lies in the log at its own place. All
 * that is not in `expectations` is not compared, and the result says so.
 *
 * @param node what its attestation document says, from {@link readReceiptNode}
 * @param verify Ed25519 and ML-DSA-44, by Node's OpenSSL or in a browser
 * @throws ReceiptError; ApprovalError for a vote that does not verify; LogError for the proof
 */
export function verifyReceipt(
  receipt: UnverifiedReceipt,
  node: ReceiptNode,
  expectations: ReceiptExpectations,
  verify: VerifySignature,
): VerifiedReceipt {
  assertSignature(receipt, node, verify);
  const entry = parseEntry(receipt.entry);
  const { predicate } = entry;
  if (predicate.node.manifest !== node.manifest) {
    throw refusal(
      'RECEIPT_OTHER_NODE',
      'the entry is of another node',
      node.manifest,
      predicate.node.manifest,
    );
  }
  const isOfSameBoot = predicate.session === node.session;
  if (!isOfSameBoot && expectations.isOtherBootTaken !== true) {
    throw refusal(
      'RECEIPT_OTHER_BOOT',
      'the entry is of another boot than the document, which may have been of another image',
      node.session,
      predicate.session,
    );
  }
  assertRequest(entry, expectations);
  const { signed } = expectations;
  if (signed !== undefined) assertConfiguration(entry, signed);
  const consents = signed === undefined ? null : verifyConsent(entry, signed.configuration);
  return { entry, isOfSameBoot, consents, ...verifyPlace(receipt, entry, node, expectations, verify) };
}

function assertSignature(
  { entry, signer }: UnverifiedReceipt,
  { receiptKey, receiptVerifier }: ReceiptNode,
  verify: VerifySignature,
): void {
  if (signer.publicKey !== receiptKey) {
    throw refusal('RECEIPT_OTHER_KEY', 'another key signed the receipt', receiptKey, signer.publicKey);
  }
  if (signer.signature.length !== 64 || !verify(receiptVerifier, encodeReceiptPae(entry), signer.signature)) {
    throw new ReceiptError('RECEIPT_SIGNATURE_INVALID', 'the signature of the receipt does not verify');
  }
}

function assertRequest(entry: Entry, { requestDigest, signatureDigest }: ReceiptExpectations): void {
  const [{ digest }] = entry.subject;
  const actual = 'sha256' in digest ? digest.sha256 : null;
  if (requestDigest !== undefined && actual !== requestDigest) {
    throw refusal('RECEIPT_OTHER_REQUEST', 'the entry is about another request', requestDigest, actual);
  }
  if (signatureDigest === undefined) return;
  const signatures = entry.predicateType === PREDICATE_TYPES.decision ? entry.predicate.signatures : [];
  if (signatures.some(({ sha256 }) => sha256 === signatureDigest)) return;
  throw refusal(
    'RECEIPT_OTHER_SIGNATURE',
    'the signature is none of those that the entry names',
    signatureDigest,
    signatures.map(({ sha256 }) => sha256),
  );
}

/** Asserts that the configuration is the one in force, and that it can have decided so. */
function assertConfiguration(entry: Entry, { configuration, digest }: SignedConfiguration): void {
  const actual = entry.predicate.configuration;
  if (actual.digest !== bytesToHex(digest) || actual.version !== configuration.version) {
    throw refusal(
      'RECEIPT_OTHER_CONFIGURATION',
      'another configuration was in force',
      { version: configuration.version, digest: bytesToHex(digest) },
      actual,
    );
  }
  if (entry.predicateType !== PREDICATE_TYPES.decision) return;
  const { outcome, rule, request, witnesses, peerWitnesses } = entry.predicate;
  const contradict = (field: string) =>
    new ReceiptError('RECEIPT_CONTRADICTS_CONFIGURATION', `the configuration has no such ${field}`, {
      field,
    });
  const named = configuration.witnesses;
  if ((named?.threshold ?? null) !== (witnesses?.threshold ?? null)) throw contradict('witnesses');
  if ((named?.keys.length ?? null) !== (witnesses?.of ?? null)) throw contradict('witnesses');
  const peers = readPeerWitnesses(configuration);
  if (peers?.threshold !== peerWitnesses?.threshold) throw contradict('peer witnesses');
  if (peers?.keys.length !== peerWitnesses?.of) throw contradict('peer witnesses');
  if (outcome === 'denied') return;
  const found = configuration.rules.find(({ id }) => id === rule);
  if (found === undefined || found.effect !== 'permit') throw contradict('rule');
  if (!found.keys.includes(request.key)) throw contradict('key');
  if (!configuration.clients.some(({ id }) => id === request.client)) throw contradict('client');
}

function verifyPlace(
  { proof, entry: bytes }: UnverifiedReceipt,
  { predicate }: Entry,
  { log }: ReceiptNode,
  { signed, isInclusionRequired = false, ...expectations }: ReceiptExpectations,
  verify: VerifySignature,
): Pick<VerifiedReceipt, 'inclusion' | 'witnesses'> {
  const witnesses = expectations.witnesses ?? readWitnesses(signed);
  const peers = signed === undefined ? undefined : readPeerWitnesses(signed.configuration);
  if (proof === null) {
    if (!isInclusionRequired && witnesses === undefined && peers === undefined)
      return { inclusion: null, witnesses: null };
    throw new ReceiptError('RECEIPT_UNPROVEN', 'the receipt has no proof of its place in the log');
  }
  const wanted = 'witnesses' in predicate ? (predicate.witnesses?.threshold ?? 0) : 0;
  if (witnesses !== undefined && witnesses.threshold < wanted) {
    throw refusal('RECEIPT_UNDER_WITNESSED', 'the node wants more witnesses', wanted, witnesses.threshold);
  }
  const parsed = parseTlogProof(new TextEncoder().encode(proof));
  const verifyFor = (group: NonNullable<ReceiptExpectations['witnesses']>) =>
    verifyTlogProof(
      parsed,
      hashLeaf(bytes),
      { origin: log.origin, keys: [log.key], witnesses: group },
      verify,
    );
  const inclusion = verifyFor(witnesses ?? { keys: [], threshold: 0 });
  if (peers !== undefined) verifyFor(peers);
  if (inclusion.index !== predicate.sequence) {
    throw refusal(
      'RECEIPT_OTHER_PLACE',
      'the proof is of another place in the log',
      predicate.sequence,
      inclusion.index,
    );
  }
  return { inclusion, witnesses: witnesses?.threshold ?? null };
}

function readWitnesses(signed: SignedConfiguration | undefined): ReceiptExpectations['witnesses'] {
  const witnesses = signed?.configuration.witnesses ?? null;
  if (witnesses === null) return undefined;
  return {
    threshold: witnesses.threshold,
    keys: witnesses.keys.map((key) => parseVerifierKey(key, WITNESS_KEY_TYPES)),
  };
}

/** Reads the nodes of the quorum that must have cosigned too; undefined where the configuration asks for none. */
function readPeerWitnesses({
  quorum,
}: SignedConfiguration['configuration']): NonNullable<ReceiptExpectations['witnesses']> | undefined {
  if (quorum?.witnesses === undefined) return undefined;
  const keys = quorum.peers.flatMap(({ witness }) => (witness === undefined ? [] : [witness]));
  return {
    threshold: quorum.witnesses.threshold,
    keys: keys.map((key) => parseVerifierKey(key, WITNESS_KEY_TYPES)),
  };
}

function refusal(
  code: ConstructorParameters<typeof ReceiptError>[0],
  message: string,
  expected: unknown,
  actual: unknown,
): ReceiptError {
  return new ReceiptError(code, message, { expected, actual });
}
