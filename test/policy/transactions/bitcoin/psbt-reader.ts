import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bytesToHex } from '@noble/hashes/utils.js';
import { findMadeOrSay } from '../../../support/find-made.ts';

/** What rust-bitcoin or psbt-v2 makes of a PSBT. */
export interface RustReading {
  readonly psbtVersion: number;
  readonly version: number;
  readonly lockTime: number;
  readonly txid: string;
  /** Whether it serialises to the same bytes. */
  readonly isSame: boolean;
  readonly inputs: readonly {
    readonly outpoint: string;
    readonly sequence: number;
    readonly amount: string;
    readonly script: string;
    readonly digest: string;
  }[];
  readonly outputs: readonly { readonly amount: string; readonly address: string }[];
}

/** The reader in Rust, with Bitcoin Core's script interpreter in it. */
export interface PsbtReader {
  /** Reads PSBTs; the reason in place of one that is refused. */
  read(psbts: readonly Uint8Array[], network?: string): (RustReading | string)[];
  /** Verifies a signed transaction; `valid`, or the reason why not. */
  verify(transaction: Uint8Array, spent: readonly { script: Uint8Array; amount: bigint }[]): string;
  /** The id of a network's first block. */
  readGenesis(network: string): string;
}

/** Finds the reader; undefined, said loudly, where scripts/psbt-reader.sh could make none. */
export function findPsbtReader(): PsbtReader | undefined {
  const folder = findMadeOrSay('PSBTs were not shown to rust-bitcoin and Bitcoin Core', 'psbt-reader.sh');
  if (folder === undefined) return undefined;
  const program = join(folder, 'psbt-reader');
  const ask = (lines: readonly string[]): string[] => {
    const result = spawnSync(program, {
      input: lines.map((line) => `${line}\n`).join(''),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      // Panics of psbt-v2 are refusals, whose traces nobody reads.
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const responses = result.stdout.split('\n').slice(0, -1);
    if (responses.length !== lines.length)
      throw new RangeError(`expected ${lines.length} responses, found ${responses.length}`);
    return responses;
  };
  return {
    read: (psbts, network = 'bitcoin') =>
      ask(psbts.map((psbt) => `psbt ${network} ${bytesToHex(psbt)}`)).map((line) =>
        line.startsWith('{') ? (JSON.parse(line) as RustReading) : line,
      ),
    verify: (transaction, spent) =>
      ask([
        `verify ${bytesToHex(transaction)} ${spent.map(({ script, amount }) => `${amount}:${bytesToHex(script)}`).join(',')}`,
      ])[0] ?? '',
    readGenesis: (network) => ask([`genesis ${network}`])[0] ?? '',
  };
}
