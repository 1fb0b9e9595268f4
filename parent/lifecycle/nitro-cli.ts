import { execFile } from 'node:child_process';
import { z } from 'zod';
import type { Log } from '../common/log.ts';
import { followConsole } from './console.ts';
import { EnclaveError } from './errors.ts';

/** Arguments of `run-enclave`. */
export interface EnclaveSpec {
  readonly image: string;
  readonly cid: number;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Debug mode, for trials alone: a console, and memory that this host can read. */
  readonly debug: boolean;
}

/** Enclave as `describe-enclaves` shows it. */
export interface RunningEnclave {
  readonly id: string;
  readonly cid: number;
  readonly isRunning: boolean;
  readonly isDebug: boolean;
  /** PCR0, PCR1, PCR2 (and PCR8) in lower-case hex; empty where nitro-cli has forgotten them. */
  readonly measurements: ReadonlyMap<number, string>;
}

export interface NitroCli {
  /** Starts an enclave. Returns its id. */
  run(spec: EnclaveSpec): Promise<string>;
  describe(): Promise<readonly RunningEnclave[]>;
  terminate(id: string): Promise<void>;
  /** Follows the console of an enclave in debug mode into the log; returns a function that ends it. */
  followConsole(id: string, log: Log): () => void;
}

const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Deadline of `run-enclave`: loading a large image takes a while; the other commands are quick. */
const RUN_TIMEOUT_MS = 120_000;
const TIMEOUT_MS = 20_000;

const enclaveId = z.string().regex(/^i-[0-9a-f]{8,17}-enc[0-9a-f]{8,17}$/);
const runSchema = z.object({ EnclaveID: enclaveId, EnclaveCID: z.int() });
const terminateSchema = z.object({ EnclaveID: enclaveId, Terminated: z.literal(true) });
const describeSchema = z.array(
  z.object({
    EnclaveID: enclaveId,
    EnclaveCID: z.int(),
    State: z.string(),
    Flags: z.string(),
    Measurements: z.record(z.string(), z.string()).optional(),
  }),
);

/**
 * Drives AWS's nitro-cli through its JSON output. Arguments go to the program as they are, without a shell.
 * All methods throw EnclaveError NITRO_CLI_FAILED, NITRO_CLI_MISSING, NITRO_CLI_REFUSED.
 */
export function createNitroCli(program = 'nitro-cli'): NitroCli {
  return {
    async run({ image, cid, cpus, memoryMiB, debug }) {
      const args = [
        '--eif-path',
        image,
        '--enclave-cid',
        `${cid}`,
        '--cpu-count',
        `${cpus}`,
        '--memory',
        `${memoryMiB}`,
        ...(debug ? ['--debug-mode'] : []),
      ];
      const output = await invoke(program, ['run-enclave', ...args], RUN_TIMEOUT_MS);
      return check(runSchema, output).EnclaveID;
    },
    async describe() {
      const output = await invoke(program, ['describe-enclaves'], TIMEOUT_MS);
      return check(describeSchema, output).map((enclave) => ({
        id: enclave.EnclaveID,
        cid: enclave.EnclaveCID,
        isRunning: enclave.State === 'RUNNING',
        isDebug: enclave.Flags.includes('DEBUG_MODE'),
        measurements: parseMeasurements(enclave.Measurements ?? {}),
      }));
    },
    async terminate(id) {
      check(terminateSchema, await invoke(program, ['terminate-enclave', '--enclave-id', id], TIMEOUT_MS));
    },
    followConsole: (id, log) => followConsole({ program, id, log }),
  };
}

function parseMeasurements(printed: Readonly<Record<string, string>>): Map<number, string> {
  const measurements = new Map<number, string>();
  for (const [name, value] of Object.entries(printed)) {
    const index = /^PCR([0-9]{1,2})$/.exec(name)?.[1];
    if (index !== undefined) measurements.set(Number(index), value.toLowerCase());
  }
  return measurements;
}

function invoke(program: string, args: readonly string[], timeoutMs: number): Promise<string> {
  const command = args[0] ?? '';
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES, killSignal: 'SIGKILL' } as const;
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      const nitro = /\[ (E[0-9]{2}) \]/.exec(stderr)?.[1];
      if (error.code === 'ENOENT') {
        reject(new EnclaveError('NITRO_CLI_MISSING', 'nitro-cli is not on the path', { program }, error));
      } else if (nitro === undefined) {
        const details = { command, status: error.code, signal: error.signal };
        reject(new EnclaveError('NITRO_CLI_FAILED', 'nitro-cli failed', details, error));
      } else reject(new EnclaveError('NITRO_CLI_REFUSED', 'nitro-cli refused', { command, nitro }));
    });
  });
}

function check<T>(schema: z.ZodType<T>, output: string): T {
  try {
    return schema.parse(JSON.parse(output));
  } catch (error) {
    throw new EnclaveError(
      'NITRO_CLI_FAILED',
      'nitro-cli printed other output than the expected JSON',
      {},
      error,
    );
  }
}
