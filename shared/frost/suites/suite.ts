import { type ShareType } from '../../algorithms.ts';
import { type Group, type GroupName, type Groups } from '../groups/group.ts';
import { nobleGroups } from '../groups/noble-groups.ts';
import { hash, type HashName, hashToField, reduceSha512 } from './hash-to-scalar.ts';

type Parts = readonly Uint8Array[];
/** Hashes the concatenation of its arguments to a scalar. */
type HashToScalar = (...parts: Parts) => Uint8Array<ArrayBuffer>;

/**
 * A ciphersuite of FROST: RFC 9591, section 6. H1 to H5 are those of the RFC; `hashProof` is the hash of the proofs of
 * knowledge in key generation, and `hashToScalar` the same with another tag, for proofs that no other software makes.
 */
export interface Suite {
  readonly type: ShareType;
  readonly contextString: string;
  readonly group: Group;
  /** BIP-340: keys and nonces are used with an even y, and signatures have the x of R alone. */
  readonly isBip340: boolean;
  readonly signatureBytes: 64 | 65;
  /** H1 */
  readonly hashBindingFactor: HashToScalar;
  /** H2: the challenge of an ordinary signature, of encoded elements. For BIP-340 the y of either is taken as even. */
  readonly computeChallenge: (
    commitment: Uint8Array,
    publicKey: Uint8Array,
    message: Uint8Array,
  ) => Uint8Array<ArrayBuffer>;
  /** H3 */
  readonly hashNonce: HashToScalar;
  /** H4 */
  readonly hashMessage: (message: Uint8Array) => Uint8Array<ArrayBuffer>;
  /** H5 */
  readonly hashCommitments: (...parts: Parts) => Uint8Array<ArrayBuffer>;
  readonly hashProof: HashToScalar;
  readonly hashToScalar: (tag: string, ...parts: Parts) => Uint8Array<ArrayBuffer>;
}

/** The ciphersuites of all share types, over one implementation of the groups. */
export type Suites = Readonly<Record<ShareType, Suite>>;

interface Definition {
  readonly contextString: string;
  readonly group: GroupName;
  readonly hash: HashName;
  /** Ed25519 computes its challenge without a tag, as RFC 8032 does. */
  readonly hasPlainChallenge: boolean;
  readonly isBip340: boolean;
}

const DEFINITIONS: Readonly<Record<ShareType, Definition>> = {
  // RFC 9591, 6.1
  'frost-ed25519': {
    contextString: 'FROST-ED25519-SHA512-v1',
    group: 'ed25519',
    hash: 'sha512',
    hasPlainChallenge: true,
    isBip340: false,
  },
  // RFC 9591, 6.2
  'frost-ristretto255': {
    contextString: 'FROST-RISTRETTO255-SHA512-v1',
    group: 'ristretto255',
    hash: 'sha512',
    hasPlainChallenge: false,
    isBip340: false,
  },
  // RFC 9591, 6.4
  'frost-p256': {
    contextString: 'FROST-P256-SHA256-v1',
    group: 'p256',
    hash: 'sha256',
    hasPlainChallenge: false,
    isBip340: false,
  },
  // The variant of RFC 9591, 6.5, that makes BIP-340 signatures: frost-secp256k1-tr of the Zcash Foundation.
  'frost-secp256k1-taproot': {
    contextString: 'FROST-secp256k1-SHA256-TR-v1',
    group: 'secp256k1',
    hash: 'sha256',
    hasPlainChallenge: false,
    isBip340: true,
  },
};

const BIP340_TAG = hash('sha256', Buffer.from('BIP0340/challenge'));

/** Builds the ciphersuites over an implementation of the groups. */
export function createSuites(groups: Groups): Suites {
  const build = (type: ShareType) => createSuite(type, groups);
  return Object.freeze({
    'frost-ed25519': build('frost-ed25519'),
    'frost-ristretto255': build('frost-ristretto255'),
    'frost-p256': build('frost-p256'),
    'frost-secp256k1-taproot': build('frost-secp256k1-taproot'),
  });
}

function createSuite(type: ShareType, groups: Groups): Suite {
  const { contextString, hash: hashName, isBip340, hasPlainChallenge, ...definition } = DEFINITIONS[type];
  const group = groups[definition.group];
  const { scalars } = group;
  const compute = hashName === 'sha512' ? reduceSha512 : hashToField;
  const tagBytes = (tag: string) => new Uint8Array(Buffer.from(contextString + tag));
  const [rho, nonce, dkg] = [tagBytes('rho'), tagBytes('nonce'), tagBytes('dkg')];
  const [messageTag, commitmentsTag] = [tagBytes('msg'), tagBytes('com')];
  const challengeTag = hasPlainChallenge ? new Uint8Array(0) : tagBytes('chal');
  return Object.freeze({
    type,
    contextString,
    group,
    isBip340,
    signatureBytes: isBip340 || group.elementBytes === 32 ? 64 : 65,
    hashBindingFactor: (...parts: Parts) => compute(scalars, rho, ...parts),
    computeChallenge: (commitment: Uint8Array, publicKey: Uint8Array, message: Uint8Array) =>
      isBip340
        ? scalars.reduce(
            hash('sha256', BIP340_TAG, BIP340_TAG, commitment.subarray(1), publicKey.subarray(1), message),
          )
        : compute(scalars, challengeTag, commitment, publicKey, message),
    hashNonce: (...parts: Parts) => compute(scalars, nonce, ...parts),
    hashMessage: (message: Uint8Array) => hash(hashName, messageTag, message),
    hashCommitments: (...parts: Parts) => hash(hashName, commitmentsTag, ...parts),
    hashProof: (...parts: Parts) => compute(scalars, dkg, ...parts),
    hashToScalar: (tag: string, ...parts: Parts) => compute(scalars, tagBytes(tag), ...parts),
  });
}

/** The ciphersuites over @noble/curves, for every place where JavaScript runs. */
export const nobleSuites: Suites = createSuites(nobleGroups);
