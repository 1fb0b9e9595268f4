import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { InstanceHooks } from '../../../../local/cloudformation/index.ts';
import { ADMINISTRATOR_POLICY } from '../../../../local/aws/index.ts';
import { createRecipientVerifier, type RecipientVerifier } from '../../../../local/kms/index.ts';
import { copyProgram, NitroHost, type Program } from '../../../../local/nitro-host/index.ts';
import { buildStandInImage } from '../../../../local/testbed/host/index.ts';
import { type LocalAws, startLocalAws } from '../../../../local/testbed/local-aws.ts';
import { StandInHost } from '../../../../local/testbed/stand-in-host.ts';
import { ACCOUNTS, type SampleVault } from '../../../admin/vault/sample-vault.ts';
import { Person } from './person.ts';
import { makeTestRelease } from './release.ts';
import { type VaultKeys, writeVault } from './vault-files.ts';

const PROJECT = resolve(import.meta.dirname, '../../../..');
const REGION = 'eu-central-1';

/** Roles of the ceremony that the tests play. */
export const ROLES = ['infrastructure', 'node-1', 'node-2', 'node-3'] as const;
export type PlayedRole = (typeof ROLES)[number];

/**
 * A whole world for a ceremony: four accounts of the local AWS, which launches hosts on this machine, a published release,
 * and four people with their own credentials, folders and keys.
 */
export class VaultWorld {
  readonly aws: LocalAws;
  readonly hosts = new Map<string, StandInHost>();
  readonly people: ReadonlyMap<PlayedRole, Person>;
  readonly keys: VaultKeys;
  readonly exchange: string;
  readonly rootFile: string;
  readonly pcrFile: string;
  readonly #program: Program;
  readonly #lines: string[];

  private constructor(parts: Omit<VaultWorld, 'person' | 'run' | 'apply' | 'log' | 'close'> & {
    readonly program: Program;
    readonly lines: string[];
  }) {
    this.aws = parts.aws;
    this.hosts = parts.hosts;
    this.people = parts.people;
    this.keys = parts.keys;
    this.exchange = parts.exchange;
    this.rootFile = parts.rootFile;
    this.pcrFile = parts.pcrFile;
    this.#program = parts.program;
    this.#lines = parts.lines;
  }

  static async open(folder: string, change?: (vault: SampleVault) => void): Promise<VaultWorld> {
    const hosts = new Map<string, StandInHost>();
    const lines: string[] = [];
    const program = await copyProgram();
    let verifyRecipient: RecipientVerifier | undefined;
    let launches = 0;
    const openNitro = async (kmsRoot: string) => {
      launches += 1;
      return await NitroHost.open({
        stateDirectory: join(folder, 'nitro'),
        socketDirectory: join(folder, `v${launches}`),
        kmsRoots: [kmsRoot],
      });
    };
    const instanceHooks: InstanceHooks = {
      launch: async ({ instanceId, accountId, region, instanceProfile = '' }) => {
        const known = hosts.get(instanceId);
        if (known !== undefined) return { privateIp: known.address };
        // The profile has the name of the role that it carries.
        const roleName = instanceProfile.split('/').at(-1) ?? '';
        const host = await StandInHost.launch({
          folder: join(folder, `host-${instanceId}`),
          nitro: await openNitro(aws.caPem),
          command: [process.execPath, join(PROJECT, 'cli/holdfast.js')],
          aws,
          region,
          accountId,
          roleName,
          instanceId,
          credentials: () =>
            aws.directory.assumeRole({
              roleArn: `arn:aws:iam::${accountId}:role/${roleName}`,
              sessionName: instanceId,
            }),
          onLine: (line) => lines.push(`${instanceId} ${line}`),
        });
        hosts.set(instanceId, host);
        aws.hosts.register(host);
        return { privateIp: host.address };
      },
      terminate: async (instanceId) => {
        await hosts.get(instanceId)?.destroy();
        hosts.delete(instanceId);
        aws.hosts.deregister(instanceId);
      },
    };
    const aws: LocalAws = await startLocalAws({
      stateDirectory: join(folder, 'aws'),
      instanceHooks,
      verifyRecipient: (document, now) => {
        if (verifyRecipient === undefined) throw new TypeError('expected a Nitro host first');
        return verifyRecipient(document, now);
      },
    });
    const { rootCertificate } = await openNitro(aws.caPem);
    verifyRecipient = createRecipientVerifier(rootCertificate);
    const [caFile, rootFile, pcrFile] = [
      join(folder, 'aws-ca.pem'),
      join(folder, 'root.der'),
      join(folder, 'published/1.4.0/pcr.json'),
    ];
    await writeFile(caFile, aws.caPem);
    await writeFile(rootFile, rootCertificate);
    const release = await makeTestRelease(folder, await buildStandInImage(program.folder));
    const { yaml, keys } = await writeVault(join(folder, 'keys'), release, change);
    const exchange = join(folder, 'exchange');
    await mkdir(exchange);
    const people = new Map<PlayedRole, Person>();
    for (const [index, role] of ROLES.entries()) {
      const accountId = ACCOUNTS[index] ?? '';
      const roleArn = aws.directory.defineRole({
        accountId,
        roleName: `admin-of-${accountId[0] ?? ''}`,
        policies: [ADMINISTRATOR_POLICY],
      });
      const person = await Person.sit({
        folder: join(folder, `desk-${role}`),
        yaml,
        exchange,
        endpoint: `https://localhost:${aws.port}`,
        caFile,
        rootFile,
        region: REGION,
        credentials: () => aws.directory.assumeRole({ roleArn, sessionName: 'person' }),
      });
      people.set(role, person);
    }
    return new VaultWorld({ aws, hosts, people, keys, exchange, rootFile, pcrFile, program, lines });
  }

  person(role: PlayedRole): Person {
    const person = this.people.get(role);
    if (person === undefined) throw new RangeError(`nobody is ${role}`);
    return person;
  }

  /** Words of `vault apply` or `vault plan` of a role. */
  run(verb: 'apply' | 'plan', role: PlayedRole): readonly string[] {
    const node = Number(role.slice('node-'.length));
    const authority = this.keys.authority.get(node);
    return [
      'vault',
      verb,
      '--role',
      role,
      '--statement-key',
      this.keys.statement.get(role) ?? '',
      '--root',
      this.rootFile,
      ...(authority === undefined ? [] : ['--authority-key', authority]),
      ...(verb === 'apply' ? ['--yes'] : []),
    ];
  }

  /** Has a person apply their steps. */
  async apply(role: PlayedRole) {
    return await this.person(role).run(...this.run('apply', role));
  }

  /** Lines that hosts have printed, for who looks for the cause of a failure. */
  log(): string {
    return this.#lines.join('\n');
  }

  async close(): Promise<void> {
    for (const person of this.people.values()) person.leave();
    for (const host of this.hosts.values()) await host.destroy();
    await this.aws.close();
    await this.#program.remove();
  }
}
