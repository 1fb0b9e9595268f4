import { certificateVectors } from './certificate-vectors.ts';
import { chainVectors } from './chain-vectors.ts';
import { decisionVectors } from './decision-vectors.ts';
import { messageVectors } from './message-vectors.ts';
import { payloadVectors } from './payload-vectors.ts';
import { pcrFileVectors } from './pcr-file-vectors.ts';
import type { Vector } from './vector.ts';

/** Makes all vectors, the same bytes every time. */
export function forgeVectors(): Vector[] {
  const sources = [
    messageVectors,
    payloadVectors,
    certificateVectors,
    chainVectors,
    decisionVectors,
    pcrFileVectors,
  ];
  return sources.flat().map((source) => source());
}
