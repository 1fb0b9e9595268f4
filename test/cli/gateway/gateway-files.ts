import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatPcrFile } from '../../../attestation/index.ts';
import { backend, nitroRoot, PCRS } from '../../client/fake-node.ts';
import { MANIFEST } from '../../client/gateway/kms/fake-pool-node.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const pem = (bytes: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(bytes)
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;

/** Writes the files of a KMS door in front of a fake node; returns the folder. */
export function writeGatewayFiles(
  nodeUrl: string,
  { kms = {}, ...changes }: Readonly<Record<string, unknown>> & { kms?: object | null } = {},
): string {
  const folder = temporaryFolder();
  const write = (name: string, text: string | Uint8Array, mode = 0o600) =>
    writeFileSync(join(folder, name), text, { mode });
  write('pcr.json', formatPcrFile(PCRS));
  write('manifest.json', MANIFEST);
  write('root.pem', pem(nitroRoot.certificate));
  write('client.pem', backend.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  write('secret', 'of-the-door-alone\n');
  write(
    'holdfast.yaml',
    JSON.stringify({ url: nodeUrl, pcrs: 'pcr.json', manifest: 'manifest.json', root: 'root.pem' }),
  );
  write(
    'gateway.yaml',
    JSON.stringify({
      nodes: ['holdfast.yaml'],
      clients: [{ id: 'backend', key: { file: 'client.pem' } }],
      probes: { port: 0 },
      ...(kms === null
        ? {}
        : {
            kms: {
              listen: { port: 0 },
              region: 'eu-central-1',
              account: '111122223333',
              credentials: [
                {
                  accessKeyId: 'HFAKTEST000000000001',
                  secretAccessKey: { file: 'secret' },
                  client: 'backend',
                  pool: 'canton',
                },
              ],
              ...kms,
            },
          }),
      ...changes,
    }),
  );
  return folder;
}
