import {
  type Algorithm,
  ALGORITHMS,
  algorithmSchema,
  describeAlgorithm,
  type KeyType,
} from '../../shared/algorithms.ts';
import { MAX_MESSAGE_BYTES, type Payload } from '../../shared/api/bodies.ts';
import { type CommandInput, type OptionSpec, readInput, UsageError } from '../common/command.ts';

/** Options for the payload to sign, of which exactly one is given. */
export const PAYLOAD_OPTIONS = {
  message: { type: 'string', value: 'HEX', description: 'a message, which the algorithm hashes itself' },
  'message-file': {
    type: 'string',
    value: 'FILE',
    description: 'the same, from a file; - is standard input',
  },
  digest: { type: 'string', value: 'HEX', description: '32 bytes that you have hashed' },
  'taproot-sighash': {
    type: 'string',
    value: 'HEX',
    description: 'a BIP-341 signature hash, signed with the output key',
  },
  'merkle-root': {
    type: 'string',
    value: 'HEX',
    description: 'of the script tree, for --taproot-sighash (default: no scripts)',
  },
  algorithm: {
    type: 'string',
    value: 'NAME',
    description: `${ALGORITHMS.join(', ')} (default: the key's; ECDSA for digests with secp256k1)`,
  },
} as const satisfies Record<string, OptionSpec>;

/** Reads the payload. @throws UsageError for none, several, or one that is no hex */
export async function readPayload({ text, io }: CommandInput): Promise<Payload> {
  const names = (['message', 'message-file', 'digest', 'taproot-sighash'] as const).filter(
    (option) => text(option) !== undefined,
  );
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw new UsageError('one of --message, --message-file, --digest and --taproot-sighash is needed');
  }
  const value = text(name) ?? '';
  const merkleRoot = text('merkle-root');
  if (merkleRoot !== undefined && name !== 'taproot-sighash') {
    throw new UsageError('--merkle-root goes with --taproot-sighash');
  }
  switch (name) {
    case 'message':
      return { kind: 'message', message: readHex(value, '--message', 0, MAX_MESSAGE_BYTES) };
    case 'message-file': {
      const bytes = await readInput(value, io, MAX_MESSAGE_BYTES);
      return { kind: 'message', message: Buffer.from(bytes).toString('hex') };
    }
    case 'digest':
      return { kind: 'digest', digest: readHex(value, '--digest', 32, 32) };
    case 'taproot-sighash':
      return {
        kind: 'taproot-sighash',
        digest: readHex(value, '--taproot-sighash', 32, 32),
        merkleRoot: merkleRoot === undefined ? '' : readHex(merkleRoot, '--merkle-root', 32, 32),
      };
    default:
      throw new UsageError('nothing to sign');
  }
}

/** Reads the algorithm that was named; undefined when the key shall decide. @throws UsageError */
export function readAlgorithm(name: string | undefined): Algorithm | undefined {
  if (name === undefined) return undefined;
  const parsed = algorithmSchema.safeParse(name);
  if (!parsed.success) throw new UsageError(`--algorithm is one of ${ALGORITHMS.join(', ')}`);
  return parsed.data;
}

/** Chooses the first algorithm of a type of key that takes such a payload. */
export function chooseAlgorithm(type: KeyType, kind: Payload['kind']): Algorithm | undefined {
  return ALGORITHMS.find((algorithm) => {
    const { key, payloads } = describeAlgorithm(algorithm);
    return key === type && payloads.includes(kind);
  });
}

function readHex(text: string, option: string, minimum: number, maximum: number): string {
  const hex = text.replace(/^0x/, '').toLowerCase();
  const length = hex.length / 2;
  if (!/^(?:[0-9a-f]{2})*$/.test(hex) || length < minimum || length > maximum) {
    const size = minimum === maximum ? `${minimum} bytes` : `up to ${maximum} bytes`;
    throw new UsageError(`${option} is ${size} in hex`);
  }
  return hex;
}
