import { bytesToHex } from '@noble/hashes/utils.js';
import type { Effect } from '../transaction.ts';
import { areEqual } from './bytes.ts';
import { BITCOIN_FEATURES } from './features.ts';
import type { BitcoinNetwork } from './networks.ts';
import type { Output } from './raw-transaction.ts';
import { classifyScript, toAddress } from './script.ts';

/** Bytes of an OP_RETURN output that its effect shows: many of them still fit into an entry of the log. */
const MAX_SHOWN_BYTES = 40;

/** An input whose signature leaves it open where its amount goes. */
export interface OpenInput {
  readonly index: number;
  readonly amount: bigint;
  /** Name of its sighash type. */
  readonly sighash: string;
}

/** What a transaction's outputs do. */
export interface OutputEffects {
  readonly effects: readonly Effect[];
  readonly features: readonly string[];
  /** Indexes of the outputs that are change. */
  readonly change: readonly number[];
}

/**
 * Turns outputs into effects: a transfer each, but for change. Where all is change, its largest output is the one
 * transfer, so that a rule has something to decide on.
 *
 * @param changeScript script whose outputs return to where the inputs came from
 */
export function describeOutputs(
  outputs: readonly Output[],
  {
    network,
    changeScript,
    open,
  }: {
    network: BitcoinNetwork;
    changeScript: Uint8Array | undefined;
    open: readonly OpenInput[];
  },
): OutputEffects {
  const isChange = ({ script }: Output) => changeScript !== undefined && areEqual(changeScript, script);
  const indexed = outputs.map((output, index) => ({ output, index }));
  const change = indexed.filter(({ output }) => isChange(output));
  const paid = indexed.filter(({ output }) => !isChange(output));
  const [first, ...others] = change;
  const largest = others.reduce(
    (most, one) => (most && most.output.amount >= one.output.amount ? most : one),
    first,
  );
  const described = [
    ...paid.map(({ output, index }) => describeOutput(output, index, network)),
    ...(paid.length === 0 && largest ? [describeOutput(largest.output, largest.index, network, true)] : []),
  ];
  return {
    effects: [
      ...described.map(({ effect }) => effect),
      ...open.map((input) => describeOpenInput(input, network)),
    ],
    features: described.flatMap(({ features }) => features),
    change: change.map(({ index }) => index),
  };
}

function describeOutput(
  { amount, script }: Output,
  index: number,
  network: BitcoinNetwork,
  isSelf = false,
): { readonly effect: Effect; readonly features: readonly string[] } {
  const { type } = classifyScript(script);
  const details = { output: String(index), script: type, ...(isSelf ? { self: 'true' } : {}) };
  const effect = {
    type: 'transfer',
    to: toAddress(script, network),
    asset: network.asset,
    amount,
    details,
  } as const;
  const common = { ...effect, contract: null, selector: null };
  if (type === 'op-return') {
    const data = { bytes: String(script.length), data: bytesToHex(script.subarray(0, MAX_SHOWN_BYTES)) };
    return { effect: { ...common, type: 'unknown', details: { ...details, ...data } }, features: [] };
  }
  if (type === 'nonstandard') return { effect: common, features: [BITCOIN_FEATURES.nonstandardOutput] };
  return { effect: common, features: type === 'witness' ? [BITCOIN_FEATURES.unknownWitnessProgram] : [] };
}

/** An amount that whoever holds the signature may send anywhere is an effect that nobody can name. */
function describeOpenInput({ index, amount, sighash }: OpenInput, { asset }: BitcoinNetwork): Effect {
  return {
    type: 'unknown',
    to: null,
    asset,
    amount,
    contract: null,
    selector: null,
    details: { input: String(index), sighash },
  };
}
