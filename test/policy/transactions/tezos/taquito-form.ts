import { bytesToHex } from '@noble/hashes/utils.js';
import { printAddress, printKeyHash, printPublicKey } from '../../../../policy/transactions/tezos/address.ts';
import { encodeBase58 } from '../../../../policy/transactions/tezos/base58.ts';
import type { Micheline } from '../../../../policy/transactions/tezos/micheline.ts';
import type { Operation } from '../../../../policy/transactions/tezos/operations.ts';
import type { Content } from './samples.ts';

export function toMichelineJson(value: Micheline): unknown {
  switch (value.type) {
    case 'int':
      return { int: String(value.value) };
    case 'string':
      return { string: value.value };
    case 'bytes':
      return { bytes: bytesToHex(value.value) };
    case 'sequence':
      return value.items.map(toMichelineJson);
    case 'prim':
      return {
        prim: value.prim,
        ...(value.args.length > 0 ? { args: value.args.map(toMichelineJson) } : {}),
        ...(value.annotations.length > 0 ? { annots: value.annotations } : {}),
      };
    default:
      throw new Error('no node of Micheline');
  }
}

const proofOf = (proof: Uint8Array | undefined) => (proof ? { proof: bytesToHex(proof) } : {});

function ownFields(each: Operation): Record<string, unknown> {
  switch (each.kind) {
    case 'reveal':
      return { public_key: printPublicKey(each.publicKey), ...proofOf(each.proof) };
    case 'transaction': {
      const { entrypoint, value } = each.parameters;
      const json = toMichelineJson(value);
      const isPlain = entrypoint === 'default' && JSON.stringify(json) === '{"prim":"Unit"}';
      return {
        amount: String(each.amount),
        destination: printAddress(each.destination),
        ...(isPlain ? {} : { parameters: { entrypoint, value: json } }),
      };
    }
    case 'origination':
      return {
        balance: String(each.balance),
        ...(each.delegate ? { delegate: printKeyHash(each.delegate) } : {}),
        script: { code: toMichelineJson(each.code), storage: toMichelineJson(each.storage) },
      };
    case 'delegation':
      return each.delegate ? { delegate: printKeyHash(each.delegate) } : {};
    case 'register_global_constant':
      return { value: toMichelineJson(each.value) };
    case 'set_deposits_limit':
      return each.limit === undefined ? {} : { limit: String(each.limit) };
    case 'increase_paid_storage':
      return { amount: String(each.amount), destination: printAddress(each.destination) };
    case 'update_consensus_key':
    case 'update_companion_key':
      return { pk: printPublicKey(each.publicKey), ...proofOf(each.proof) };
    case 'transfer_ticket':
      return {
        ticket_contents: toMichelineJson(each.contents),
        ticket_ty: toMichelineJson(each.contentsType),
        ticket_ticketer: printAddress(each.ticketer),
        ticket_amount: String(each.amount),
        destination: printAddress(each.destination),
        entrypoint: each.entrypoint,
      };
    case 'smart_rollup_originate':
      return {
        pvm_kind: ['arith', 'wasm_2_0_0', 'riscv'][each.machine],
        kernel: bytesToHex(each.kernel),
        parameters_ty: toMichelineJson(each.parametersType),
        ...(each.whitelist ? { whitelist: each.whitelist.map(printKeyHash) } : {}),
      };
    case 'smart_rollup_add_messages':
      return { message: each.messages.map((message) => bytesToHex(message)) };
    case 'smart_rollup_execute_outbox_message':
      return {
        rollup: encodeBase58('sr1', each.rollup),
        cemented_commitment: bytesToHex(each.commitment),
        output_proof: bytesToHex(each.outputProof),
      };
    case 'dal_publish_commitment':
      return {
        slot_header: {
          slot_index: each.slot,
          commitment: bytesToHex(each.commitment),
          commitment_proof: bytesToHex(each.commitmentProof),
        },
      };
    case 'drain_delegate':
      return {
        consensus_key: printKeyHash(each.consensusKey),
        delegate: printKeyHash(each.delegate),
        destination: printKeyHash(each.destination),
      };
    case 'ballot':
      return {
        source: printKeyHash(each.source),
        period: each.period,
        proposal: encodeBase58('protocol', each.proposal),
        ballot: ['yay', 'nay', 'pass'][each.ballot],
      };
    case 'proposals':
      return {
        source: printKeyHash(each.source),
        period: each.period,
        proposals: each.proposals.map((proposal) => encodeBase58('protocol', proposal)),
      };
    case 'failing_noop':
      return { arbitrary: bytesToHex(each.arbitrary) };
    default:
      throw new Error('no kind of operation');
  }
}

/** Writes a decoded operation as taquito takes it; what no notation of ours covers, in hex. */
export function toContent(each: Operation): Content {
  const common =
    'counter' in each
      ? {
          source: printKeyHash(each.source),
          fee: String(each.fee),
          counter: String(each.counter),
          gas_limit: String(each.gasLimit),
          storage_limit: String(each.storageLimit),
        }
      : {};
  return { kind: each.kind, ...common, ...ownFields(each) };
}
