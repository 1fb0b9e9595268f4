import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { getAddressEncoder } from '@solana/addresses';
import { getCompiledTransactionMessageDecoder } from '@solana/transaction-messages';
import { parseMessage } from '../../../../../policy/transactions/solana/message.ts';
import { TransactionError } from '../../../../../policy/transactions/index.ts';
import { findMadeOrSay } from '../../../../support/find-made.ts';

/** A message as read; byte strings are hex. */
export interface Reading {
  readonly version: 'legacy' | number;
  readonly header: readonly number[];
  readonly keys: readonly string[];
  readonly lifetime: string;
  /** Program's index, indices of accounts, data. */
  readonly instructions: readonly (readonly [number, string, string])[];
  /** Key, writable and read-only indices. */
  readonly tables?: readonly (readonly [string, string, string])[];
}
interface Refusal {
  readonly refused: string;
}
/** What Agave tells besides. */
export interface AgaveReading extends Reading {
  readonly encoded: string;
  readonly duplicates: boolean;
  readonly signatures: number;
}

export const isRefusal = (reading: object): reading is Refusal => 'refused' in reading;
const hex = (bytes: ArrayLike<number> = []) => Buffer.from(bytes).toString('hex');

/** Our own reading. */
export function readOurs(message: Uint8Array): Reading | Refusal {
  try {
    const { version, signers, readonlySigners, readonlyOthers, ...parsed } = parseMessage(message);
    return {
      version,
      header: [signers, readonlySigners, readonlyOthers],
      keys: parsed.keys.map(hex),
      lifetime: hex(parsed.lifetime),
      instructions: parsed.instructions.map((it) => [it.programIndex, hex(it.accounts), hex(it.data)]),
      tables: parsed.tables.map((it) => [hex(it.key), hex(it.writable), hex(it.readonly)]),
    };
  } catch (error) {
    if (error instanceof TransactionError) return { refused: error.code };
    throw error;
  }
}

/** The reading of @solana/kit's decoder. */
export function readKit(message: Uint8Array): Reading | Refusal {
  const address = (text: Parameters<ReturnType<typeof getAddressEncoder>['encode']>[0]) =>
    hex(getAddressEncoder().encode(text));
  try {
    const read = getCompiledTransactionMessageDecoder().decode(message);
    if (read.version !== 'legacy' && read.version !== 0) return { refused: `version ${read.version}` };
    const { numSignerAccounts, numReadonlySignerAccounts, numReadonlyNonSignerAccounts } = read.header;
    const tables = 'addressTableLookups' in read ? (read.addressTableLookups ?? []) : [];
    return {
      version: read.version,
      header: [numSignerAccounts, numReadonlySignerAccounts, numReadonlyNonSignerAccounts],
      keys: read.staticAccounts.map(address),
      lifetime: address(read.lifetimeToken as Parameters<typeof address>[0]),
      instructions: read.instructions.map((it) => [
        it.programAddressIndex,
        hex(it.accountIndices),
        hex(it.data),
      ]),
      tables: tables.map((it) => [
        address(it.lookupTableAddress),
        hex(it.writableIndexes),
        hex(it.readonlyIndexes),
      ]),
    };
  } catch (error) {
    return { refused: String(error) };
  }
}

/** Finds a reader that is a program; undefined, said loudly, where scripts/solana-reader.sh has made none. */
export function findReader(
  name: 'agave' | 'solders',
): ((messages: readonly Uint8Array[]) => (Reading | AgaveReading | Refusal)[]) | undefined {
  const folder = findMadeOrSay(`Solana messages were not held against ${name}`, 'solana-reader.sh', name);
  if (folder === undefined) return undefined;
  const program = join(folder, 'reader');
  return (messages) => {
    const input = messages.map((message) => `${hex(message)}\n`).join('');
    const { stdout, status, stderr } = spawnSync(program, {
      input,
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    const lines = stdout.split('\n').slice(0, -1);
    if (status !== 0 || lines.length !== messages.length) throw new Error(`${name} ended: ${stderr}`);
    return lines.map((line) => JSON.parse(line) as Reading | Refusal);
  };
}
