import type { ParentOptions } from '../../parent/index.ts';
import { createMemoryStore } from '../../local/hostile-parent/index.ts';
import { PARENT_CID } from '../../shared/transport/ports.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';

/** The CID of the enclave that {@link parentOptions} serves. */
export const ENCLAVE_CID = 16;

/** Options for a parent over Unix sockets in a folder: without documents, secrets, credentials, targets and ingress. */
export function parentOptions(directory: string, changes: Partial<ParentOptions> = {}): ParentOptions {
  return {
    transport: createUnixTransport({ directory, cid: PARENT_CID }),
    enclaveCid: ENCLAVE_CID,
    manifest: () => Promise.resolve(null),
    configuration: () => Promise.resolve(null),
    secrets: { get: () => Promise.resolve(null) },
    credentials: () => Promise.reject(new Error('this parent has no credentials')),
    store: createMemoryStore(),
    egress: { targets: [] },
    ...changes,
  };
}
