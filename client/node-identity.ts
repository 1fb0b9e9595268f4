import {
  MANIFEST_PCR,
  computeManifestPcr,
  type PcrValues,
  type VerifiedDocument,
  verifyAttestationDocument,
} from '../attestation/index.ts';
import { parseJson } from '../shared/json/index.ts';
import { type NodeBinding, nodeBindingSchema } from '../shared/api/bodies.ts';
import { ClientError } from './errors.ts';

/** What a client knows beforehand about the node it wants. */
export interface NodeTrust {
  /** The root of the attestation documents, a certificate in DER: AWS_NITRO_ROOT_G1 but for stand-ins. */
  readonly root: Uint8Array;
  /** The measurements of the image, or of each image that is taken: at least PCR0, PCR1 and PCR2. */
  readonly pcrs: PcrValues | readonly PcrValues[];
  /** The bytes of the node's manifest, which PCR16 must be the measure of: it says which node this is. */
  readonly manifest: Uint8Array;
  /**
   * The oldest version of its configuration to take. A parent that rolls back the whole store brings back an old
   * configuration too, which the node itself has nothing to compare with. Default: any.
   */
  readonly oldestConfiguration?: number;
}

/** A node of which an attestation document has proved who it is, for one of its boots. */
export interface NodeIdentity {
  readonly document: VerifiedDocument;
  /** The document as it came, for the record. */
  readonly documentBytes: Uint8Array;
  readonly binding: NodeBinding;
  /** DER SubjectPublicKeyInfo of the only TLS key to talk to. */
  readonly tlsPublicKey: Uint8Array;
}

export interface IdentityEvidence {
  readonly documentBytes: Uint8Array;
  /** The nonce that was asked for. */
  readonly nonce: Uint8Array;
  /** DER SubjectPublicKeyInfo of the certificate on the connection that the document came over. */
  readonly tlsPublicKey: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A document is made on demand; more than this tells of a clock that is wrong. */
const MAX_DOCUMENT_AGE_MS = 5 * 60_000;
const MAX_BINDING_BYTES = 1024;
const IMAGE_PCRS = [0, 1, 2];

/**
 * Verifies that the other end of a connection is the node that is wanted: its document is genuine and fresh, its image
 * and manifest are the ones expected, and the TLS key is the one that the document vouches for.
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
    throw new ClientError('TLS_KEY_MISMATCH', 'TLS does not end with the attested key');
  }
  const binding = parseBinding(document.userData);
  const { oldestConfiguration = 1 } = trust;
  if (binding.configuration < oldestConfiguration) {
    throw new ClientError('CONFIGURATION_ROLLED_BACK', 'an older configuration is in force', {
      expected: oldestConfiguration,
      actual: binding.configuration,
    });
  }
  return { document, documentBytes, binding, tlsPublicKey };
}

function expectManifest({ pcrs, manifest }: NodeTrust): PcrValues[] {
  const measured = computeManifestPcr(manifest);
  return [pcrs].flat().map((expected: PcrValues) => {
    // With PCR16 alone any image would do, and there would be something to compare all the same.
    if (IMAGE_PCRS.some((index) => !expected.has(index))) {
      throw new RangeError('PCR0, PCR1 and PCR2 are needed to know the image');
    }
    const named = expected.get(MANIFEST_PCR);
    if (named !== undefined && !Buffer.from(named).equals(measured)) {
      throw new RangeError('PCR16 is expected to be that of another manifest');
    }
    return new Map([...expected, [MANIFEST_PCR, measured]]);
  });
}

function parseBinding(userData: Uint8Array | null): NodeBinding {
  try {
    const limits = { maxBytes: MAX_BINDING_BYTES, maxDepth: 1 };
    return nodeBindingSchema.parse(parseJson(userData ?? new Uint8Array(0), limits));
  } catch (cause) {
    throw new ClientError('BINDING_MALFORMED', 'the document binds something else than a node', {}, cause);
  }
}
