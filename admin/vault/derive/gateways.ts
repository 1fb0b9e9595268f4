import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { VaultDocument } from '../document.ts';
import { walletSecretArn } from './part-secrets.ts';

/** Door of a vault, as vault.yaml names it. */
export type Gateway = VaultDocument['parts']['gateways'][number];

/** Secrets of the wallet's partition that a door reads by the role under which it runs. */
export const GATEWAY_SECRETS = {
  clientKey: ({ id }: Gateway) => `gateway-${id}-client-key`,
  /** Of doors for AWS KMS alone. */
  secretAccessKey: ({ id }: Gateway) => `gateway-${id}-secret-access-key`,
} as const;

/** Names of the secrets that a door needs. */
export function walletSecretsOf(gateway: Gateway): readonly string[] {
  const { clientKey, secretAccessKey } = GATEWAY_SECRETS;
  return [clientKey(gateway), ...(gateway.protocol === 'kms' ? [secretAccessKey(gateway)] : [])];
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
 * Writes gateway.yaml of a door: the nodes by the profiles of "vault profiles" beside it, and secrets by their names, never
 * their values.
 */
export function renderGateway(document: VaultDocument, gateway: Gateway): string {
  const { id, protocol, client } = gateway;
  const listen = { port: PORTS[protocol] };
  const settings = {
    nodes: document.nodes.map(({ node }) => `profiles/node-${node}.yaml`),
    clients: [{ id: client, key: { secret: walletSecretArn(document, GATEWAY_SECRETS.clientKey(gateway)) } }],
    [protocol]: protocol === 'kms' ? { listen, ...describeKms(document, gateway) } : { listen, client },
  };
  return [
    `# Door ${id} of the vault ${document.namespace}-${document.environment}, for clients that speak ${protocol}. docs/gateways.md explains each field.`,
    '# Its secrets are in AWS Secrets Manager, where "holdfast vault populate" puts them.',
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
