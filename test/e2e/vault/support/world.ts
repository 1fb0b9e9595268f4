import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CloudFormationClient, DescribeStackEventsCommand } from '@aws-sdk/client-cloudformation';
import type { AwsEvent } from '../../../../local/aws/server.ts';
import type { InstanceHooks } from '../../../../local/cloudformation/index.ts';
import { ADMINISTRATOR_POLICY } from '../../../../local/aws/index.ts';
import { createRecipientVerifier, type RecipientVerifier } from '../../../../local/kms/index.ts';
import { copyProgram, NitroHost, type Program } from '../../../../local/nitro-host/index.ts';
import { buildStandInImage } from '../../../../local/testbed/host/index.ts';
import { type LocalAws, startLocalAws } from '../../../../local/testbed/local-aws.ts';
import { StandInHost } from '../../../../local/testbed/stand-in-host.ts';
import { ACCOUNTS, type SampleVault } from '../../../admin/vault/sample-vault.ts';
import { Person, runProcess, type Said } from './person.ts';
import { makeTestRelease } from './release.ts';
import { type VaultKeys, writeVault } from './vault-files.ts';

const PROJECT = resolve(import.meta.dirname, '../../../..');
const REGION = 'eu-central-1';

/** Roles of the ceremony that the tests play. */
export const ROLES = ['infrastructure', 'node-1', 'node-2', 'node-3'] as const;
export type PlayedRole = (typeof ROLES)[number];

/** Who is shown the requests to AWS. */
interface Shown {
  show: (event: AwsEvent) => void;
}

/** ARN of the role of a person, as vault.yaml names it. */
function roleArnOf(role: PlayedRole): string {
  const account = ACCOUNTS[ROLES.indexOf(role)] ?? '';
  return `arn:aws:iam::${account}:role/admin-of-${account[0] ?? ''}`;
}

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
  readonly #events: Shown;

  private constructor(
    parts: Pick<VaultWorld, 'aws' | 'hosts' | 'people' | 'keys' | 'exchange' | 'rootFile' | 'pcrFile'> & {
      readonly program: Program;
      readonly lines: string[];
      readonly events: Shown;
    },
  ) {
    this.aws = parts.aws;
    this.hosts = parts.hosts;
    this.people = parts.people;
    this.keys = parts.keys;
    this.exchange = parts.exchange;
    this.rootFile = parts.rootFile;
    this.pcrFile = parts.pcrFile;
    this.#program = parts.program;
    this.#lines = parts.lines;
    this.#events = parts.events;
  }

  static async open(folder: string, change?: (vault: SampleVault) => void): Promise<VaultWorld> {
    const hosts = new Map<string, StandInHost>();
    const lines: string[] = [];
    const events: Shown = { show: () => undefined };
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
      onEvent: (event) => events.show(event),
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
    return new VaultWorld({ aws, hosts, people, keys, exchange, rootFile, pcrFile, program, lines, events });
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

  /** Number of resources of a type that CloudFormation has made in a stack, ever. */
  async made(role: PlayedRole, stack: string, type: string): Promise<number> {
    const client = new CloudFormationClient(this.clientOptions(role));
    const { StackEvents: events = [] } = await client.send(
      new DescribeStackEventsCommand({ StackName: stack }),
    );
    client.destroy();
    return events.filter((event) => event.ResourceType === type && event.ResourceStatus === 'CREATE_COMPLETE')
      .length;
  }

  /** Options of a client of CloudFormation with the credentials of a role. */
  clientOptions(role: PlayedRole) {
    const credentials = this.aws.directory.assumeRole({ roleArn: roleArnOf(role), sessionName: 'test' });
    return { ...this.aws.clientOptions('cloudformation', REGION), credentials };
  }

  /** Seats a second person of a role, with a machine of their own, who has the same release. */
  async another(role: PlayedRole): Promise<Person> {
    const first = this.person(role);
    const second = await first.companion();
    await cp(join(first.folder, 'releases'), join(second.folder, 'releases'), { recursive: true });
    return second;
  }

  /** Has every request to AWS shown to a test, after AWS has done it. */
  onRequest(show: (event: AwsEvent) => void): void {
    this.#events.show = show;
  }

  /** Lets every session of a role's person expire now. */
  expireCredentials(role: PlayedRole): void {
    for (const accessKeyId of this.person(role).accessKeys) {
      // A session's end is looked at with each request.
      this.aws.directory.find(accessKeyId)?.expiration?.setTime(0);
    }
  }

  /** What a role has told about a step, as anybody reads it who believes the file. */
  async told(role: PlayedRole, step: string): Promise<{ sequence: number; facts: Record<string, unknown> }> {
    const file = await readFile(join(this.exchange, role, `${step}.json`), 'utf8');
    const { payload } = JSON.parse(file) as { payload: string };
    return JSON.parse(Buffer.from(payload, 'base64').toString()) as {
      sequence: number;
      facts: Record<string, unknown>;
    };
  }

  /** Paths of all files that the roles have exchanged, without their folders. */
  async exchanged(): Promise<readonly string[]> {
    const found = await readdir(this.exchange, { recursive: true, withFileTypes: true });
    return found
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort();
  }

  /** Seats somebody of the wallet's side, who knows what is public: profiles of all nodes, and their own key. */
  async client(id: string): Promise<(...args: readonly string[]) => Promise<Said>> {
    const { nodes } = (await this.told('infrastructure', 'restart')).facts as {
      nodes: readonly { node: number; url: string }[];
    };
    const folder = join(this.exchange, '..', `client-${id}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const files = await this.exchanged();
    const profiles: string[] = [];
    for (const { node, url } of nodes) {
      const manifest = files.find((file) => file.includes(`/node-${node}/manifest/`)) ?? '';
      const path = join(folder, `node-${node}.yaml`);
      const settings = { url, pcrs: this.pcrFile, manifest, root: this.rootFile };
      await writeFile(path, JSON.stringify(settings), { mode: 0o600 });
      profiles.push(path);
    }
    const [first = '', ...others] = profiles;
    const own = ['--client', id, '--key', this.keys.clients.get(id) ?? '', '--profile', first];
    return async (...args) =>
      await runProcess([...args, ...own, ...others.flatMap((path) => ['--node', path]), '--json'], {
        cwd: folder,
        env: { PATH: process.env['PATH'], HOME: folder },
      });
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
