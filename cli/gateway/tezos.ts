import { resolve } from 'node:path';
import { GatewayNodes, silentGatewayLog } from '../../client/gateway/index.ts';
import type { ServedKey, TezosSection } from '../../client/gateway/tezos/index.ts';
import { type Command, type CommandInput, UsageError } from '../common/command.ts';
import { printable } from '../common/printable.ts';
import { readNodeProfile } from '../quorum/connection.ts';
import { type GatewayConfig, placeOf, readClients, readGatewayFile, readListen } from './config-file.ts';
import { DEFAULT_GATEWAY_CONFIG, GATEWAY_OPTIONS, runDoor } from './run-door.ts';

/** Runs the door of the remote signer protocol. */
export const tezosCommand: Command = {
  name: 'gateway tezos',
  isStream: true,
  summary: 'Sign for octez, bakers and taquito by keys of attested nodes: the remote signer protocol.',
  positionals: '',
  options: GATEWAY_OPTIONS,
  examples: ['holdfast gateway tezos', 'holdfast gateway tezos --config gateway.yaml'],
  run: (input) =>
    runDoor(input, async ({ config, place, nodes }) => {
      const section = requireSection(config);
      const { createTezosProtocol } = await import('../../client/gateway/tezos/index.ts');
      return {
        protocol: createTezosProtocol({ nodes: nodes.client(section.client), section }),
        listen: await readListen(section.listen, place),
      };
    }),
};

/** Lists the keys that the door serves, as `signatory-cli list` does. */
export const tezosListCommand: Command = {
  name: 'gateway tezos list',
  summary: 'List the keys that a door serves for Tezos, in the form of signatory-cli list.',
  positionals: '',
  options: GATEWAY_OPTIONS,
  examples: ['holdfast gateway tezos list', 'holdfast gateway tezos list --config gateway.yaml --json'],
  async run(input) {
    const keys = await listKeys(input);
    const data = keys.map(({ hash, id, type, publicKey }) => ({ hash, id, type, publicKey }));
    return { ok: true, text: keys.map(describeKey).join('\n\n'), data: { keys: data } };
  },
};

function requireSection({ tezos, clients }: GatewayConfig): TezosSection {
  if (tezos === undefined) throw new UsageError('the configuration has no section "tezos"');
  if (clients.some(({ id }) => id === tezos.client)) return tezos;
  throw new UsageError('tezos.client is none of "clients" of the configuration');
}

async function listKeys(input: CommandInput): Promise<readonly ServedKey[]> {
  const { io, text } = input;
  const path = resolve(io.folder ?? '.', text('config') ?? DEFAULT_GATEWAY_CONFIG);
  const config = await readGatewayFile(path);
  const { client, keys } = requireSection(config);
  const place = placeOf(path, io.env ?? process.env);
  const nodes = new GatewayNodes({
    nodes: await Promise.all(
      config.nodes.map((profile) =>
        readNodeProfile(resolve(place.folder, profile), { ...input, text: () => undefined }),
      ),
    ),
    clients: await readClients(config.clients, place),
    log: silentGatewayLog,
    timeoutMs: config.timeoutSeconds * 1000,
    readyMs: config.readySeconds * 1000,
  });
  const { listServedKeys } = await import('../../client/gateway/tezos/index.ts');
  try {
    return listServedKeys(await nodes.client(client).keys(), keys && new Set(keys.map(({ id }) => id)));
  } finally {
    nodes.close();
  }
}

/** Labels of signatory-cli's listing. What a key may sign is in the nodes' configuration: `holdfast config lint` shows it. */
function describeKey({ hash, id, publicKey, type }: ServedKey): string {
  const fields = [
    ['Public Key Hash:', hash],
    ['Public Key:', publicKey],
    ['Vault:', `Holdfast (${type})`],
    ['ID:', printable(id)],
    ['Active:', 'true'],
  ];
  return fields.map(([label = '', value = '']) => label.padEnd(20) + value).join('\n');
}
