import {
  MANIFEST_PCR,
  computeManifestPcr,
  type PcrValues,
  type VerifiedDocument,
  verifyAttestationDocument,
} from '../attestation/index.ts';
import { parseJson } from '../shared/json/index.ts';
import { type AnyNodeBinding, nodeBindingSchema } from '../shared/api/bodies.ts';
import { ClientError } from './errors.ts';

/** Knowledge that a client has beforehand about the node to which it wants to speak. */
export interface NodeTrust {
  /** Root of the attestation documents, a certificate in DER: AWS_NITRO_ROOT_G1, or that of a stand-in in tests. */
  readonly root: Uint8Array;
  /** Measurements of the image, or of each image that is accepted: PCR0, PCR1 and PCR2 at least, 48 bytes each. */
  readonly pcrs: PcrValues | readonly PcrValues[];
  /** Bytes of the node's manifest, which PCR16 must measure: the manifest identifies the node. */
  readonly manifest: Uint8Array;
  /**
   * Oldest version of the configuration to accept. A parent that rolls back the whole store brings back an old
   * configuration too, and the node has nothing to compare it with. Default: any.
   */
  readonly oldestConfiguration?: number;
}

/** Identity of a node during one boot, proved by an attestation document. */
export interface NodeIdentity {
  readonly document: VerifiedDocument;
  /** The document in its binary form, for the record. */
  readonly documentBytes: Uint8Array;
  /** The document's user_data: session, configuration version, import key; in format 2 the log and its witnesses too. */
  readonly binding: AnyNodeBinding;
  /** TLS key to which alone to speak: SubjectPublicKeyInfo in DER. */
  readonly tlsPublicKey: Uint8Array;
}

/** A document, and the circumstances in which it arrived. */
export interface IdentityEvidence {
  readonly documentBytes: Uint8Array;
  /** Nonce that the client sent. */
  readonly nonce: Uint8Array;
  /** SubjectPublicKeyInfo in DER of the certificate on the connection over which the document came. */
  readonly tlsPublicKey: Uint8Array;
  /** Time of the verdict, in milliseconds since 1970. */
  readonly now: number;
}

/** Maximum age of a document in milliseconds. Documents are made on demand: an older one means that a clock is wrong. */
const MAX_DOCUMENT_AGE_MS = 5 * 60_000;
const MAX_BINDING_BYTES = 1024;
const IMAGE_PCRS = [0, 1, 2];

/**
 * Verifies that the other end of a connection is the node in `trust`: the document is genuine and fresh, image and manifest
 * are the expected ones, and the document vouches for the TLS key.
 *
 * @throws AttestationError
 * @throws ClientError TLS_KEY_MISMATCH, BINDING_MALFORMED, CONFIGURATION_ROLLED_BACK
 */
export function verifyNodeIdentity(evidence: IdentityEvidence, trust: NodeTrust): NodeIdentity {
  const { documentBytes, nonce, tlsPublicKey, now } = evidence;
  const document = verifyAttestationDocument(documentBytes, {
    root: trust.root,
    at: now,
    maxAgeMs: MAX_DOCUMENT_AGE_MS,
    pcrs: expectManifest(trust),
    nonce,
  });
  if (document.publicKey === null || !Buffer.from(document.publicKey).equals(tlsPublicKey)) {
    throw new ClientError('TLS_KEY_MISMATCH', "the peer's TLS key is not the document's public_key");
  }
  const binding = parseBinding(document.userData);
  const { oldestConfiguration = 1 } = trust;
  if (binding.configuration < oldestConfiguration) {
    throw new ClientError(
      'CONFIGURATION_ROLLED_BACK',
      `configuration ${binding.configuration} is in force: expected ${oldestConfiguration} or later`,
      {
        expected: oldestConfiguration,
        actual: binding.configuration,
      },
    );
  }
  return { document, documentBytes, binding, tlsPublicKey };
}

function expectManifest({ pcrs, manifest }: NodeTrust): PcrValues[] {
  const measured = computeManifestPcr(manifest);
  return [pcrs].flat().map((expected: PcrValues) => {
    // The manifest's PCR16 is always compared: without the image's PCRs any image would pass.
    if (IMAGE_PCRS.some((index) => !expected.has(index))) {
      throw new RangeError('trust.pcrs lacks PCR0, PCR1 or PCR2, which identify the image');
    }
    const named = expected.get(MANIFEST_PCR);
    if (named !== undefined && !Buffer.from(named).equals(measured)) {
      throw new RangeError('PCR16 in trust.pcrs is not the measurement of trust.manifest');
    }
    return new Map([...expected, [MANIFEST_PCR, measured]]);
  });
}

function parseBinding(userData: Uint8Array | null): AnyNodeBinding {
  try {
    const limits = { maxBytes: MAX_BINDING_BYTES, maxDepth: 2 };
    return nodeBindingSchema.parse(parseJson(userData ?? new Uint8Array(0), limits));
  } catch (cause) {
    throw new ClientError(
      'BINDING_MALFORMED',
      "the document's user_data is not the binding of a node",
      {},
      cause,
    );
  }
}
