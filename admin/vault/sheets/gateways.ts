import { type Gateway, GATEWAY_SECRETS, gatewayFolder, walletSecretsOf } from '../derive/gateways.ts';
import type { VaultDocument } from '../document.ts';
import { beginStep, ownKeyStep, SAME_BYTES } from './common-steps.ts';
import type { Procedure } from './procedure.ts';
import { titleOf } from './sheet-role.ts';

/** Derives what whoever runs a client does to run its door, one procedure a door. */
export function proceduresOfGateways(document: VaultDocument): readonly Procedure[] {
  return document.parts.gateways.map((gateway) => procedureOf(document, gateway));
}

function procedureOf(document: VaultDocument, gateway: Gateway): Procedure {
  const { id, protocol, client } = gateway;
  const folder = `sheets/${gatewayFolder(gateway)}`;
  const config = `${folder}/gateway.yaml`;
  return {
    name: `gateway-${id}`,
    title: titleOf(document, `door ${id}, run sheet`, 'gateways'),
    before: [
      `The machine, or the pod, of the client that speaks ${protocol}: the door runs beside it, acts as ${client}, and listens on loopback alone.`,
      ...walletSecretsOf(gateway).map(
        (name) =>
          `A role of AWS there that may read ${name} of the wallet (secretsmanager:GetSecretValue), and nothing else: ${config} has its ARN. Infrastructure puts it there by its sheet secrets.md.`,
      ),
      SAME_BYTES,
      'The folder exchange/ with what all roles have told: "vault status" says that the ceremony is complete.',
    ],
    steps: [
      ownKeyStep(
        client,
        `Before there is vault.yaml, give that public key to whoever writes it, for the client ${client} of clients; keep the file on this machine, where the door reads it. Nobody else ever has it, infrastructure neither.`,
      ),
      beginStep(),
      {
        title: 'Learn where the nodes are, and what they must prove',
        command: `holdfast vault profiles --vault vault.yaml --output ${folder}/profiles`,
        expect: 'A profile and a manifest of each node, and pcr.json of the release that they run.',
        otherwise: 'VAULT_NOT_SERVING: the ceremony has not come so far; ask for the folder exchange/.',
      },
      {
        title: 'Run the door; a service manager starts this command from now on',
        command: `holdfast gateway ${protocol} --config ${config}`,
        expect: 'door.listens, and node.verified for each node.',
        otherwise:
          'CLIENT_UNKNOWN: the configuration in force has another public key of the client than the one that you have told. ARTIFACT_UNAVAILABLE: the role may not read the secret, or nobody has put it there.',
      },
      {
        title: 'See that it can carry requests, and make that the readiness probe of the client',
        command: `holdfast gateway status --config ${config}`,
        expect: 'ready, by a node that was verified and knows the client.',
        otherwise: 'The line of the node has a code; "holdfast explain CODE" says what to do.',
      },
    ],
    afterwards: [
      protocol === 'kms'
        ? `The client gets the door's address, accessKeyId of ${config}, and the secret ${GATEWAY_SECRETS.secretAccessKey(gateway)} (docs/gateways.md).`
        : `The client gets the door's address (docs/gateways.md).`,
      `To replace the key of ${client}: make another one beside it, have the nodes know it by other rules (rules.md of the admins), and then start the door with it.`,
      'After an upgrade of the nodes: fetch the release, write the profiles again, and start the door again.',
    ],
  };
}
