import type { ConsensusKind, ConsensusPosition } from '../transactions/tezos/index.ts';
import type { WatermarkErrorCode } from './errors.ts';

/** Steps of one round, in the only order in which a baker takes them. */
export const STEPS = ['block', 'preattestation', 'attestation'] as const;
export type Step = (typeof STEPS)[number];

const STEP_OF_KIND: Readonly<Record<ConsensusKind, Step>> = {
  block: 'block',
  preattestation: 'preattestation',
  attestation: 'attestation',
  'attestation-with-dal': 'attestation',
};

/** The latest level and round that a key has signed for on a chain, and what it has signed there. */
export interface Watermark {
  readonly level: number;
  readonly round: number;
  /** In hex; the same in all that was signed at this level and round. */
  readonly payloadHash: string;
  /** Digest of each step that was signed, in hex; at least one. */
  readonly digests: Readonly<Partial<Record<Step, string>>>;
}

export type WatermarkRefusal = Exclude<WatermarkErrorCode, 'WATERMARK_UNREADABLE'>;
/** `advance`: the watermark moves before the signature leaves. `repeat`: the same bytes were permitted before. */
export type WatermarkVerdict = 'advance' | 'repeat' | WatermarkRefusal;

/** Judges a position by the watermark of its key and chain: the rule of SPEC.md. */
export function judge(watermark: Watermark | undefined, position: ConsensusPosition): WatermarkVerdict {
  if (watermark === undefined) return 'advance';
  const distance = position.level - watermark.level || position.round - watermark.round;
  if (distance !== 0) return distance > 0 ? 'advance' : 'WATERMARK_TOO_LOW';
  const step = STEP_OF_KIND[position.kind];
  const digest = watermark.digests[step];
  if (digest !== undefined) return digest === position.digest ? 'repeat' : 'WATERMARK_CONFLICT';
  if (position.payloadHash !== watermark.payloadHash) return 'WATERMARK_CONFLICT';
  const later = STEPS.slice(STEPS.indexOf(step) + 1);
  return later.some((other) => watermark.digests[other] !== undefined) ? 'WATERMARK_TOO_LOW' : 'advance';
}

/** Moves a watermark to a position that it allows. */
export function move(watermark: Watermark | undefined, position: ConsensusPosition): Watermark {
  const { level, round, payloadHash, digest } = position;
  const isSameRound = watermark?.level === level && watermark.round === round;
  return {
    level,
    round,
    payloadHash,
    digests: { ...(isSameRound ? watermark.digests : {}), [STEP_OF_KIND[position.kind]]: digest },
  };
}
