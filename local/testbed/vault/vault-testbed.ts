import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStackEventsCommand } from '@aws-sdk/client-cloudformation';
import { ADMINISTRATOR_POLICY } from '../../aws/index.ts';
import type { AwsEvent } from '../../aws/server.ts';
import type { HoldfastCommand } from '../holdfast-command.ts';
import type { LocalAws } from '../local-aws.ts';
import type { StandInHost } from '../stand-in-host.ts';
import { LocalCloud } from './cloud.ts';
import { Person, runProcess, type Said } from './person.ts';
import { type PublishedRelease, Releases } from './releases.ts';
import { ACCOUNTS, adminOf, type SampleVault } from './sample-vault.ts';
import { type VaultKeys, writeVault } from './vault-files.ts';

const REGION = 'eu-central-1';
const FIRST_VERSION = '1.4.0';

/** Role of somebody who plays: of the infrastructure, or of a node. */
export type PlayedRole = 'infrastructure' | `node-${number}`;
/** Roles of a vault of three nodes. */
export const ROLES = ['infrastructure', 'node-1', 'node-2', 'node-3'] as const satisfies PlayedRole[];
const NODES = ['node-1', 'node-2', 'node-3'] as const satisfies PlayedRole[];
/** Who applies side by side in each round of the ceremony of three nodes: everybody who does not wait. */
export const CEREMONY_ROUNDS: readonly (readonly (typeof ROLES)[number][])[] = [
  ROLES,
  NODES,
  ['infrastructure'],
  NODES,
  ['infrastructure'],
  NODES,
  ['infrastructure'],
];

/** Account of the infrastructure, and then one of each node. */
export type Accounts = readonly [infrastructure: string, ...nodes: string[]];

/** What one vault is made with. */
export interface VaultOptions {
  /** Accounts; those of a vault of three nodes when left out. */
  readonly accounts?: Accounts;
  /** Changes vault.yaml before anybody gets it. */
  readonly change?: ((vault: SampleVault) => void) | undefined;
}

/** What a testbed is opened with: its first vault, and the commands that are typed. */
export interface VaultTestbedOptions extends VaultOptions {
  /** `holdfast`: what people type, and what is installed on hosts. */
  readonly holdfast: HoldfastCommand;
  /** What signs a release as scripts/make-release does. */
  readonly makeRelease: HoldfastCommand;
}

/** What all vaults of a testbed share. */
interface Surroundings {
  readonly cloud: LocalCloud;
  readonly releases: Releases;
  readonly holdfast: HoldfastCommand;
  readonly caFile: string;
  readonly rootFile: string;
}

interface VaultParts extends Surroundings {
  readonly accounts: Accounts;
  readonly people: ReadonlyMap<PlayedRole, Person>;
  readonly keys: VaultKeys;
  readonly folder: string;
  readonly prefix: string;
  readonly release: PublishedRelease;
}

/**
 * Testbed for the life of a vault: accounts of the local AWS, which launches hosts on this machine, releases, and people
 * with their own credentials, folders and keys.
 */
export class VaultTestbed {
  readonly people: ReadonlyMap<PlayedRole, Person>;
  readonly keys: VaultKeys;
  /** Folder that everybody exchanges statements by. */
  readonly exchange: string;
  readonly rootFile: string;
  /** Measurements of the release that vault.yaml names. */
  readonly pcrFile: string;
  readonly #parts: VaultParts;
  readonly #others: VaultTestbed[] = [];
  readonly #isFirst: boolean;

  private constructor(parts: VaultParts, isFirst: boolean) {
    this.#parts = parts;
    this.#isFirst = isFirst;
    this.people = parts.people;
    this.keys = parts.keys;
    this.exchange = exchangeIn(parts.folder);
    this.rootFile = parts.rootFile;
    this.pcrFile = parts.release.pcrFile;
  }

  /** Opens a testbed with one vault that nobody has begun with, and one release. */
  static async open(
    folder: string,
    { holdfast, makeRelease, ...vault }: VaultTestbedOptions,
  ): Promise<VaultTestbed> {
    const cloud = await LocalCloud.open(folder, holdfast);
    const releases = await Releases.open(folder, makeRelease);
    const [caFile, rootFile] = [join(folder, 'aws-ca.pem'), join(folder, 'root.der')];
    await writeFile(caFile, cloud.aws.caPem);
    await writeFile(rootFile, cloud.rootCertificate);
    const release = await releases.publish(FIRST_VERSION);
    const shared = { cloud, releases, holdfast, caFile, rootFile };
    return new VaultTestbed(await openVault(folder, { ...shared, release }, vault), true);
  }

