import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { VaultDocument } from '../document.ts';
import { walletSecretArn } from './part-secrets.ts';

/** Door of a vault, as vault.yaml names it. */
export type Gateway = VaultDocument['parts']['gateways'][number];

/** Secrets of the wallet's partition that a door reads by the role under which it runs; its client's key is none of them. */
export const GATEWAY_SECRETS = {
  /** Of doors for AWS KMS alone. */
  secretAccessKey: ({ id }: Gateway) => `gateway-${id}-secret-access-key`,
} as const;

/** Names of the secrets that a door reads in the account of infrastructure. */
export function walletSecretsOf(gateway: Gateway): readonly string[] {
  return gateway.protocol === 'kms' ? [GATEWAY_SECRETS.secretAccessKey(gateway)] : [];
}

/** Private key of a door's client, seen from the folder of the vault on the machine of the door, where it is made. */
export function clientKeyFile({ client }: Gateway): string {
  return `keys/${client}.pem`;
}

/** Port at which each door listens, on loopback: its client is on the same machine. */
const PORTS = { kms: 8470, tezos: 6732, ethereum: 8545 } as const;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ACCESS_KEY_CHARACTERS = 18;

/** Folder of a door's files, below that of all sheets. */
export function gatewayFolder({ id }: Gateway): string {
  return `gateways/${id}`;
}

/**
 * Writes gateway.yaml of a door: the nodes by the profiles of "vault profiles" beside it, the client's key by the file that
 * its holder has made, and secrets by their names, never their values.
 */
export function renderGateway(document: VaultDocument, gateway: Gateway): string {
  const { id, protocol, client } = gateway;
  const listen = { port: PORTS[protocol] };
  const settings = {
    nodes: document.nodes.map(({ node }) => `profiles/node-${node}.yaml`),
    // From this file's folder, sheets/gateways/ID, to that of the vault.
    clients: [{ id: client, key: { file: `../../../${clientKeyFile(gateway)}` } }],
    [protocol]: protocol === 'kms' ? { listen, ...describeKms(document, gateway) } : { listen, client },
  };
  return [
    `# Door ${id} of the vault ${document.namespace}-${document.environment}, for clients that speak ${protocol}. docs/gateways.md explains each field.`,
    '# The key of its client is made where the door runs, and nowhere else: paths are relative to this file.',
    ...(protocol === 'kms'
      ? ['# The secret of its clients is in AWS Secrets Manager, where "holdfast vault populate" puts it.']
      : []),
    stringify(settings),
  ].join('\n');
}

function describeKms(document: VaultDocument, gateway: Gateway) {
  return {
    region: document.region,
    account: document.infrastructure.account,
    credentials: [
      {
        accessKeyId: accessKeyOf(document, gateway),
        secretAccessKey: { secret: walletSecretArn(document, GATEWAY_SECRETS.secretAccessKey(gateway)) },
        client: gateway.client,
      },
    ],
  };
}

/** Id of the credentials of a door's clients: always the same for one door, and none of AWS's. */
function accessKeyOf({ namespace, environment }: VaultDocument, { id }: Gateway): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([namespace, environment, id]))
    .digest();
  return `HF${[...digest.subarray(0, ACCESS_KEY_CHARACTERS)].map((byte) => BASE32[byte & 31]).join('')}`;
}
