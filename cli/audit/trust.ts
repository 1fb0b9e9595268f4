import {
  type Cosignature,
  isOrigin,
  LOG_KEY_TYPES,
  LogError,
  openCheckpoint,
  parseVerifierKey,
  type SignedCheckpoint,
  type VerifierKey,
  verifyCosignatures,
  WITNESS_KEY_TYPES,
} from '../../audit/log/index.ts';
import { verifyByNode } from '../../audit/log/node-signatures.ts';
import { type CommandInput, type OptionSpec, UsageError } from '../common/command.ts';

/** Options by which a reader says whom to believe. */
export const TRUST_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  origin: { type: 'string', value: 'ORIGIN', required: true, description: 'origin of the log' },
  key: { type: 'string', value: 'VKEY', required: true, description: 'verifier key of the log: name+id+key' },
  witness: {
    type: 'string',
    value: 'VKEY',
    multiple: true,
    description: 'verifier key of a witness; once for each',
  },
  threshold: {
    type: 'string',
    value: 'K',
    description: 'how many of the witnesses must have cosigned; needed with --witness',
  },
};

/** Log and witnesses that a reader believes. */
export interface LogTrust {
  readonly origin: string;
  readonly keys: readonly VerifierKey[];
  readonly witnesses: { readonly keys: readonly VerifierKey[]; readonly threshold: number };
}

/** @throws UsageError */
export function readTrust({ text, texts }: CommandInput): LogTrust {
  const origin = text('origin') ?? '';
  if (!isOrigin(origin)) throw new UsageError('--origin is one line that is not empty');
  const witnesses = texts('witness').map((vkey) => parseKey(vkey, '--witness', WITNESS_KEY_TYPES));
  const threshold = text('threshold');
  if (witnesses.length > 0 && threshold === undefined)
    throw new UsageError('--threshold says how many of the witnesses must have cosigned');
  const k = threshold === undefined ? 0 : Number(/^\d{1,2}$/.exec(threshold)?.[0] ?? Number.NaN);
  if (threshold !== undefined && !(k >= 1 && k <= witnesses.length))
    throw new UsageError('--threshold is a number from 1 to that of the witnesses');
  return {
    origin,
    keys: [parseKey(text('key') ?? '', '--key', LOG_KEY_TYPES)],
    witnesses: { keys: witnesses, threshold: k },
  };
}

function parseKey(vkey: string, option: string, types: typeof LOG_KEY_TYPES): VerifierKey {
  try {
    return parseVerifierKey(vkey, types);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new UsageError(`${option}: ${error.message}`);
  }
}

/** Checkpoint that the log has signed and enough witnesses have cosigned. */
export interface TrustedCheckpoint extends SignedCheckpoint {
  readonly cosignatures: readonly Cosignature[];
}

/** Opens a checkpoint of a log of ours: without extension lines. @throws LogError */
export function openTrusted(note: Uint8Array, trust: LogTrust): TrustedCheckpoint {
  const checkpoint = openCheckpoint(note, trust, verifyByNode);
  if (checkpoint.extensions.length > 0)
    throw new LogError('CHECKPOINT_MALFORMED', 'expected no extension lines');
  const cosignatures = verifyCosignatures(
    checkpoint.text,
    checkpoint.signatures,
    trust.witnesses,
    verifyByNode,
  );
  return { ...checkpoint, cosignatures };
}

/** Describes a checkpoint in a line or two. */
export function describeCheckpoint({ origin, size, root, cosignatures }: TrustedCheckpoint): string {
  const witnesses = cosignatures.map(
    ({ witness, time }) => `\n  cosigned by ${witness.name} at ${formatTime(time)}`,
  );
  const nobody = '\n  cosigned by no witness: whoever has the key of the log may show others another log';
  return `${origin}, ${size} entries, root ${Buffer.from(root).toString('base64')}${witnesses.length === 0 ? nobody : witnesses.join('')}`;
}

function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString();
}
