import { blake2b } from '@noble/hashes/blake2.js';
import { TransactionError } from '../errors.ts';
import { BLS, type Tagged } from './address.ts';
import { isEqual } from './bytes.ts';
import { DEFAULT_ENTRYPOINT } from './entrypoint.ts';
import { isUnit } from './micheline.ts';
import { isManagerOperation, type ManagerOperation, type Operation } from './operations.ts';
import { isStakingEntrypoint, readDelegateParameters } from './staking.ts';

/** Amounts, counters and limits of the chain are signed integers of 64 bits. */
const LIMIT = 1n << 63n;
const KEY_HASH_BYTES = 20;
/** Most protocols that one operation proposes (Octez: `Constants_repr.max_proposals_per_delegate`). */
const MAX_PROPOSALS = 20;
const BALLOTS = 3;
const MACHINES = 3;

/** Computes the hash of a public key that accounts are named by (Octez: `Signature.Public_key.hash`). */
export function hashKey({ tag, bytes }: Tagged): Tagged {
  return { tag, bytes: blake2b(bytes, { dkLen: KEY_HASH_BYTES }) };
}

const isSameKey = (a: Tagged, b: Tagged) => a.tag === b.tag && isEqual(a.bytes, b.bytes);

function unsafe(message: string, details: Record<string, unknown> = {}): TransactionError {
  return new TransactionError('TRANSACTION_UNSAFE', message, details);
}

/**
 * Asserts of operations that encode to their own bytes what the chain asserts of them, as far as it depends on nothing
 * else: what fails here would be refused there, or be included, fail, and cost its fee.
 *
 * @throws TransactionError TRANSACTION_KEY_MISMATCH, TRANSACTION_UNSAFE
 */
export function assertOperations(operations: readonly Operation[], signer: Tagged): void {
  const [first, ...others] = operations;
  if (first === undefined) throw unsafe('there is no operation');
  for (const each of operations) {
    const source = sourceOf(each);
    if (source !== undefined && !isSameKey(source, signer)) {
      throw new TransactionError('TRANSACTION_KEY_MISMATCH', 'an operation is of another account', {
        operation: each.kind,
      });
    }
  }
  if (!isManagerOperation(first)) {
    if (others.length > 0) throw unsafe('this operation stands alone', { operation: first.kind });
    assertVote(first);
    return;
  }
  for (const [index, each] of operations.entries()) {
    if (!isManagerOperation(each)) throw unsafe('this operation stands alone', { operation: each.kind });
    assertManagerOperation(each);
    if (each.counter !== first.counter + BigInt(index)) {
      throw unsafe('counters do not rise by one', { index, expected: first.counter + BigInt(index) });
    }
    if (each.kind === 'reveal' && index > 0) throw unsafe('a reveal comes first', { index });
  }
}

/** Finds the account of an operation; a message to nobody has none. */
function sourceOf(each: Operation): Tagged | undefined {
  if (each.kind === 'failing_noop') return undefined;
  return each.kind === 'drain_delegate' ? each.consensusKey : each.source;
}

function assertVote(each: Exclude<Operation, ManagerOperation>): void {
  if (each.kind === 'ballot' && each.ballot >= BALLOTS)
    throw unsafe('no such ballot', { found: each.ballot });
  if (each.kind === 'proposals' && (each.proposals.length === 0 || each.proposals.length > MAX_PROPOSALS)) {
    throw unsafe('no proposal, or too many', { found: each.proposals.length, maximum: MAX_PROPOSALS });
  }
  if ('period' in each && each.period < 0) throw unsafe('a period is negative');
}

function assertManagerOperation(each: ManagerOperation): void {
  const numbers: Readonly<Record<string, bigint | undefined>> = {
    fee: each.fee,
    counter: each.counter,
    gasLimit: each.gasLimit,
    storageLimit: each.storageLimit,
    amount: 'amount' in each && each.kind !== 'transfer_ticket' ? each.amount : undefined,
    balance: 'balance' in each ? each.balance : undefined,
    limit: 'limit' in each ? each.limit : undefined,
  };
  for (const [field, value] of Object.entries(numbers)) {
    if (value !== undefined && value >= LIMIT) {
      throw unsafe('a number is not below 2^63', { operation: each.kind, field });
    }
  }
  switch (each.kind) {
    case 'reveal':
      if (!isSameKey(hashKey(each.publicKey), each.source)) {
        throw new TransactionError('TRANSACTION_KEY_MISMATCH', 'the revealed key is not that of the account');
      }
      return assertProof(each);
    case 'update_consensus_key':
      return assertProof(each);
    case 'update_companion_key':
      if (each.publicKey.tag !== BLS) throw unsafe('a companion key is one of BLS12-381');
      return assertProof(each);
    case 'transaction':
      return assertTransaction(each);
    case 'transfer_ticket':
      if (each.amount === 0n) throw unsafe('a ticket of nothing');
      return;
    case 'increase_paid_storage':
      if (each.amount <= 0n) throw unsafe('storage of no bytes');
      return;
    case 'smart_rollup_originate':
      if (each.machine >= MACHINES) throw unsafe('no such machine', { found: each.machine });
      return;
    case 'origination':
    case 'delegation':
    case 'register_global_constant':
    case 'set_deposits_limit':
    case 'smart_rollup_add_messages':
    case 'smart_rollup_execute_outbox_message':
    case 'dal_publish_commitment':
      return;
  }
}

/** Asserts that a key of BLS12-381 comes with its proof of possession, and no other key with one. */
function assertProof({
  kind,
  publicKey,
  proof,
}: Operation<'reveal' | 'update_consensus_key' | 'update_companion_key'>) {
  if ((publicKey.tag === BLS) !== (proof !== undefined)) {
    throw unsafe('a proof of possession belongs to keys of BLS12-381 alone', { operation: kind });
  }
}

/** Asserts what accounts, other than contracts, take: an amount, or one of the staking operations. */
function assertTransaction(each: Operation<'transaction'>): void {
  const { destination, parameters, amount, source } = each;
  if (destination.prefix === 'KT1') return;
  const { entrypoint, value } = parameters;
  if (entrypoint === DEFAULT_ENTRYPOINT) {
    if (!isUnit(value)) throw unsafe('an account takes no parameter');
    if (amount === 0n) throw unsafe('a transfer of nothing to an account');
    return;
  }
  if (!isStakingEntrypoint(entrypoint)) throw unsafe('an account has no such entrypoint', { entrypoint });
  const isOwn = isEqual(destination.hash, source.bytes) && destination.prefix === `tz${source.tag + 1}`;
  if (!isOwn && entrypoint !== 'finalize_unstake') {
    throw unsafe('this entrypoint is one of the own account', { entrypoint });
  }
  const takesAmount = entrypoint === 'stake' || entrypoint === 'unstake';
  if (takesAmount !== amount > 0n) throw unsafe('the amount is not one of this entrypoint', { entrypoint });
  const isReadable =
    entrypoint === 'set_delegate_parameters' ? readDelegateParameters(value) !== undefined : isUnit(value);
  if (!isReadable) throw unsafe('the parameter is not one of this entrypoint', { entrypoint });
}
