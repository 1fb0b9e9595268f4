import { TransactionError } from '../errors.ts';
import { contract, keyHash, originated, publicKey, smartRollup } from './address.ts';
import type { Reader, Writer } from './bytes.ts';
import {
  type Codec,
  dynamic,
  fixed,
  int32,
  integer,
  list,
  natural,
  number,
  option,
  record,
  rest,
  unsigned,
} from './codec.ts';
import { longEntrypoint, parameters } from './entrypoint.ts';
import { MAX_INTEGER_BYTES } from './limits.ts';
import { micheline } from './micheline.ts';

/** Fields that begin every operation of a manager, the owner of an account. */
const manager = {
  source: keyHash,
  fee: number,
  counter: number,
  gasLimit: number,
  storageLimit: number,
};
/** A key's signature over itself, which only BLS12-381 has. */
const proof = option(dynamic(fixed(96)));
const delegate = option(keyHash);
const hash = fixed(32);
const expression = dynamic(micheline);
const bytes = dynamic(rest);

/**
 * Fields of each operation that is read, in the order of their encoding (Octez: `Operation_repr`, protocol 025). Whether a
 * number is natural or an integer with a sign is the protocol's choice for each.
 */
const FIELDS = {
  proposals: { source: keyHash, period: int32, proposals: dynamic(list(hash)) },
  ballot: { source: keyHash, period: int32, proposal: hash, ballot: unsigned(1) },
  failing_noop: { arbitrary: bytes },
  drain_delegate: { consensusKey: keyHash, delegate: keyHash, destination: keyHash },
  reveal: { ...manager, publicKey, proof },
  transaction: { ...manager, amount: number, destination: contract, parameters },
  origination: { ...manager, balance: number, delegate, code: expression, storage: expression },
  delegation: { ...manager, delegate },
  register_global_constant: { ...manager, value: expression },
  set_deposits_limit: { ...manager, limit: option(number) },
  increase_paid_storage: { ...manager, amount: integer, destination: originated },
  update_consensus_key: { ...manager, publicKey, proof },
  update_companion_key: { ...manager, publicKey, proof },
  transfer_ticket: {
    ...manager,
    contents: expression,
    contentsType: expression,
    ticketer: contract,
    amount: natural(MAX_INTEGER_BYTES),
    destination: contract,
    entrypoint: longEntrypoint,
  },
  smart_rollup_originate: {
    ...manager,
    machine: unsigned(1),
    kernel: bytes,
    parametersType: expression,
    whitelist: option(dynamic(list(keyHash))),
  },
  smart_rollup_add_messages: { ...manager, messages: dynamic(list(bytes)) },
  smart_rollup_execute_outbox_message: {
    ...manager,
    rollup: smartRollup,
    commitment: hash,
    outputProof: bytes,
  },
  dal_publish_commitment: {
    ...manager,
    slot: unsigned(1),
    commitment: fixed(48),
    commitmentProof: fixed(96),
  },
} as const;
type Fields = typeof FIELDS;
export type OperationKind = keyof Fields;

/** Decoded operation: its kind, and the fields of that kind. */
export type Operation<K extends OperationKind = OperationKind> = {
  readonly [Kind in K]: { readonly kind: Kind } & {
    readonly [F in keyof Fields[Kind]]: Fields[Kind][F] extends Codec<infer T> ? T : never;
  };
}[K];
export type ManagerOperation = Extract<Operation, { counter: bigint }>;

const TAGS: Readonly<Record<OperationKind, number>> = {
  proposals: 5,
  ballot: 6,
  drain_delegate: 9,
  failing_noop: 17,
  reveal: 107,
  transaction: 108,
  origination: 109,
  delegation: 110,
  register_global_constant: 111,
  set_deposits_limit: 112,
  increase_paid_storage: 113,
  update_consensus_key: 114,
  update_companion_key: 115,
  transfer_ticket: 158,
  smart_rollup_originate: 200,
  smart_rollup_add_messages: 201,
  smart_rollup_execute_outbox_message: 206,
  dal_publish_commitment: 230,
};

/** Operations of the protocol that are refused by name: nobody signs them, or no rule could say what they do. */
const REFUSED: Readonly<Record<number, string>> = {
  1: 'seed_nonce_revelation',
  2: 'double_consensus_operation_evidence',
  3: 'double_baking_evidence',
  4: 'activate_account',
  8: 'vdf_revelation',
  20: 'preattestation',
  21: 'attestation',
  23: 'attestation_with_dal',
  24: 'dal_entrapment_evidence',
  30: 'preattestations_aggregate',
  31: 'attestations_aggregate',
  202: 'smart_rollup_cement',
  203: 'smart_rollup_publish',
  204: 'smart_rollup_refute',
  205: 'smart_rollup_timeout',
  207: 'smart_rollup_recover_bond',
  250: 'zk_rollup_origination',
  251: 'zk_rollup_publish',
  252: 'zk_rollup_update',
};

type AnyRecord = Codec<Readonly<Record<string, unknown>>>;
const CODECS = Object.fromEntries(
  Object.entries(FIELDS).map(([kind, fields]) => [kind, record(fields as Record<string, Codec<unknown>>)]),
) as unknown as Readonly<Record<OperationKind, AnyRecord>>;
const KINDS = new Map(Object.entries(TAGS).map(([kind, tag]) => [tag, kind as OperationKind]));

/** One operation behind the tag of its kind. */
export const operation: Codec<Operation> = {
  read: (reader: Reader) => {
    const tag = reader.unsigned(1);
    const kind = KINDS.get(tag);
    if (kind === undefined) {
      throw new TransactionError('TRANSACTION_UNSUPPORTED', 'this operation is not signed', {
        tag,
        operation: REFUSED[tag] ?? 'unknown',
      });
    }
    return { kind, ...CODECS[kind].read(reader) } as unknown as Operation;
  },
  write: (writer: Writer, value) => {
    writer.unsigned(1, TAGS[value.kind]);
    CODECS[value.kind].write(writer, value);
  },
};

/** Tells whether an operation is one of an account's manager, with fee and counter. */
export function isManagerOperation(value: Operation): value is ManagerOperation {
  return 'counter' in value;
}
