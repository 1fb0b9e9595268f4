import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { LocalEnclave, NitroHost } from '../../nitro-host/index.ts';
import { openStandInImage } from './image.ts';
import { failed, said, type ShimResponse } from './shim-protocol.ts';

interface Running {
  readonly id: string;
  readonly enclave: LocalEnclave;
}

/** nitro-cli of a stand-in host: image files are measured, and their programs run as processes with an NSM. */
export class Enclaves {
  readonly #nitro: NitroHost;
  readonly #onConsole: ((line: string) => void) | undefined;
  readonly #instanceId: string;
  readonly #running = new Map<string, Running>();

  constructor(nitro: NitroHost, instanceId: string, onConsole?: (line: string) => void) {
    this.#nitro = nitro;
    this.#instanceId = instanceId;
    this.#onConsole = onConsole;
  }

  /** Answers a call of nitro-cli, as far as the project makes one. */
  async control([verb, ...args]: readonly string[]): Promise<ShimResponse> {
    if (verb === 'describe-enclaves') return said(JSON.stringify([...this.#running.values()].map(describe)));
    if (verb === 'run-enclave') return await this.#run(args);
    if (verb === 'terminate-enclave') return await this.#terminate(args);
    return failed(`[ E05 ] unknown command ${verb ?? ''}`);
  }

  /** Ends all enclaves at once. */
  async kill(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ enclave }) => enclave.terminate()));
  }

  async #run(args: readonly string[]): Promise<ShimResponse> {
    const { values } = parseArgs({
      args: [...args],
      options: {
        'eif-path': { type: 'string' },
        'enclave-cid': { type: 'string' },
        'cpu-count': { type: 'string' },
        memory: { type: 'string' },
        'debug-mode': { type: 'boolean' },
      },
    });
    const cid = Number(values['enclave-cid']);
    if ([...this.#running.values()].some(({ enclave }) => enclave.cid === cid)) {
      return failed('[ E29 ] Ioctl failure. Such error appears when the CID is taken.');
    }
    const { program, pcrs } = await openStandInImage(values['eif-path'] ?? '');
    const enclave = await this.#nitro.launch({
      program,
      pcrs,
      cid,
      ...(values['debug-mode'] === true ? { debug: true } : {}),
      ...(this.#onConsole === undefined ? {} : { onConsole: this.#onConsole }),
    });
    const id = `${this.#instanceId}-enc${randomBytes(8).toString('hex')}`;
    this.#running.set(id, { id, enclave });
    void enclave.exited.finally(() => this.#running.delete(id));
    return said(JSON.stringify({ EnclaveID: id, EnclaveCID: cid, NumberOfCPUs: 2, MemoryMiB: 1_024 }));
  }

  async #terminate(args: readonly string[]): Promise<ShimResponse> {
    const { values } = parseArgs({ args: [...args], options: { 'enclave-id': { type: 'string' } } });
    const id = values['enclave-id'] ?? '';
    const found = this.#running.get(id);
    if (found === undefined) return failed('[ E19 ] Enclave not found.');
    await found.enclave.terminate();
    this.#running.delete(id);
    return said(JSON.stringify({ EnclaveID: id, Terminated: true }));
  }
}

function describe({ id, enclave }: Running) {
  const measurements = [...enclave.pcrs].map(([index, value]) => [
    `PCR${index}`,
    Buffer.from(value).toString('hex'),
  ]);
  return {
    EnclaveID: id,
    EnclaveCID: enclave.cid,
    State: 'RUNNING',
    Flags: 'NONE',
    Measurements: { HashAlgorithm: 'Sha384 { ... }', ...(Object.fromEntries(measurements) as object) },
  };
}
