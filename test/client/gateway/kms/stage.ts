import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KMSClient } from '@aws-sdk/client-kms';
import { CONFIGURATION_FORMAT_2 } from '../../../../shared/documents/configuration.ts';
import { copyProgram, type Program } from '../../../../local/nitro-host/index.ts';
import {
  type ConfigurationBody2,
  openTestbed,
  openTestNode,
  runNode,
  type StartedNode,
  type Testbed,
  type TestNode,
} from '../../../../local/testbed/index.ts';
import { type Identity, loadIdentity } from '../../../../local/testbed/identity.ts';
import { type KmsGateway, startKmsGateway } from '../../../../local/testbed/kms-gateway.ts';
import { addPools, type PoolClient } from '../../../../local/testbed/pool-configuration.ts';
import { writeVerificationFiles } from '../../../../local/testbed/verification-files.ts';
import type { KmsAccess } from '../../../local/kms/clients.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const COMMAND = fileURLToPath(new URL('../../../../cli/holdfast.js', import.meta.url));

/** Client of the stage: its id is its pool's, too. */
export interface StageClient {
  readonly id: string;
  readonly change?: PoolClient['change'];
}

/** A real node with pools, and a real door in front of it: a process of the command. */
export class KmsStage {
  readonly testNode: TestNode;
  readonly gateway: KmsGateway;
  readonly #testbed: Testbed;
  readonly #program: Program;
  readonly #clients: KMSClient[] = [];
  #node: StartedNode;

  private constructor(
    parts: { readonly testbed: Testbed; readonly program: Program; readonly testNode: TestNode },
    node: StartedNode,
    gateway: KmsGateway,
  ) {
    this.#testbed = parts.testbed;
    this.#program = parts.program;
    this.testNode = parts.testNode;
    this.#node = node;
    this.gateway = gateway;
  }

  /** Starts the node and the door. `settings` are further fields of its section in gateway.yaml. */
  static async open(
    clients: readonly [StageClient, ...StageClient[]],
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<KmsStage> {
    const folder = temporaryFolder();
    const testbed = await openTestbed({ stateDirectory: folder });
    const program = await copyProgram();
    const testNode = await openTestNode(testbed, { node: 1 });
    const pcrs = await testbed.host.measure(program.folder);
    await testNode.allow(pcrs, { initialise: true });
    const identities = await Promise.all(
      clients.map(async ({ id }) => await loadIdentity(join(folder, 'keys', `${id}.pem`), 'ed25519')),
    );
    await testNode.configure(configuration(clients, identities));
    const node = await runNode(testbed, testNode, { launch: { program: program.folder } });
    if (node.code !== null) throw new Error(`expected a node that serves, found ${node.code}`);
    // Later starts find the password, and may make none.
    await testNode.allow(pcrs);
    const files = await writeVerificationFiles(join(folder, 'client'), testbed, testNode, pcrs);
    const profile = join(folder, 'holdfast.yaml');
    await writeFile(profile, JSON.stringify({ url: node.url, ...files }), { mode: 0o600 });
    const [first, ...others] = clients.map(({ id }, index) => ({
      id,
      keyPath: identities[index]?.path ?? '',
      pool: id,
    }));
    if (first === undefined) throw new TypeError('expected a client');
    const gateway = await startKmsGateway({
      holdfast: [process.execPath, COMMAND],
      folder: join(folder, 'gateway'),
      profiles: [profile],
      clients: [first, ...others],
      settings,
    });
    return new KmsStage({ testbed, program, testNode }, node, gateway);
  }

  /** Who a client of the stage is for the door. */
  access(client: string, endpoint = this.gateway.endpoint): KmsAccess {
    const credential = this.gateway.credentials.find((each) => each.client === client);
    if (credential === undefined) throw new TypeError(`expected a client of the stage, found ${client}`);
    const { accessKeyId, secretAccessKey } = credential;
    return { endpoint, region: this.gateway.region, accessKeyId, secretAccessKey };
  }

  /** A client by the SDK for JavaScript, which ends with the stage. */
  client(name: string): KMSClient {
    const { endpoint, region, ...credentials } = this.access(name);
    const kms = new KMSClient({ endpoint, region, credentials });
    this.#clients.push(kms);
    return kms;
  }

  /** Stops the node and starts it again at the same address; `between` happens while there is none. */
  async restartNode(between: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const port = Number(new URL(this.#node.url).port);
    await this.#node.stop();
    await between();
    this.#node = await runNode(this.#testbed, this.testNode, {
      launch: { program: this.#program.folder },
      parent: (honest) => ({ ...honest, ingress: { port } }),
    });
    if (this.#node.code !== null) throw new Error(`expected a node that serves, found ${this.#node.code}`);
  }

  /** Resident memory of the door in bytes. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.gateway.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(status)?.[1]) * 1024;
  }

  async close(): Promise<void> {
    for (const kms of this.#clients) kms.destroy();
    await this.gateway.stop();
    await this.#node.stop();
    await this.#program.remove();
    await this.#testbed.close();
  }
}

function configuration(clients: readonly StageClient[], identities: readonly Identity[]) {
  const body: ConfigurationBody2 = {
    format: CONFIGURATION_FORMAT_2,
    version: 1,
    initialise: {
      id: 'first-start',
      notAfter: new Date(Date.now() + 3_600_000).toISOString(),
      password: 'generated',
    },
    clients: [],
    clientGroups: [],
    keys: [],
    approvers: [],
    approverGroups: [],
    addressBooks: [],
    witnesses: null,
    rules: [],
  };
  return addPools(
    body,
    clients.map(({ id, change }, index) => ({
      id,
      publicKey: identities[index]?.publicKey ?? '',
      pool: id,
      ...(change === undefined ? {} : { change }),
    })),
  );
}
