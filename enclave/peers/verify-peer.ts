import {
  AttestationError,
  type AttestationErrorCode,
  type AttestationVerifier,
  extendPcr,
  MANIFEST_PCR,
  type PcrValues,
  type VerifiedDocument,
  zeroPcr,
} from '../../attestation/index.ts';
import type { Peer, PeerImage } from '../../shared/documents/configuration.ts';
import { decodeBinding } from './binding.ts';
import { PeerRefusal, type PeerRefusalCode } from './errors.ts';
import { MAX_DOCUMENT_AGE_MS } from './limits.ts';
import type { PeerIdentity } from './peer-network.ts';

/** What a node knows of its quorum before anybody has proved anything. */
export interface PeerRules {
  /** SHA-384 of this node's manifest, in hex. */
  readonly manifest: string;
  /** The other nodes, as the configuration names them. */
  readonly peers: readonly Peer[];
  /** Root of attestation documents, a certificate in DER. */
  readonly root: Uint8Array;
  readonly verifier: AttestationVerifier;
  /** The node's clock, milliseconds since 1970. */
  readonly now: () => number;
}

/** A document as it came, and what it has to be bound to. */
export interface ShownDocument {
  readonly document: Uint8Array;
  /** The handshake hash before the document. */
  readonly nonce: Uint8Array;
  /** The static key of the handshake. */
  readonly publicKey: Uint8Array;
}

/** A node that has proved to be a peer, by an image that is accepted until `notAfter` (milliseconds since 1970). */
export interface VerifiedPeer {
  readonly identity: PeerIdentity;
  readonly notAfter: number;
}

const REFUSALS: Partial<Record<AttestationErrorCode, PeerRefusalCode>> = {
  CERTIFICATE_EXPIRED: 'PEER_DOCUMENT_STALE',
  CERTIFICATE_NOT_YET_VALID: 'PEER_CLOCK_DIFFERS',
  DEBUG_ENCLAVE: 'PEER_DEBUG',
  DOCUMENT_FROM_FUTURE: 'PEER_CLOCK_DIFFERS',
  DOCUMENT_TOO_OLD: 'PEER_DOCUMENT_STALE',
  NONCE_MISMATCH: 'PEER_DOCUMENT_STALE',
  PCR_MISMATCH: 'PEER_OTHER_QUORUM',
  PCR_MISSING: 'PEER_OTHER_QUORUM',
  PUBLIC_KEY_MISMATCH: 'PEER_KEY_MISMATCH',
};

/**
 * Verifies that a document is of a node of the quorum, of that number, made for this handshake.
 *
 * @throws PeerRefusal any code but PEER_SILENT and PEER_REFUSES_THIS_NODE
 */
export function verifyPeer(peer: Peer, shown: ShownDocument, rules: PeerRules): VerifiedPeer {
  const now = rules.now();
  // The manifest that is asked for comes first: a document of another node of the quorum gets its own code.
  const others = rules.peers.filter(({ node }) => node !== peer.node);
  const manifests = [peer.manifest, rules.manifest, ...others.map(({ manifest }) => manifest)];
  const verified = verifyDocument(shown, manifests, now, rules);
  if (verified.matched === 1) throw refuse('PEER_SELF', peer, 'the document is of this node');
  if (verified.matched > 1) throw refuse('PEER_NUMBER_WRONG', peer, 'the document is of another node');
  const notAfter = acceptImage(peer, verified, now);
  const binding = decodeBinding(verified.userData);
  if (binding === undefined)
    throw refuse('PEER_BINDING_MALFORMED', peer, 'the user_data is no holdfast-peer/1');
  if (binding.node !== peer.node) throw refuse('PEER_NUMBER_WRONG', peer, 'the node has another number');
  return {
    notAfter,
    identity: Object.freeze({
      node: peer.node,
      manifest: new Uint8Array(Buffer.from(peer.manifest, 'hex')),
      session: binding.session,
      configuration: Object.freeze(binding.configuration),
      receiptKey: new Uint8Array(Buffer.from(binding.receiptKey, 'hex')),
      document: shown.document,
    }),
  };
}

function verifyDocument(
  { document, nonce, publicKey }: ShownDocument,
  manifests: readonly string[],
  now: number,
  { root, verifier }: PeerRules,
): VerifiedDocument {
  try {
    return verifier.verify(document, {
      root,
      at: now,
      maxAgeMs: MAX_DOCUMENT_AGE_MS,
      pcrs: manifests.map((manifest) => new Map([[MANIFEST_PCR, manifestPcr(manifest)]])),
      nonce,
      publicKey,
    });
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error;
    const code = REFUSALS[error.code] ?? 'PEER_DOCUMENT_REFUSED';
    throw new PeerRefusal(code, 'the document proves no peer', { code: error.code }, error);
  }
}

/** Returns PCR16 of a manifest, of its digest in hex. */
function manifestPcr(digest: string): Uint8Array {
  return extendPcr(zeroPcr(), Buffer.from(digest, 'hex'));
}

/** Finds the image among those of the peer, and until when it is accepted. */
function acceptImage(peer: Peer, { pcrs }: VerifiedDocument, now: number): number {
  const ends = peer.images
    .filter((image) => matchesImage(pcrs, image))
    .map(({ notAfter }) => (notAfter === null ? Infinity : Date.parse(notAfter)));
  if (ends.length === 0) throw refuse('PEER_IMAGE_REFUSED', peer, 'the configuration accepts no such image');
  const notAfter = Math.max(...ends);
  if (!(now <= notAfter)) throw refuse('PEER_IMAGE_EXPIRED', peer, 'the image is accepted no more');
  return notAfter;
}

/** Whether every measurement that the configuration names is the image's. */
function matchesImage(pcrs: PcrValues, image: PeerImage): boolean {
  return ([0, 1, 2, 8] as const).every((index) => {
    const expected = image.pcrs[index];
    return expected === undefined || Buffer.from(pcrs.get(index) ?? []).toString('hex') === expected;
  });
}

function refuse(code: PeerRefusalCode, { node }: Peer, message: string): PeerRefusal {
  return new PeerRefusal(code, message, { node });
}
