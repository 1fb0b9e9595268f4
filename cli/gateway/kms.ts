import { GatewayError } from '../../client/gateway/index.ts';
import type { Command } from '../common/command.ts';
import { readListen } from './config-file.ts';
import { GATEWAY_OPTIONS, runDoor } from './run-door.ts';
import { readSecret } from './secret.ts';

export const kmsCommand: Command = {
  name: 'gateway kms',
  summary: 'Be an AWS KMS endpoint in front of a node or a quorum, until SIGTERM.',
  positionals: '',
  options: GATEWAY_OPTIONS,
  examples: ['holdfast gateway kms --config gateway.yaml'],
  isStream: true,
  async run(input) {
    return await runDoor(input, async ({ config, place, nodes }) => {
      const { kms } = config;
      if (kms === undefined)
        throw new GatewayError('GATEWAY_CONFIG_MALFORMED', 'kms: missing', { fields: ['kms: missing'] });
      const stranger = kms.credentials.find(({ client }) => !nodes.clientIds.includes(client));
      if (stranger !== undefined) {
        const field = `kms.credentials: clients does not name ${stranger.client}`;
        throw new GatewayError('GATEWAY_CONFIG_MALFORMED', field, { fields: [field] });
      }
      const credentials = await Promise.all(
        kms.credentials.map(async ({ accessKeyId, secretAccessKey, client, pool }) => ({
          accessKeyId,
          secretAccessKey: (await readSecret(secretAccessKey, place)).toString('utf8'),
          client,
          pool,
        })),
      );
      const { createKmsDoor } = await import('../../client/gateway/kms/door.ts');
      const protocol = createKmsDoor({
        nodes,
        credentials,
        scope: { region: kms.region, accountId: kms.account },
        waitMs: kms.waitSeconds * 1000,
      });
      return { protocol, listen: await readListen(kms.listen, place) };
    });
  },
};
