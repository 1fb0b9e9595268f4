import {
  type AwsAccess,
  openCloudFormation,
  openKms,
  openLambda,
  openS3,
  openSsm,
  openSts,
} from '../../admin/aws/index.ts';
import type { AwsClients } from '../../admin/vault/steps/index.ts';
import type { CommandInput } from '../common/command.ts';
import { readAwsAccess } from '../common/aws.ts';

interface Closable {
  destroy(): void;
}

/** Opens clients of AWS when they are first asked for, with what the options of the command say. */
export function openAwsClients(input: CommandInput): AwsClients & Disposable {
  const opened = new Map<string, Promise<Closable>>();
  const lazily =
    <Client extends Closable>(service: string, open: (access: AwsAccess) => Promise<Client>) =>
    async (region: string): Promise<Client> => {
      const name = `${service}/${region}`;
      const known = opened.get(name);
      if (known !== undefined) return (await known) as Client;
      const client = readAwsAccess(input, region).then(open);
      opened.set(name, client);
      return await client;
    };
  return {
    cloudFormation: lazily('cloudformation', openCloudFormation),
    kms: lazily('kms', openKms),
    lambda: lazily('lambda', openLambda),
    s3: lazily('s3', openS3),
    ssm: lazily('ssm', openSsm),
    sts: lazily('sts', openSts),
    [Symbol.dispose]() {
      for (const client of opened.values())
        client.then(
          (one) => one.destroy(),
          () => undefined,
        );
    },
  };
}
