import { bytesToHex } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import type { DecodedPayload, DecodingContext } from '../transaction.ts';
import { BLS, printKeyHash } from './address.ts';
import { encodeBase58 } from './base58.ts';
import { blockHeader, readRound } from './block-header.ts';
import type { Reader } from './bytes.ts';
import { type Codec, fixed, int32, integer, record, unsigned } from './codec.ts';
import { findNetwork, hashPayload, hashSigner, nameNetwork, toSigningInput } from './network.ts';
import { readExactly } from './operation.ts';

/** First bytes of what a baker signs (Octez: `Operation.to_watermark`, `Block_header.to_watermark`, since protocol 012). */
const BLOCK_WATERMARK = 0x11;
const PREATTESTATION_WATERMARK = 0x12;
const ATTESTATION_WATERMARK = 0x13;

/** Tags of operations (Octez: `Operation_repr`, protocol 025). */
const PREATTESTATION = 20;
const ATTESTATION = 21;
const ATTESTATION_WITH_DAL = 23;
/** Tags in what keys of BLS12-381 sign: the content without its slot, and no DAL content (Octez: `bls_mode`). */
const BLS_PREATTESTATION = 40;
const BLS_ATTESTATION = 41;

export type ConsensusKind = 'block' | 'preattestation' | 'attestation' | 'attestation-with-dal';

/** Where in the life of a chain a consensus payload stands: what a watermark has to know. */
export interface ConsensusPosition {
  /** Chain id in Base58Check: `NetXdQprcVkpaWU`. */
  readonly chain: string;
  readonly kind: ConsensusKind;
  /** At least 1. */
  readonly level: number;
  /** At least 0. */
  readonly round: number;
  /** 32 bytes in hex: what all that is said of one proposal at one level and round has in common. */
  readonly payloadHash: string;
  /** BLAKE2b-256 of the very bytes, in hex. */
  readonly digest: string;
}

interface ConsensusStatement extends Omit<ConsensusPosition, 'digest'> {
  readonly details: Readonly<Record<string, string>>;
}

const blsContent = {
  level: int32,
  round: int32,
  payloadHash: fixed(32),
};
const content = { slot: unsigned(2), ...blsContent };
type BlsContent = { level: number; round: number; payloadHash: Uint8Array };
type Content = BlsContent & { slot: number };
const blsOnlyContent = record<BlsContent>(blsContent);
const plainContent = record<Content>(content);
const dalContent = record<Content & { dal: bigint }>({ ...content, dal: integer });

type Attestation = BlsContent & { tag: number; slot?: number; dal?: bigint };

function readContent(reader: Reader, tag: number): Omit<Attestation, 'tag'> {
  if (tag === ATTESTATION_WITH_DAL) return dalContent.read(reader);
  return isBlsTag(tag) ? blsOnlyContent.read(reader) : plainContent.read(reader);
}

const isBlsTag = (tag: number) => tag === BLS_PREATTESTATION || tag === BLS_ATTESTATION;

/** The content behind the tag of its kind: only the kinds of one watermark are read. */
function attestation(tags: readonly number[]): Codec<Attestation> {
  return {
    read: (reader) => {
      const tag = reader.unsigned(1);
      if (!tags.includes(tag)) {
        throw new TransactionError('TRANSACTION_UNSUPPORTED', 'no operation that this first byte allows', {
          expected: tags,
          found: tag,
        });
      }
      return { tag, ...readContent(reader, tag) };
    },
    write: (writer, { tag, slot, dal, ...fields }) => {
      writer.unsigned(1, tag);
      if (slot === undefined) blsOnlyContent.write(writer, fields);
      else if (dal === undefined) plainContent.write(writer, { ...fields, slot });
      else dalContent.write(writer, { ...fields, slot, dal });
    },
  };
}

function signed(tags: readonly number[]) {
  return record<{ chain: Uint8Array; branch: Uint8Array; attestation: Attestation }>({
    chain: fixed(4),
    branch: fixed(32),
    attestation: attestation(tags),
  });
}
const block = record<{ chain: Uint8Array; header: ReturnType<typeof blockHeader.read> }>({
  chain: fixed(4),
  header: blockHeader,
});
const STATEMENTS = {
  plain: {
    preattestation: signed([PREATTESTATION]),
    attestation: signed([ATTESTATION, ATTESTATION_WITH_DAL]),
  },
  bls: { preattestation: signed([BLS_PREATTESTATION]), attestation: signed([BLS_ATTESTATION]) },
};
/** Which tags a key signs: those without a slot are of BLS12-381 alone. */
export type ConsensusForm = keyof typeof STATEMENTS;
const KINDS: Readonly<Record<number, ConsensusKind>> = {
  [PREATTESTATION]: 'preattestation',
  [BLS_PREATTESTATION]: 'preattestation',
  [ATTESTATION]: 'attestation',
  [BLS_ATTESTATION]: 'attestation',
  [ATTESTATION_WITH_DAL]: 'attestation-with-dal',
};

