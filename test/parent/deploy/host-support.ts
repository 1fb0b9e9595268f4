import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyProgram, type Program } from '../../../local/nitro-host/index.ts';
import {
  buildStandInImage,
  composeDeployment,
  type DeploymentParts,
  type StandInImage,
  writeDeployment,
} from '../../../local/testbed/host/index.ts';
import { openTestbed, type Testbed } from '../../../local/testbed/index.ts';
import { CLIENT, DEMO_KEYS, DEMO_RULES } from '../../../local/testbed/scenario.ts';
import {
  type RunLineOptions,
  StandInHost,
  type StandInHostOptions,
} from '../../../local/testbed/stand-in-host.ts';
import { type ConfigurationBody, openTestNode, type TestNode } from '../../../local/testbed/test-node.ts';
import { HOLDFAST } from '../../support/holdfast-command.ts';

export const INSTALLED = '/opt/holdfast/bin/holdfast';
/** End of every order: the same configuration has the same bytes. */
const ORDER_ENDS = new Date(Date.now() + 6 * 3_600_000).toISOString();

/** What a deployment has said, with its exit code. */
export interface Deployed {
  readonly exit: number;
  readonly said: {
    readonly ok: boolean;
    readonly phase?: string;
    readonly code?: string | null;
    readonly changed?: boolean;
    readonly restarted?: boolean;
    readonly deployment?: string;
    readonly previous?: string | null;
    readonly attestation?: string | null;
    readonly url?: string;
    readonly snapshot?: string | null;
    readonly identity?: {
      readonly store: string;
      readonly epoch: number;
      readonly log: { readonly size: number };
    } | null;
    readonly error?: { readonly code: string; readonly details: Readonly<Record<string, unknown>> };
  };
  readonly stderr: string;
}

/** A testbed with images, nodes and hosts on which they are deployed. */
export class Hosts {
  readonly testbed: Testbed;
  readonly program: Program;
  readonly image: StandInImage;
  readonly folder: string;
  readonly #hosts: StandInHost[] = [];
  readonly #programs: Program[] = [];
  #deployments = 0;

  private constructor(folder: string, testbed: Testbed, program: Program, image: StandInImage) {
    this.folder = folder;
    this.testbed = testbed;
    this.program = program;
    this.image = image;
  }

  static async open(folder: string): Promise<Hosts> {
    const program = await copyProgram();
    const testbed = await openTestbed({ stateDirectory: join(folder, 'testbed') });
    return new Hosts(folder, testbed, program, await buildStandInImage(program.folder));
  }

  /** Makes a node whose key admits the image, once with GenerateDataKey. */
  async node(node: number, { isAdmitted = true, namespace = 'demo' } = {}): Promise<TestNode> {
    const state = namespace === 'demo' ? this.testbed.stateDirectory : join(this.folder, namespace);
    const testNode = await openTestNode(
      { ...this.testbed, stateDirectory: state },
      { node, namespace, quorum: { size: 3, threshold: 2 } },
    );
    if (isAdmitted) await testNode.allow(this.image.pcrs, { initialise: true });
    return testNode;
  }

  async host(testNode: TestNode, options: Partial<StandInHostOptions> = {}): Promise<StandInHost> {
    const host = await StandInHost.launch({
      folder: join(this.folder, `host-${this.#hosts.length + 1}`),
      nitro: await this.testbed.addHost(),
      command: HOLDFAST,
      aws: this.testbed.aws,
      region: testNode.manifest.kms.region,
      accountId: testNode.admin.accountId,
      roleName: 'holdfast-parent',
      credentials: () => testNode.infrastructure.parentCredentials(),
      ...options,
    });
    this.#hosts.push(host);
    return host;
  }

  /** Builds another image of the same code. */
  async otherImage(): Promise<StandInImage> {
    const program = await copyProgram(async (folder) => {
      const file = join(folder, 'enclave/boot/heartbeat.ts');
      await writeFile(file, `${await readFile(file, 'utf8')}\n// Another image.\n`);
    });
    this.#programs.push(program);
    return await buildStandInImage(program.folder);
  }

  /** Signs a configuration of a node. */
  configuration(testNode: TestNode, version: number, order?: string): Uint8Array {
    const body: ConfigurationBody = {
      version,
      ...(order === undefined
        ? {}
        : {
            initialise: {
              id: order,
              notAfter: ORDER_ENDS,
              password: 'generated' as const,
            },
          }),
      clients: [{ id: CLIENT, publicKey: testNode.client.publicKey }],
      keys: DEMO_KEYS,
      rules: DEMO_RULES,
    };
    return testNode.sign(body);
  }

  /** Writes a deployment; returns its folder. */
  async deployment(testNode: TestNode, parts: Partial<DeploymentParts> = {}): Promise<string> {
    this.#deployments += 1;
    const folder = join(this.folder, `deployment-${this.#deployments}`);
    const composed = composeDeployment({
      image: this.image,
      manifest: testNode.manifestBytes,
      configuration: this.configuration(testNode, 1, 'initialise-1'),
      ...parts,
    });
    await writeDeployment(folder, composed);
    return folder;
  }

  async close(): Promise<void> {
    for (const host of this.#hosts) await host.destroy();
    await this.testbed.close();
    for (const program of [this.program, ...this.#programs]) await program.remove();
  }
}

/** Deploys on a host by the line that SSM sends. */
export async function deployOn(
  host: StandInHost,
  source: string,
  options: RunLineOptions = {},
): Promise<Deployed> {
  const { exit, stdout, stderr } = await host.run(
    `${INSTALLED} parent deploy ${source} --json --timeout 150`,
    options,
  );
  if (stdout === '') throw new Error(`no output, exit ${exit}: ${stderr}`);
  return { exit, said: JSON.parse(stdout) as Deployed['said'], stderr };
}

/** Deploys, and asserts that the node serves. */
export async function deployServing(host: StandInHost, source: string): Promise<Deployed['said']> {
  const { said, stderr } = await deployOn(host, source);
  if (said.phase !== 'serving') throw new Error(`${JSON.stringify(said)}\n${stderr}`);
  return said;
}

/** Deploys, and gives the code of the refusal. */
export async function refusalOf(host: StandInHost, source: string): Promise<string> {
  const { exit, said } = await deployOn(host, source);
  return exit === 1 ? (said.error?.code ?? said.code ?? 'NO_CODE') : 'ACCEPTED';
}

export const freshNonce = (): string => randomBytes(32).toString('hex');