  get aws(): LocalAws {
    return this.#parts.cloud.aws;
  }

  /** Hosts of all vaults, by the ids of their instances. */
  get hosts(): ReadonlyMap<string, StandInHost> {
    return this.#parts.cloud.hosts;
  }

  /**
   * Opens another vault in the same testbed, with people of its own: the same cloud, releases and root.
   * @param name folder of its own below the first one's
   */
  async addVault(name: string, options: VaultOptions, release = this.#parts.release): Promise<VaultTestbed> {
    const folder = join(this.#parts.folder, name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const other = new VaultTestbed(await openVault(folder, { ...this.#parts, release }, options), false);
    this.#others.push(other);
    return other;
  }

  /** Publishes one more release, signed by the same key: an image that measures otherwise. */
  async publish(version: string): Promise<PublishedRelease> {
    return await this.#parts.releases.publish(version);
  }

  /** Finds the person of a role. @throws RangeError where there is none */
  person(role: PlayedRole): Person {
    const person = this.people.get(role);
    if (person === undefined) throw new RangeError(`nobody is ${role}`);
    return person;
  }

  /** Finds the id of a role's account. @throws RangeError where there is none */
  accountOf(role: PlayedRole): string {
    return accountIn(this.#parts.accounts, role);
  }

  /** Options of `vault apply` and its like of a role. */
  optionsOf(role: PlayedRole): readonly string[] {
    const authority = this.keys.authority.get(Number(role.slice('node-'.length)));
    return [
      '--role',
      role,
      '--statement-key',
      this.keys.statement.get(role) ?? '',
      '--root',
      this.rootFile,
      ...(authority === undefined ? [] : ['--authority-key', authority]),
    ];
  }

  /** Arguments of `vault apply` or `vault plan` of a role. */
  argumentsOf(verb: 'apply' | 'plan', role: PlayedRole): readonly string[] {
    return ['vault', verb, ...this.optionsOf(role), ...(verb === 'apply' ? ['--yes'] : [])];
  }

  /** Has a person apply their steps. */
  async apply(role: PlayedRole): Promise<Said> {
    return await this.person(role).run(...this.argumentsOf('apply', role));
  }

  /** Finds the host of a node; undefined before it was launched, and once it is lost. */
  hostOf(node: number): StandInHost | undefined {
    const { cloud, prefix } = this.#parts;
    return cloud.findHost(this.accountOf('infrastructure'), `${prefix}-node-${node}-parent`);
  }

  /** Ends the instance of a node at once and for good, and its disk with it. */
  async loseHost(node: number): Promise<void> {
    const host = this.hostOf(node);
    if (host === undefined) throw new RangeError(`node ${node} has no host`);
    await this.#parts.cloud.loseHost(host);
  }

  /** Closes the account of a role: its credentials, keys and buckets answer nothing any more, and its instances end. */
  async loseAccount(role: PlayedRole): Promise<void> {
    await this.#parts.cloud.loseAccount(this.accountOf(role));
  }

  /** Counts the resources of a type that CloudFormation has made in a stack, ever. */
  async countCreated(role: PlayedRole, stack: string, type: string): Promise<number> {
    const client = new CloudFormationClient(this.clientOptions(role));
    const { StackEvents: events = [] } = await client.send(
      new DescribeStackEventsCommand({ StackName: stack }),
    );
    client.destroy();
    return events.filter((event) => event.ResourceType === type && event.ResourceStatus === 'CREATE_COMPLETE')
      .length;
  }

  /** Options of a client of AWS, of CloudFormation unless another service is named, with credentials of a role. */
  clientOptions(role: PlayedRole, service: 'cloudformation' | 'kms' = 'cloudformation') {
    const { directory } = this.aws;
    const roleArn = adminOf(this.accountOf(role));
    const credentials = directory.assumeRole({ roleArn, sessionName: 'person' });
    return { ...this.aws.clientOptions(service, REGION), credentials };
  }

  /** Seats a second person of a role, with a machine of their own, who has the same release. */
  async seatSecond(role: PlayedRole): Promise<Person> {
    const first = this.person(role);
    const second = await first.companion();
    await cp(join(first.folder, 'releases'), join(second.folder, 'releases'), { recursive: true });
    return second;
  }

  /** Has every request to AWS shown, after AWS has done it. */
  onRequest(show: (event: AwsEvent) => void): void {
    this.#parts.cloud.onRequest(show);
  }

  /** Lets every session of a role's person expire now. */
  expireCredentials(role: PlayedRole): void {
    for (const accessKeyId of this.person(role).accessKeys) {
      // A session's end is looked at with each request.
      this.aws.directory.find(accessKeyId)?.expiration?.setTime(0);
    }
  }

  /** Reads what a role has stated about a step, as anybody reads it who believes the file. */
  async readStatement(
    role: PlayedRole,
    step: string,
  ): Promise<{ sequence: number; facts: Record<string, unknown> }> {
    const file = await readFile(join(this.exchange, role, `${step}.json`), 'utf8');
    const { payload } = JSON.parse(file) as { payload: string };
    return JSON.parse(Buffer.from(payload, 'base64').toString()) as {
      sequence: number;
      facts: Record<string, unknown>;
    };
  }

  /** Lists the paths of all files that the roles have exchanged, without their folders. */
  async listExchangedFiles(): Promise<readonly string[]> {
    const found = await readdir(this.exchange, { recursive: true, withFileTypes: true });
    return found
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort();
  }

  /**
   * Seats somebody of the wallet's side, who knows what is public: profiles of all nodes, and their own key.
   * @param pcrFile measurements that they accept
   */
  async client(
    id: string,
    pcrFile: string = this.pcrFile,
  ): Promise<(...args: readonly string[]) => Promise<Said>> {
    const { nodes } = (await this.readStatement('infrastructure', 'restart')).facts as {
      nodes: readonly { node: number; url: string }[];
    };
    const folder = join(this.#parts.folder, `client-${id}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const files = await this.listExchangedFiles();
    const profiles: string[] = [];
    for (const { node, url } of nodes) {
      const manifest = files.find((file) => file.includes(`/node-${node}/manifest/`)) ?? '';
      const path = join(folder, `node-${node}.yaml`);
      const settings = { url, pcrs: pcrFile, manifest, root: this.rootFile };
      await writeFile(path, JSON.stringify(settings), { mode: 0o600 });
      profiles.push(path);
    }
    const [first = '', ...others] = profiles;
    const own = ['--client', id, '--key', this.keys.clients.get(id) ?? '', '--profile', first];
    return async (...args) =>
      await runProcess(
        this.#parts.holdfast,
        [...args, ...own, ...others.flatMap((path) => ['--node', path]), '--json'],
        { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder } },
      );
  }

  /** Lines that hosts have printed, for whoever looks for the cause of a failure. */
  log(): string {
    return this.#parts.cloud.lines.join('\n');
  }

  /** Ends what the people have still running. */
  leave(): void {
    for (const person of this.people.values()) person.leave();
  }

  /** Ends everything of this vault and of those added to it, and with the first vault the cloud and the releases. */
  async close(): Promise<void> {
    for (const other of this.#others) await other.close();
    this.leave();
    if (!this.#isFirst) return;
    await this.#parts.cloud.close();
    await this.#parts.releases.close();
  }
}

function exchangeIn(folder: string): string {
  return join(folder, 'exchange');
}

function accountIn(accounts: Accounts, role: PlayedRole): string {
  const account = accounts[role === 'infrastructure' ? 0 : Number(role.slice('node-'.length))];
  if (account === undefined) throw new RangeError(`${role} has no account`);
  return account;
}

/** Writes a vault, and seats its people: one of each role. */
async function openVault(
  folder: string,
  surroundings: Surroundings & { readonly release: PublishedRelease },
  { accounts = ACCOUNTS, change }: VaultOptions,
): Promise<VaultParts> {
  const { cloud, release, holdfast, caFile } = surroundings;
  const { yaml, vault, keys } = await writeVault(join(folder, 'keys'), { release, accounts, change });
  const exchange = exchangeIn(folder);
  await mkdir(exchange);
  const people = new Map<PlayedRole, Person>();
  for (const [index, accountId] of accounts.entries()) {
    const role: PlayedRole = index === 0 ? 'infrastructure' : `node-${index}`;
    const roleArn = adminOf(accountId);
    cloud.aws.directory.defineRole({
      accountId,
      roleName: roleArn.split('/').at(-1) ?? '',
      policies: [ADMINISTRATOR_POLICY],
    });
    const person = await Person.sit({
      folder: join(folder, `desk-${role}`),
      holdfast,
      yaml,
      exchange,
      endpoint: `https://localhost:${cloud.aws.port}`,
      caFile,
      region: REGION,
      credentials: () => cloud.aws.directory.assumeRole({ roleArn, sessionName: 'person' }),
    });
    people.set(role, person);
  }
  const prefix = `${String(vault['namespace'])}-${String(vault['environment'])}`;
  return { ...surroundings, accounts, people, keys, folder, prefix };
}