function readStatement(payload: Uint8Array, form: ConsensusForm): ConsensusStatement {
  const [watermark] = payload;
  const { preattestation, attestation } = STATEMENTS[form];
  if (watermark === PREATTESTATION_WATERMARK) return readAttestation(payload, watermark, preattestation);
  if (watermark === ATTESTATION_WATERMARK) return readAttestation(payload, watermark, attestation);
  return readBlock(payload);
}

function readBlock(payload: Uint8Array): ConsensusStatement {
  const { chain, header } = readExactly(payload, BLOCK_WATERMARK, block);
  return {
    chain: encodeBase58('chain', chain),
    kind: 'block',
    level: header.level,
    round: readRound(header),
    payloadHash: bytesToHex(header.payloadHash),
    details: {
      predecessor: encodeBase58('block', header.predecessor),
      payloadRound: String(header.payloadRound),
      timestamp: String(header.timestamp),
    },
  };
}

function readAttestation(
  payload: Uint8Array,
  watermark: number,
  codec: Codec<{ chain: Uint8Array; branch: Uint8Array; attestation: Attestation }>,
): ConsensusStatement {
  const { chain, branch, attestation } = readExactly(payload, watermark, codec);
  const { tag, slot, level, round, payloadHash, dal } = attestation;
  if (dal !== undefined && dal < 0n)
    throw new TransactionError('TRANSACTION_UNSAFE', 'a bit set is negative');
  return {
    chain: encodeBase58('chain', chain),
    kind: KINDS[tag] ?? 'attestation',
    level,
    round,
    payloadHash: bytesToHex(payloadHash),
    details: {
      branch: encodeBase58('block', branch),
      ...(slot === undefined ? {} : { slot: String(slot) }),
      ...(dal === undefined ? {} : { dalAttestation: String(dal) }),
    },
  };
}

function decodeStatement(payload: Uint8Array, form: ConsensusForm): ConsensusStatement {
  const statement = readStatement(payload, form);
  if (statement.level < 1 || statement.round < 0) {
    throw new TransactionError('TRANSACTION_UNSAFE', 'level or round is one that no block has', {
      level: statement.level,
      round: statement.round,
    });
  }
  return statement;
}

/** Reads the position of a consensus payload, for its watermark. @throws TransactionError */
export function readPosition(payload: Uint8Array, form: ConsensusForm): ConsensusPosition {
  const { chain, kind, level, round, payloadHash } = decodeStatement(payload, form);
  return { chain, kind, level, round, payloadHash, digest: bytesToHex(hashPayload(payload)) };
}

/**
 * Decodes 0x11, 0x12 or 0x13 ‖ chain id ‖ block header, preattestation or attestation. A baker finds level and round by
 * its key's curve, other signers by the tag: both have to agree.
 *
 * @throws TransactionError
 */
export function decodeConsensus(payload: Uint8Array, context: DecodingContext): DecodedPayload {
  const network = findNetwork(context);
  const signer = hashSigner(context);
  const form = signer.tag === BLS ? 'bls' : 'plain';
  const { chain, kind, level, round, payloadHash, details } = decodeStatement(payload, form);
  if (nameNetwork(chain) !== network) {
    throw new TransactionError('TRANSACTION_NETWORK_MISMATCH', 'the payload is for another chain', {
      expected: network,
      found: chain,
    });
  }
  return {
    transaction: {
      kind: 'tezos-consensus',
      network,
      source: printKeyHash(signer),
      effects: [
        {
          type: 'consensus',
          to: null,
          asset: null,
          amount: null,
          contract: null,
          selector: kind,
          details: { level: String(level), round: String(round), payloadHash, ...details },
        },
      ],
      fee: null,
      nonce: null,
      gas: null,
      features: [],
      details: {},
    },
    signings: [{ input: toSigningInput(context, payload) }],
  };
}
