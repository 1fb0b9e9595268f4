import { TransactionError } from '../errors.ts';
import { type DecodedPayload, type DecodingContext, MAX_EFFECTS, type Transaction } from '../transaction.ts';
import { printKeyHash } from './address.ts';
import { assertOperations } from './assertions.ts';
import { encodeBase58 } from './base58.ts';
import { isEqual, Reader, Writer } from './bytes.ts';
import { type Codec, fixed, list, record } from './codec.ts';
import { describeOperation, tezOf } from './effects.ts';
import { MAX_EFFECT_TEXT_LENGTH, MAX_PAYLOAD_BYTES, MAX_TEXT_LENGTH } from './limits.ts';
import { findNetwork, hashSigner, toSigningInput } from './network.ts';
import { isManagerOperation, type Operation, operation } from './operations.ts';

/** First byte of what an account's manager signs (Octez: `Signature.Generic_operation`). */
const WATERMARK = 3;
/** Price of a byte of storage in mutez: the constant `cost_per_byte` of the protocol, 250 since protocol 008. */
const MUTEZ_PER_BYTE = 250n;

interface OperationGroup {
  readonly branch: Uint8Array;
  readonly contents: readonly Operation[];
}
const group: Codec<{ branch: Uint8Array; contents: readonly Operation[] }> = record<{
  branch: Uint8Array;
  contents: readonly Operation[];
}>({ branch: fixed(32), contents: list(operation) });

/**
 * Reads a payload behind its first byte to its last one, and asserts that what was read encodes to the same bytes.
 *
 * @throws TransactionError
 */
export function readExactly<T>(payload: Uint8Array, watermark: number, codec: Codec<T>): T {
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', 'the payload is longer than the chain takes', {
      maximum: MAX_PAYLOAD_BYTES,
      found: payload.length,
    });
  }
  const reader = new Reader(payload);
  const found = reader.unsigned(1);
  if (found !== watermark) {
    throw new TransactionError('TRANSACTION_MALFORMED', 'the first byte is not that of its kind', {
      expected: watermark,
      found,
    });
  }
  const value = codec.read(reader);
  reader.assertAtEnd();
  const writer = new Writer();
  writer.unsigned(1, watermark);
  codec.write(writer, value);
  if (isEqual(writer.finish(), payload)) return value;
  throw new TransactionError('TRANSACTION_NOT_CANONICAL', 'the decoded fields encode to other bytes');
}

/** Decodes 0x03 ‖ branch ‖ operations. @throws TransactionError */
export function decodeOperation(payload: Uint8Array, context: DecodingContext): DecodedPayload {
  const network = findNetwork(context);
  const signer = hashSigner(context);
  const decoded = readExactly(payload, WATERMARK, group);
  assertOperations(decoded.contents, signer);
  return {
    transaction: describeGroup(decoded, network, printKeyHash(signer)),
    signings: [{ input: toSigningInput(context, payload) }],
  };
}

function describeGroup({ branch, contents }: OperationGroup, network: string, source: string): Transaction {
  const maximumText = Math.min(MAX_EFFECT_TEXT_LENGTH, Math.floor(MAX_TEXT_LENGTH / contents.length));
  const described = contents.map((each) => describeOperation(each, { network, maximumText }));
  const effects = described.flatMap((each) => each.effects);
  if (effects.length > MAX_EFFECTS) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', 'the operations have too many effects', {
      maximum: MAX_EFFECTS,
      found: effects.length,
    });
  }
  const managed = contents.filter((each) => isManagerOperation(each));
  const [first] = managed;
  const fees = managed.reduce((sum, { fee }) => sum + fee, 0n);
  const storageBytes = managed.reduce(
    (sum, each) => sum + each.storageLimit + (each.kind === 'increase_paid_storage' ? each.amount : 0n),
    0n,
  );
  const storageBurn = storageBytes * MUTEZ_PER_BYTE;
  return {
    kind: 'tezos-operation',
    network,
    source,
    effects,
    fee: first === undefined ? null : { asset: tezOf(network), amount: fees + storageBurn },
    nonce: first?.counter ?? null,
    gas: first === undefined ? null : managed.reduce((sum, { gasLimit }) => sum + gasLimit, 0n),
    features: [...new Set(described.flatMap((each) => each.features))],
    details: {
      branch: encodeBase58('block', branch),
      operations: contents
        .map(({ kind }) => kind)
        .join(' ')
        .slice(0, MAX_EFFECT_TEXT_LENGTH),
      bakerFee: String(fees),
      storageBurnAtMost: String(storageBurn),
    },
  };
}
