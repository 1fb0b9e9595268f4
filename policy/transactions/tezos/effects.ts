import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Effect } from '../transaction.ts';
import { printAddress, printKeyHash, printPublicKey } from './address.ts';
import { hashKey } from './assertions.ts';
import { encodeBase58 } from './base58.ts';
import { DEFAULT_ENTRYPOINT } from './entrypoint.ts';
import { isUnit, printMicheline } from './micheline.ts';
import type { Operation, OperationKind } from './operations.ts';
import { isStakingEntrypoint, readDelegateParameters } from './staking.ts';
import { readTokenActions, type TokenAction } from './tokens.ts';

/** Effects of one operation, and the features that a rule has to name. */
export interface OperationEffects {
  readonly effects: readonly Effect[];
  readonly features: readonly string[];
}

/** What effects need to know beside their operation. */
export interface EffectContext {
  readonly network: string;
  /** Most characters of Michelson text in the details of one effect. */
  readonly maximumText: number;
}

const BALLOTS = ['yay', 'nay', 'pass'];
const MACHINES = ['arith', 'wasm_2_0_0', 'riscv'];

/** CAIP-19 of the tez: SLIP-44 has 1729 for it. */
export const tezOf = (network: string) => `${network}/slip44:1729`;

/** CAIP-19 of a token: `fa12:KT1…`, or `fa2:KT1…/ID`, whose contract has many. */
function tokenOf(network: string, contract: string, { standard, tokenId }: TokenAction): string {
  return `${network}/${standard}:${contract}${tokenId === null ? '' : `/${tokenId}`}`;
}

function effect(type: Effect['type'], fields: Partial<Effect>): Effect {
  return {
    type,
    to: null,
    asset: null,
    amount: null,
    contract: null,
    selector: null,
    details: {},
    ...fields,
  };
}

/**
 * Describes an operation of the protocol that has no type of effect of its own: its name is the selector, and a feature
 * of that name has to be permitted, too.
 */
function describeSpecial(
  kind: OperationKind,
  type: Effect['type'],
  fields: Partial<Effect>,
): OperationEffects {
  return {
    effects: [effect(type, { selector: kind, ...fields })],
    features: [`tezos:${kind.replaceAll('_', '-')}`],
  };
}

const describeKeyUpdate = ({ kind, publicKey }: Operation<'update_consensus_key' | 'update_companion_key'>) =>
  describeSpecial(kind, 'delegate', {
    to: printKeyHash(hashKey(publicKey)),
    details: { publicKey: printPublicKey(publicKey) },
  });

const DESCRIPTIONS: {
  readonly [K in OperationKind]: (each: Operation<K>, context: EffectContext) => OperationEffects;
} = {
  transaction: describeTransaction,
  reveal: ({ publicKey }) => ({
    effects: [effect('reveal', { details: { publicKey: printPublicKey(publicKey) } })],
    features: [],
  }),
  delegation: ({ delegate }) => ({
    effects: [effect('delegate', { to: delegate ? printKeyHash(delegate) : null })],
    features: [],
  }),
  origination: ({ balance, delegate, code, storage }, { network, maximumText }) => ({
    effects: [
      effect('deploy', {
        asset: tezOf(network),
        amount: balance,
        details: { code: printMicheline(code, maximumText), storage: printMicheline(storage, maximumText) },
      }),
      ...(delegate === undefined
        ? []
        : [effect('delegate', { to: printKeyHash(delegate), details: { of: 'the new contract' } })]),
    ],
    features: [],
  }),
  drain_delegate: ({ kind, delegate, destination }, { network }) =>
    describeSpecial(kind, 'transfer', {
      to: printKeyHash(destination),
      asset: tezOf(network),
      details: { from: printKeyHash(delegate) },
    }),
  update_consensus_key: describeKeyUpdate,
  update_companion_key: describeKeyUpdate,
  transfer_ticket: ({ kind, destination, entrypoint, amount, ticketer, contents }, { maximumText }) => {
    const to = printAddress(destination);
    return describeSpecial(kind, 'transfer', {
      to,
      amount,
      contract: destination.prefix === 'KT1' ? to : null,
      selector: entrypoint,
      details: { ticketer: printAddress(ticketer), contents: printMicheline(contents, maximumText) },
    });
  },
  increase_paid_storage: ({ kind, destination, amount }) =>
    describeSpecial(kind, 'call', { to: printAddress(destination), details: { bytes: String(amount) } }),
  register_global_constant: ({ kind, value }, { maximumText }) =>
    describeSpecial(kind, 'deploy', { details: { value: printMicheline(value, maximumText) } }),
  smart_rollup_originate: ({ kind, machine, kernel }) =>
    describeSpecial(kind, 'deploy', {
      details: { machine: MACHINES[machine] ?? '', kernelSha256: bytesToHex(sha256(kernel)) },
    }),
  smart_rollup_add_messages: ({ kind, messages }) =>
    describeSpecial(kind, 'call', { details: { messages: String(messages.length) } }),
  smart_rollup_execute_outbox_message: ({ kind, rollup }) =>
    describeSpecial(kind, 'call', { to: encodeBase58('sr1', rollup) }),
  dal_publish_commitment: ({ kind, slot, commitment }) =>
    describeSpecial(kind, 'call', { details: { slot: String(slot), commitment: bytesToHex(commitment) } }),
  set_deposits_limit: ({ kind, limit }) =>
    describeSpecial(kind, 'call', { details: { limit: limit === undefined ? 'none' : String(limit) } }),
  ballot: ({ kind, ballot, period, proposal }) =>
    describeSpecial(kind, 'call', {
      selector: `${kind}:${BALLOTS[ballot] ?? ''}`,
      details: {
        ballot: BALLOTS[ballot] ?? '',
        period: String(period),
        proposal: encodeBase58('protocol', proposal),
      },
    }),
  failing_noop: ({ kind, arbitrary }, { maximumText }) =>
    describeSpecial(kind, 'message', { details: describeBytes(arbitrary, maximumText) }),
  proposals: ({ kind, period, proposals }, { maximumText }) =>
    describeSpecial(kind, 'call', {
      details: {
        period: String(period),
        proposals: proposals
          .map((proposal) => encodeBase58('protocol', proposal))
          .join(' ')
          .slice(0, maximumText),
      },
    }),
};

