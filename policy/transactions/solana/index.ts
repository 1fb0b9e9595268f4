import { hexToBytes } from '@noble/hashes/utils.js';
import type { TransactionPayload } from '../../../shared/api/payloads.ts';
import { TransactionError } from '../errors.ts';
import type { DecodedPayload, DecodingContext, Effect } from '../transaction.ts';
import { encodeBase58 } from './base58.ts';
import { computeFee, limitComputeUnits, readComputeBudget } from './compute-budget.ts';
import { SOLANA_FEATURES, type SolanaFeature } from './features.ts';
import { type DecodedInstruction, describeEffect, nativeAsset } from './instruction.ts';
import { decodeInstruction, DISCRIMINATOR_BYTES } from './instructions.ts';
import { type CompiledMessage, parseMessage } from './message.ts';
import { COMPUTE_BUDGET_PROGRAM, PRECOMPILES, SYSTEM_PROGRAM } from './programs.ts';

/** Start of the data of AdvanceNonceAccount. */
const ADVANCE_NONCE = [4, 0, 0, 0];

/**
 * Decodes a legacy or v0 message of Solana as it is signed. Each instruction is one effect, but for those of the compute
 * budget, which are the fee; those in which the key has no part are listed too.
 *
 * @throws TransactionError
 */
export function decodeSolana(
  payload: Extract<TransactionPayload, { kind: `solana-${string}` }>,
  context: DecodingContext,
): DecodedPayload {
  const network = findNetwork(context.networks);
  const bytes = hexToBytes(payload.message);
  const message = parseMessage(bytes);
  const address = createAddresses(message);
  const own = findSigner(message, context.publicKey);
  const isFeePayer = own === 0;
  const features = new Set<SolanaFeature>(describeSigners(message, isFeePayer));
  if (message.tables.length > 0) features.add(SOLANA_FEATURES.addressTable);
  if (isDurable(message, address)) features.add(SOLANA_FEATURES.durableNonce);

  const effects: Effect[] = [];
  const budgets: Uint8Array[] = [];
  let signatures = message.signers;
  for (const [index, compiled] of message.instructions.entries()) {
    const program = address(compiled.programIndex) ?? '';
    if (program === COMPUTE_BUDGET_PROGRAM) {
      budgets.push(compiled.data);
      continue;
    }
    if (PRECOMPILES.includes(program)) signatures += compiled.data[0] ?? 0;
    const accounts = Array.from(compiled.accounts, address);
    const base = { index, program, data: compiled.data, own: address(own) ?? '', network };
    const decoded = accounts.every((account) => account !== undefined)
      ? decodeInstruction({ ...base, accounts })
      : describeUnresolved({ ...base, accounts: accounts.filter((account) => account !== undefined) });
    effects.push(decoded.effect);
    for (const feature of decoded.features) features.add(feature);
  }
  if (effects.length === 0) {
    throw new TransactionError('TRANSACTION_UNSUPPORTED', 'no instruction that does anything');
  }

  const budget = readComputeBudget(budgets);
  const gas = limitComputeUnits(budget, message.instructions.length);
  const amount = isFeePayer ? computeFee(budget, gas, signatures) : 0n;
  return {
    transaction: {
      kind: payload.kind,
      network,
      source: address(own) ?? null,
      effects,
      fee: { asset: nativeAsset(network), amount },
      nonce: null,
      gas,
      features: [...features],
      details: describeMessage(message),
    },
    signings: [{ input: { kind: 'message', message: bytes } }],
  };
}

/** The one network of Solana that the key serves: a message does not say which it is for. */
function findNetwork(networks: readonly string[]): string {
  const own = networks.filter((network) => network.startsWith('solana:'));
  const [network] = own;
  if (network !== undefined && own.length === 1) return network;
  throw new TransactionError('TRANSACTION_NETWORK_MISMATCH', 'one network of Solana expected for the key', {
    expected: 1,
    actual: own.length,
  });
}

/** Gives addresses by index, each encoded once; undefined for an account of an address table. */
function createAddresses({ keys }: CompiledMessage): (index: number) => string | undefined {
  const known = new Map<number, string>();
  return (index) => {
    const key = keys[index];
    if (key === undefined) return undefined;
    const address = known.get(index) ?? encodeBase58(key);
    known.set(index, address);
    return address;
  };
}

function findSigner({ keys, signers }: CompiledMessage, publicKey: Uint8Array): number {
  const index = keys
    .slice(0, signers)
    .findIndex((key) => key.length === publicKey.length && key.every((byte, at) => byte === publicKey[at]));
  if (index >= 0) return index;
  throw new TransactionError('TRANSACTION_KEY_MISMATCH', 'the key is not among those that sign the message');
}

function describeSigners({ signers }: CompiledMessage, isFeePayer: boolean): SolanaFeature[] {
  return [
    ...(signers > 1 ? [SOLANA_FEATURES.otherSigners] : []),
    ...(isFeePayer ? [] : [SOLANA_FEATURES.otherFeePayer]),
  ];
}

/** Tells whether the runtime takes the message for one with a durable nonce: it looks at the first instruction alone. */
function isDurable(
  { instructions }: CompiledMessage,
  address: (index: number) => string | undefined,
): boolean {
  const [first] = instructions;
  return (
    first !== undefined &&
    address(first.programIndex) === SYSTEM_PROGRAM &&
    ADVANCE_NONCE.every((byte, index) => first.data[index] === byte)
  );
}

/** An instruction with accounts that only the chain can resolve. */
function describeUnresolved(instruction: Parameters<typeof describeEffect>[0]): DecodedInstruction {
  return describeEffect(instruction, DISCRIMINATOR_BYTES, 'unknown', {
    details: { reason: 'accounts from an address table' },
  });
}

function describeMessage({ version, keys, lifetime, tables }: CompiledMessage): Record<string, string> {
  return {
    version: String(version),
    feePayer: encodeBase58(keys[0] ?? new Uint8Array()),
    lifetime: encodeBase58(lifetime),
    ...(tables.length === 0 ? {} : { tables: tables.map(({ key }) => encodeBase58(key)).join(' ') }),
  };
}
