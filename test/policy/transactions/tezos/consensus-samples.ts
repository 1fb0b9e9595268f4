import { forge, PAYLOAD_HASH } from './samples.ts';

export const MAINNET_CHAIN = '7a06a770';
export const HASH_HEX = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';

const int32 = (value: number) => (value >>> 0).toString(16).padStart(8, '0');
const element = (hex: string) => int32(hex.length / 2) + hex;

export interface HeaderFields {
  readonly level: number;
  readonly round: number;
  readonly payloadRound: number;
  readonly payloadHash: string;
  readonly lockedRound: number | null;
  readonly predecessorRound: number;
  readonly seedNonce: string;
  readonly timestamp: number;
  readonly fitness: readonly string[];
}

/** Writes a block's header by the offsets that were seen in Signatory: level at 5, length of the fitness at 83. */
export function header(fields: Partial<HeaderFields> = {}, chain = MAINNET_CHAIN): string {
  const { level = 5_000_000, round = 0, lockedRound = null, predecessorRound = 0 } = fields;
  const fitness = fields.fitness ?? [
    '02',
    int32(level),
    lockedRound === null ? '' : int32(lockedRound),
    int32(-predecessorRound - 1),
    int32(round),
  ];
  const joined = fitness.map(element).join('');
  return [
    '11',
    chain,
    int32(level),
    '18',
    HASH_HEX,
    int32(0),
    int32(fields.timestamp ?? 1_790_000_000),
    '04',
    'aa'.repeat(32),
    element(joined),
    'bb'.repeat(32),
    fields.payloadHash ?? HASH_HEX,
    int32(fields.payloadRound ?? 0),
    '00'.repeat(8),
    fields.seedNonce ?? '00',
    '0a',
  ].join('');
}

export interface AttestationFields {
  readonly slot: number;
  readonly level: number;
  readonly round: number;
  readonly payloadHash: string;
  readonly dal: number;
}

/** Writes a preattestation by hand, and an attestation by taquito, which knows no preattestation. */
export function preattestation(fields: Partial<AttestationFields> = {}, chain = MAINNET_CHAIN): string {
  const { slot = 3, level = 5_000_000, round = 0, payloadHash = HASH_HEX } = fields;
  return `12${chain}${HASH_HEX}14${slot.toString(16).padStart(4, '0')}${int32(level)}${int32(round)}${payloadHash}`;
}

export async function attestation(
  fields: Partial<AttestationFields> = {},
  chain = MAINNET_CHAIN,
): Promise<string> {
  const { slot = 3, level = 5_000_000, round = 0, dal } = fields;
  const content = {
    slot,
    level,
    round,
    block_payload_hash: PAYLOAD_HASH,
    ...(dal === undefined
      ? { kind: 'attestation' }
      : { kind: 'attestation_with_dal', dal_attestation: String(dal) }),
  };
  return `13${chain}${await forge(content)}`;
}
