import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { WatermarkError } from './errors.ts';
import { type Step, STEPS, type Watermark } from './watermark.ts';

const FORMAT = 1;
const HASH_BYTES = 32;
/** Format, level, round, set of steps, payload hash. */
const HEAD_BYTES = 1 + 4 + 4 + 1 + HASH_BYTES;
const MAX_INT32 = 0x7fffffff;

/** Writes a watermark as SPEC.md has it. */
export function writeWatermark({ level, round, payloadHash, digests }: Watermark): Uint8Array {
  const present = STEPS.filter((step) => digests[step] !== undefined);
  const head = new DataView(new ArrayBuffer(HEAD_BYTES - HASH_BYTES));
  head.setUint8(0, FORMAT);
  head.setUint32(1, level);
  head.setUint32(5, round);
  head.setUint8(
    9,
    present.reduce((set, step) => set | (1 << STEPS.indexOf(step)), 0),
  );
  return concatBytes(
    new Uint8Array(head.buffer),
    hexToBytes(payloadHash),
    ...present.map((step) => hexToBytes(digests[step] ?? '')),
  );
}

/** Reads a watermark. @throws WatermarkError WATERMARK_UNREADABLE */
export function readWatermark(bytes: Uint8Array): Watermark {
  if (bytes.length < HEAD_BYTES) throw unreadable('a watermark is too short', { found: bytes.length });
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [format, level, round, set] = [
    head.getUint8(0),
    head.getUint32(1),
    head.getUint32(5),
    head.getUint8(9),
  ];
  const present = STEPS.filter((_, index) => (set & (1 << index)) !== 0);
  const isWhole =
    format === FORMAT &&
    level >= 1 &&
    level <= MAX_INT32 &&
    round <= MAX_INT32 &&
    present.length > 0 &&
    set < 1 << STEPS.length &&
    bytes.length === HEAD_BYTES + present.length * HASH_BYTES;
  if (!isWhole) throw unreadable('a watermark is not of this format', { format, found: bytes.length });
  const hashAt = (start: number) => bytesToHex(bytes.subarray(start, start + HASH_BYTES));
  const digests: Partial<Record<Step, string>> = {};
  for (const [index, step] of present.entries()) digests[step] = hashAt(HEAD_BYTES + index * HASH_BYTES);
  return { level, round, payloadHash: hashAt(HEAD_BYTES - HASH_BYTES), digests };
}

export function unreadable(message: string, details: Record<string, unknown>): WatermarkError {
  return new WatermarkError('WATERMARK_UNREADABLE', message, details);
}
