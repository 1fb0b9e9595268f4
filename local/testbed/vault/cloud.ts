import { join } from 'node:path';
import type { AwsEvent } from '../../aws/server.ts';
import type { InstanceHooks } from '../../cloudformation/index.ts';
import { createRecipientVerifier, type RecipientVerifier } from '../../kms/index.ts';
import { NitroHost } from '../../nitro-host/index.ts';
import type { HoldfastCommand } from '../holdfast-command.ts';
import { type LocalAws, startLocalAws } from '../local-aws.ts';
import { StandInHost } from '../stand-in-host.ts';

/** Host on this machine, and the instance profile by which its stack has launched it. */
interface LaunchedHost {
  readonly host: StandInHost;
  readonly profile: string;
}

/** A local AWS whose stacks launch hosts on this machine, each with a Nitro host of its own under one NSM root. */
export class LocalCloud {
  readonly aws: LocalAws;
  readonly #launched: Map<string, LaunchedHost>;
  /** Root certificate of every NSM, DER. */
  readonly rootCertificate: Uint8Array;
  /** Lines that hosts have printed, for whoever looks for the cause of a failure. */
  readonly lines: readonly string[];
  readonly #events: { show: (event: AwsEvent) => void };

  private constructor(
    parts: Pick<LocalCloud, 'aws' | 'rootCertificate' | 'lines'> & {
      readonly launched: Map<string, LaunchedHost>;
      readonly events: { show: (event: AwsEvent) => void };
    },
  ) {
    this.aws = parts.aws;
    this.rootCertificate = parts.rootCertificate;
    this.lines = parts.lines;
    this.#launched = parts.launched;
    this.#events = parts.events;
  }

  /**
   * @param folder keeps everything
   * @param command `holdfast`, as installed on every host
   */
  static async open(folder: string, command: HoldfastCommand): Promise<LocalCloud> {
    const launched = new Map<string, LaunchedHost>();
    const lines: string[] = [];
    const events = { show: (_event: AwsEvent): void => undefined };
    let verifyRecipient: RecipientVerifier | undefined;
    let count = 0;
    const openNitro = async (kmsRoot: string) => {
      count += 1;
      return await NitroHost.open({
        stateDirectory: join(folder, 'nitro'),
        socketDirectory: join(folder, `v${count}`),
        kmsRoots: [kmsRoot],
      });
    };
    const instanceHooks: InstanceHooks = {
      launch: async ({ instanceId, accountId, region, instanceProfile = '' }) => {
        const known = launched.get(instanceId);
        if (known !== undefined) return { privateIp: known.host.address };
        // The profile has the name of the role that it carries.
        const roleName = instanceProfile.split('/').at(-1) ?? '';
        const roleArn = `arn:aws:iam::${accountId}:role/${roleName}`;
        const host = await StandInHost.launch({
          folder: join(folder, `host-${instanceId}`),
          nitro: await openNitro(aws.caPem),
          command,
          aws,
          region,
          accountId,
          roleName,
          instanceId,
          credentials: () => aws.directory.assumeRole({ roleArn, sessionName: instanceId }),
          onLine: (line) => lines.push(`${instanceId} ${line}`),
        });
        launched.set(instanceId, { host, profile: roleName });
        aws.hosts.register(host);
        return { privateIp: host.address };
      },
      terminate: async (instanceId) => await terminate(aws, launched, instanceId),
    };
    const aws: LocalAws = await startLocalAws({
      stateDirectory: join(folder, 'aws'),
      instanceHooks,
      onEvent: (event) => events.show(event),
      verifyRecipient: (document, now) => {
        if (verifyRecipient === undefined) throw new TypeError('expected a Nitro host first');
        return verifyRecipient(document, now);
      },
    });
    const { rootCertificate } = await openNitro(aws.caPem);
    verifyRecipient = createRecipientVerifier(rootCertificate);
    return new LocalCloud({ aws, rootCertificate, lines, launched, events });
  }

  /** Hosts by the ids of their instances. */
  get hosts(): ReadonlyMap<string, StandInHost> {
    return new Map([...this.#launched].map(([id, { host }]) => [id, host]));
  }

  /** Finds the host that an account has launched by an instance profile last. */
  findHost(accountId: string, profile: string): StandInHost | undefined {
    return [...this.#launched.values()]
      .filter((each) => each.host.accountId === accountId && each.profile === profile)
      .at(-1)?.host;
  }

  /** Ends an instance at once and for good, and its disk with it, as nobody's stack has asked for. */
  async loseHost({ instanceId }: StandInHost): Promise<void> {
    await terminate(this.aws, this.#launched, instanceId);
  }

  /** Closes an account: its credentials, keys and buckets answer nothing any more, and its instances end. */
  async loseAccount(accountId: string): Promise<void> {
    this.aws.directory.closeAccount(accountId);
    for (const host of this.hosts.values()) {
      if (host.accountId === accountId) await this.loseHost(host);
    }
  }

  /** Has every request to AWS shown, after AWS has done it. */
  onRequest(show: (event: AwsEvent) => void): void {
    this.#events.show = show;
  }

  async close(): Promise<void> {
    // A stack that is being made may launch one more host until its AWS is closed.
    await this.aws.close();
    for (const { host } of this.#launched.values()) await host.destroy();
  }
}

async function terminate(aws: LocalAws, launched: Map<string, LaunchedHost>, id: string): Promise<void> {
  await launched.get(id)?.host.destroy();
  launched.delete(id);
  aws.hosts.deregister(id);
}
