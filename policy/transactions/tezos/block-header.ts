import { TransactionError } from '../errors.ts';
import { isEqual } from './bytes.ts';
import { type Codec, dynamic, fixed, int32, list, option, record, rest, unsigned } from './codec.ts';

/** Unsigned header of a block (Octez: `Block_header.shell_header`, then `Block_header_repr.contents`, protocol 025). */
export interface BlockHeader {
  readonly level: number;
  readonly protocol: number;
  readonly predecessor: Uint8Array;
  /** Seconds since 1970. */
  readonly timestamp: bigint;
  readonly validationPasses: number;
  readonly operationsHash: Uint8Array;
  readonly fitness: readonly Uint8Array[];
  readonly context: Uint8Array;
  readonly payloadHash: Uint8Array;
  readonly payloadRound: number;
  readonly proofOfWorkNonce: Uint8Array;
  readonly seedNonceHash: Uint8Array | undefined;
  readonly votes: number;
}

const int64: Codec<bigint> = {
  read: (reader) => (BigInt(reader.int32()) << 32n) | BigInt(reader.unsigned(4)),
  write: (writer, value) => {
    writer.unsigned(4, Number(BigInt.asIntN(32, value >> 32n)));
    writer.unsigned(4, Number(BigInt.asUintN(32, value)));
  },
};
const hash = fixed(32);

export const blockHeader: Codec<BlockHeader> = record<{ [K in keyof BlockHeader]: BlockHeader[K] }>({
  level: int32,
  protocol: unsigned(1),
  predecessor: hash,
  timestamp: int64,
  validationPasses: unsigned(1),
  operationsHash: hash,
  fitness: dynamic(list(dynamic(rest))),
  context: hash,
  payloadHash: hash,
  payloadRound: int32,
  proofOfWorkNonce: fixed(8),
  seedNonceHash: option(hash),
  votes: unsigned(1),
});

/** Version of fitness since Tenderbake. */
const TENDERBAKE = Uint8Array.of(2);

/**
 * Reads the round of a block from its fitness (Octez: `Fitness_repr`): version, level, locked round or nothing,
 * predecessor's round as its one's complement, round.
 *
 * @throws TransactionError TRANSACTION_UNSAFE for a fitness that no block of this level has
 */
export function readRound({ fitness, level, payloadRound }: BlockHeader): number {
  const [version, fitnessLevel, lockedRound, predecessorRound, round, ...others] = fitness;
  const isTenderbake =
    version !== undefined &&
    isEqual(version, TENDERBAKE) &&
    fitnessLevel?.length === 4 &&
    (lockedRound?.length === 0 || lockedRound?.length === 4) &&
    predecessorRound?.length === 4 &&
    round?.length === 4 &&
    others.length === 0;
  if (!isTenderbake) throw unsafe('the fitness is none of Tenderbake');
  const value = toInt32(round);
  const isConsistent =
    toInt32(fitnessLevel) === level &&
    toInt32(predecessorRound) < 0 &&
    (lockedRound.length === 0 || (toInt32(lockedRound) >= 0 && toInt32(lockedRound) < value)) &&
    payloadRound >= 0 &&
    payloadRound <= value;
  if (!isConsistent) throw unsafe('the fitness contradicts its header');
  return value;
}

const toInt32 = (bytes: Uint8Array) => bytes.reduce((value, byte) => (value << 8) | byte, 0);

function unsafe(message: string): TransactionError {
  return new TransactionError('TRANSACTION_UNSAFE', message);
}
