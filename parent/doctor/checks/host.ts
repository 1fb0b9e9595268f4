/** Mode bits and owners of a file, as stat(2) has them. */
export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'other';
  /** Lower twelve bits of the mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

export interface ProgramResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

/**
 * The machine as the checks see it. A method that cannot do its work rejects with an Error whose `code` is the name of
 * an errno (`ENOENT`, `EACCES`, …), which {@link errnoOf} reads.
 */
export interface Host {
  /** Id of the user; 0 reads everything. */
  readonly uid: number;
  /** Version of Node, as in `process.versions.node`. */
  readonly nodeVersion: string;
  /** Clock, in milliseconds since 1970. */
  clock(): number;
  /** Reads a file of at most 1 MiB. */
  read(path: string): Promise<Uint8Array>;
  /** Lists the names in a folder. */
  list(path: string): Promise<readonly string[]>;
  stat(path: string): Promise<FileFacts>;
  /** Bytes that a program without privileges may still write in a folder. */
  freeBytes(path: string): Promise<number>;
  /** Runs a program with these arguments and no shell. */
  run(program: string, args: readonly string[], signal: AbortSignal): Promise<ProgramResult>;
  /** Sends a request to the instance's metadata service. */
  askMetadata(
    request: { readonly method: 'GET' | 'PUT'; readonly path: string; readonly token?: string },
    signal: AbortSignal,
  ): Promise<HttpResponse>;
  /** Sends a GET by HTTP from an address of this machine. */
  get(
    from: { readonly host: string; readonly port: number; readonly path: string },
    signal: AbortSignal,
  ): Promise<HttpResponse>;
  lookUp(name: string, family: 'any' | 'ipv4' | 'ipv6', signal: AbortSignal): Promise<readonly string[]>;
  /** Opens a TCP connection and closes it. */
  connect(to: { readonly address: string; readonly port: number }, signal: AbortSignal): Promise<void>;
  /** Shakes hands by TLS with the given authorities alone, and reads the Date of a response. */
  askDate(
    from: {
      readonly name: string;
      readonly address: string;
      readonly port: number;
      readonly roots: readonly string[];
    },
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** Listens on a TCP address and stops at once. */
  bind(at: { readonly host: string; readonly port: number }): Promise<void>;
  /** Rejects with TransportError where the native addon does not load. */
  loadAddon(): Promise<void>;
  /** Verifies an image. Rejects with EnclaveError ENCLAVE_IMAGE_UNEXPECTED. */
  verifyImage(image: string, pcrs: string): Promise<void>;
  /** Expiry of the credentials of the SDK's provider chain, milliseconds since 1970; null for never. */
  credentialsExpiration(): Promise<number | null>;
}

/** Reads the name of the errno that an error carries; `UNKNOWN` where it has none. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}

/** Reads the text of a file without white space around it; undefined where there is no such file. */
export async function readTextIfAny(host: Host, path: string): Promise<string | undefined> {
  try {
    return await readText(host, path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EIO', 'EINVAL'].includes(errnoOf(error))) return undefined;
    throw error;
  }
}

export async function readText(host: Host, path: string): Promise<string> {
  return Buffer.from(await host.read(path))
    .toString('utf8')
    .trim();
}