/** Describes a message to nobody: as text where all of it is printable, in hex otherwise. */
function describeBytes(bytes: Uint8Array, maximum: number): Readonly<Record<string, string>> {
  const isText = bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a);
  if (!isText) return { hex: bytesToHex(bytes.subarray(0, maximum / 2)), bytes: String(bytes.length) };
  return { text: String.fromCharCode(...bytes.subarray(0, maximum)), bytes: String(bytes.length) };
}

/** Says what an operation does. */
export function describeOperation(each: Operation, context: EffectContext): OperationEffects {
  const describe = DESCRIPTIONS[each.kind] as (each: Operation, context: EffectContext) => OperationEffects;
  return describe(each, context);
}

function describeTransaction(
  each: Operation<'transaction'>,
  { network, maximumText }: EffectContext,
): OperationEffects {
  const { amount, parameters } = each;
  const { entrypoint, value } = parameters;
  const asset = tezOf(network);
  const to = printAddress(each.destination);
  if (each.destination.prefix !== 'KT1') {
    return isStakingEntrypoint(entrypoint)
      ? describeStaking(each, asset)
      : { effects: [effect('transfer', { to, asset, amount })], features: [] };
  }
  const called = { contract: to, selector: entrypoint };
  // What a contract takes as a plain transfer still runs its code.
  const payment = amount > 0n ? [effect('transfer', { to, asset, amount, ...called })] : [];
  if (entrypoint === DEFAULT_ENTRYPOINT && isUnit(value) && payment.length > 0) {
    return { effects: payment, features: [] };
  }
  const actions = readTokenActions(parameters);
  if (actions === undefined) {
    const details = { parameters: printMicheline(value, maximumText) };
    return { effects: [...payment, effect('call', { ...called, details })], features: [] };
  }
  const source = printKeyHash(each.source);
  const owners = actions.map(({ owner }) => owner ?? source);
  const tokens = actions.map((action, index) =>
    effect(action.type, {
      to: action.to,
      asset: tokenOf(network, to, action),
      amount: action.amount,
      ...called,
      details: { owner: owners[index] ?? source },
    }),
  );
  const features = [
    ...(owners.some((owner) => owner !== source) ? ['tezos:tokens-of-others'] : []),
    ...(actions.some((action) => action.amount === null) ? ['tezos:unlimited-allowance'] : []),
  ];
  return { effects: [...payment, ...tokens], features };
}

function describeStaking({ amount, destination, parameters }: Operation<'transaction'>, asset: string) {
  const { entrypoint: selector, value } = parameters;
  const details = readDelegateParameters(value);
  if (details === undefined) {
    const fields = { to: printAddress(destination), asset, amount: amount > 0n ? amount : null, selector };
    return { effects: [effect('stake', fields)], features: [] };
  }
  return {
    effects: [
      effect('stake', {
        to: printAddress(destination),
        selector,
        details: {
          limitOfStakingOverBakingMillionth: String(details.limit),
          edgeOfBakingOverStakingBillionth: String(details.edge),
        },
      }),
    ],
    features: ['tezos:set-delegate-parameters'],
  };
}
