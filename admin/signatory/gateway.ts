import type { ImportedKey } from './keys.ts';
import type { ImportedServer, Listener } from './server.ts';

/** Configuration of a door (gateway.yaml) as it is written: that of `holdfast gateway tezos` reads it. */
export interface GatewayDraft {
  readonly nodes: readonly string[];
  readonly clients: readonly { readonly id: string; readonly key: { readonly file: string } }[];
  readonly probes: Listener;
  readonly log: { readonly payloads: boolean };
  readonly tezos: {
    readonly listen: Listener;
    readonly client: string;
    readonly authorizedKeys?: readonly string[];
    readonly keys: readonly { readonly id: string; readonly authorizedKeys?: readonly string[] }[];
    readonly proofOfPossession: boolean;
  };
}

/** Paths that an operator puts the door's files under, relative to gateway.yaml. */
const PROFILE = 'holdfast-1.yaml';
const REQUEST_KEY = 'door.pem';

/**
 * Writes the configuration of the door that stands where Signatory stood; undefined where no key has a client: a door
 * without keys would serve all that its client may use.
 */
export function draftGateway(
  server: ImportedServer,
  keys: readonly ImportedKey[],
  client: string,
): GatewayDraft | undefined {
  const served = keys.filter(({ rules }) => rules.length > 0);
  if (served.length === 0) return undefined;
  const isProving = served.some(({ rules }) =>
    rules.some(({ payloads }) => payloads.includes('tezos-proof-of-possession')),
  );
  return {
    nodes: [PROFILE],
    clients: [{ id: client, key: { file: REQUEST_KEY } }],
    probes: server.probes,
    log: { payloads: server.isLogged },
    tezos: {
      listen: server.listen,
      client,
      ...(server.clients === undefined ? {} : { authorizedKeys: unique(server.clients) }),
      keys: served.map(({ key: { id }, clients }) => ({
        id,
        ...(clients === undefined || clients === server.clients ? {} : { authorizedKeys: unique(clients) }),
      })),
      proofOfPossession: isProving,
    },
  };
}

const unique = (names: readonly string[]) => [...new Set(names)];
