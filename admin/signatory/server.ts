import { type AuthorizedKeys, type SignatoryDocument, malformed } from './document.ts';
import { SignatoryError } from './errors.ts';
import { type KeyPolicy, type Named, readAuthorizedKeys } from './policies.ts';
import type { FieldLedger } from './report.ts';

/** What Signatory asks beside its own policy, and a node cannot. */
export const ABSENCES = ['policy-hook', 'jwt'] as const;
export type Absence = (typeof ABSENCES)[number];

/** An address to listen on. */
export interface Listener {
  /** Left out: loopback. */
  readonly host?: string;
  readonly port: number;
}

/** What the file says of the server, and so of the door. */
export interface ImportedServer {
  readonly listen: Listener;
  readonly probes: Listener;
  /** Public keys of clients that are let in; undefined: whoever reaches the door. */
  readonly clients: readonly string[] | undefined;
  /** Whether the door's log has payloads. */
  readonly isLogged: boolean;
  /** Why no key may sign before somebody decides otherwise; undefined where nothing is in the way. */
  readonly obstacle: string | undefined;
}

const DEFAULT_PORT = 6732;
const DEFAULT_UTILITY_PORT = 9583;
/** Hosts that are the machine itself. */
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]', '::1']);

/** Imports what is not of one key: server, hook, vaults and watermarks. @throws SignatoryError */
export function importServer(
  document: SignatoryDocument,
  policies: readonly KeyPolicy[],
  { ledger, without }: { readonly ledger: FieldLedger; readonly without: ReadonlySet<Absence> },
): ImportedServer {
  const { server } = document;
  const jwt = server?.jwt ?? undefined;
  const clients = readClients(server?.authorized_keys ?? undefined);
  if (jwt !== undefined && clients !== undefined) {
    throw new SignatoryError('SIGNATORY_CONTRADICTORY', 'Signatory takes either JWT or authorized keys', {
      path: 'server.jwt',
    });
  }
  enterVaults(document, ledger);
  const hook = readHook(document, ledger, without);
  const token = readTokens(jwt !== undefined, ledger, without);
  enterClients(clients, ledger);
  const listen = readListen(server?.address ?? undefined, ledger);
  const probes = readProbes(server?.utility_address ?? undefined, ledger);
  ledger.enter('carried', ['server'], 'the defaults of Signatory');
  return {
    listen,
    probes,
    clients: clients?.map(({ name }) => name),
    isLogged: policies.length > 0 && policies.every(({ isLogged }) => isLogged),
    obstacle: hook ?? token,
  };
}

function readClients(keys: AuthorizedKeys | undefined): Named[] | undefined {
  return keys === undefined ? undefined : readAuthorizedKeys(keys, ['server', 'authorized_keys']);
}

function enterClients(clients: readonly Named[] | undefined, ledger: FieldLedger): void {
  const path = ['server', 'authorized_keys'];
  if (clients === undefined) ledger.enter('carried', path, 'the door asks nobody for authentication');
  else if (clients.length === 0) ledger.enter('carried', path, 'nobody is let in, as in Signatory');
  else ledger.enter('carried', path, 'the door lets in whoever signs with this key');
}

function enterVaults({ vaults }: SignatoryDocument, ledger: FieldLedger): void {
  for (const [name, { driver }] of Object.entries(vaults ?? {})) {
    ledger.enter(
      'dropped',
      ['vaults', name],
      `keys stay in this vault (${driver}): the node makes new ones, and accounts or bakers change to them`,
    );
  }
  ledger.enter('dropped', ['vaults'], 'there are no vaults: the node holds its keys');
  ledger.enter(
    'dropped',
    ['base_dir'],
    'marks are not taken over: keys are new, and theirs are sealed in the store of the node',
  );
  ledger.enter(
    'stricter',
    ['watermark'],
    'each key has one mark for blocks, preattestations and attestations together, sealed before a signature leaves',
  );
}

function readHook(
  { policy_hook: hook }: SignatoryDocument,
  ledger: FieldLedger,
  without: ReadonlySet<Absence>,
): string | undefined {
  const path = ['policy_hook'];
  if (hook?.authorized_keys) readAuthorizedKeys(hook.authorized_keys, [...path, 'authorized_keys']);
  if (!hook?.address) {
    ledger.enter('dropped', path, 'without effect: no address');
    return undefined;
  }
  if (without.has('policy-hook')) {
    ledger.enter('dropped', path, 'an enclave asks no server: given up by --without policy-hook');
    return undefined;
  }
  ledger.enter('dropped', path, 'an enclave asks no server: keys sign nothing, unless --without policy-hook');
  return 'the policy hook would have to be asked, which no enclave does';
}

function readTokens(
  isConfigured: boolean,
  ledger: FieldLedger,
  without: ReadonlySet<Absence>,
): string | undefined {
  const path = ['server', 'jwt'];
  if (!isConfigured) {
    ledger.enter('dropped', path, 'without effect');
    return undefined;
  }
  if (without.has('jwt')) {
    ledger.enter('dropped', path, 'a door takes no tokens: given up by --without jwt');
    return undefined;
  }
  ledger.enter('dropped', path, 'a door takes no tokens: keys sign nothing, unless --without jwt');
  return 'clients would have to show a token, which no door takes';
}

function readListen(address: string | undefined, ledger: FieldLedger): Listener {
  const path = ['server', 'address'];
  if (address === undefined) return { port: DEFAULT_PORT };
  const { host, port } = readAddress(address, path);
  if (LOOPBACK.has(host)) ledger.enter('carried', path, 'the door listens there');
  else ledger.enter('stricter', path, 'the door listens on loopback alone, until it has a certificate');
  return { port };
}

function readProbes(address: string | undefined, ledger: FieldLedger): Listener {
  const path = ['server', 'utility_address'];
  if (address === undefined) return { port: DEFAULT_UTILITY_PORT };
  const { host, port } = readAddress(address, path);
  ledger.enter(
    'carried',
    path,
    '/healthz and /readyz are there; /metrics is not, and /healthz tells the truth',
  );
  return { host: host === '' ? '0.0.0.0' : host.replace(/^\[(.*)\]$/, '$1'), port };
}

/** Reads `host:port`; no host stands for all addresses. @throws SignatoryError SIGNATORY_MALFORMED */
function readAddress(address: string, path: readonly string[]): { host: string; port: number } {
  const [, host = '', digits = ''] = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]*):([0-9]{1,5})$/.exec(address) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535) throw malformed(path, 'host:port');
  return { host, port };
}
