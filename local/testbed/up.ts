import { X509Certificate } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ConfigurationDocument1 } from '../../shared/documents/configuration.ts';
import { copyProgram } from '../nitro-host/index.ts';
import { type AwsAccess, writeAwsProfiles } from './aws-profiles.ts';
import { runNode, type StartedNode } from './run-node.ts';
import { openTestNode, type TestNode } from './test-node.ts';
import { openTestbed, type Testbed } from './testbed.ts';

/** Lifetime of the order in milliseconds: long, because the key policy ends its use here. */
const ORDER_MS = 365 * 86_400_000;

/** Files and addresses that the user of a local node gets. */
export interface LocalNode {
  readonly node: StartedNode;
  /** Id under which the configuration knows the client. */
  readonly clientId: string;
  readonly files: {
    /** Path of the client's Ed25519 private key, PEM. */
    readonly clientKey: string;
    /** Path of PCR0, PCR1, PCR2 and PCR16. */
    readonly pcrs: string;
    /** Path of the root that the local NSM signs under, PEM. */
    readonly root: string;
    readonly manifest: string;
  };
  readonly keys: ConfigurationDocument1['keys'];
  readonly aws: AwsAccess;
  stop(): Promise<void>;
}

export interface UpOptions {
  readonly stateDirectory: string;
  /** Port at which clients reach the node; 0 takes a free one. */
  readonly port: number;
  /** Port of the parent's status page; 0 takes a free one. */
  readonly statusPort: number;
  readonly clientId: string;
  readonly keys: ConfigurationDocument1['keys'];
  readonly rules: ConfigurationDocument1['rules'];
  readonly onConsole?: (line: string) => void;
}

/** Brings up AWS, a Nitro host and one node that serves; a second start on the same state finds its keys again. */
export async function bringUp(options: UpOptions): Promise<LocalNode> {
  const stateDirectory = resolve(options.stateDirectory);
  await makeFolder(stateDirectory);
  const program = await copyProgram();
  let testbed: Testbed | undefined;
  let node: StartedNode | undefined;
  try {
    testbed = await openTestbed({ stateDirectory });
    const testNode = await openTestNode(testbed, { node: 1 });
    const pcrs = await testbed.host.measure(program.folder);
    await prepare(testNode, pcrs, options);
    const started = await runNode(testbed, testNode, {
      launch: {
        program: program.folder,
        ...(options.onConsole === undefined ? {} : { onConsole: options.onConsole }),
      },
      parent: (honest) => ({
        ...honest,
        ingress: { port: options.port },
        status: { port: options.statusPort },
      }),
    });
    node = started;
    // The node has its password now: from here on the key policy allows no other to be made.
    if (started.phase === 'serving') {
      await testNode.allow(pcrs);
      await writeFile(initialisedPath(testNode), '');
    }
    const opened = testbed;
    return {
      node: started,
      clientId: options.clientId,
      keys: options.keys,
      files: await writeFiles(stateDirectory, testNode, pcrs, testbed.host.rootCertificate),
      aws: await writeAwsProfiles(join(stateDirectory, 'client'), testbed, testNode),
      stop: async () => {
        await started.stop();
        await opened.close();
        await program.remove();
      },
    };
  } catch (error) {
    await node?.stop();
    await testbed?.close();
    await program.remove();
    throw error;
  }
}

/** Path of a mark left once a node has served: until then a start that was cut off may be tried again. */
function initialisedPath(testNode: TestNode): string {
  return join(testNode.directory, 'initialised');
}

/** Prepares a start: the first is ordered by a signed configuration, which later ones find. */
async function prepare(
  testNode: TestNode,
  pcrs: ReadonlyMap<number, Uint8Array>,
  options: UpOptions,
): Promise<void> {
  await testNode.allow(pcrs, { initialise: !(await exists(initialisedPath(testNode))) });
  if (await exists(testNode.configurationPath)) return;
  await testNode.configure({
    version: 1,
    initialise: {
      id: 'first-start',
      notAfter: new Date(Date.now() + ORDER_MS).toISOString(),
      password: 'generated',
    },
    clients: [{ id: options.clientId, publicKey: testNode.client.publicKey }],
    keys: options.keys,
    rules: options.rules,
  });
}

async function writeFiles(
  stateDirectory: string,
  testNode: TestNode,
  pcrs: ReadonlyMap<number, Uint8Array>,
  rootCertificate: Uint8Array,
): Promise<LocalNode['files']> {
  const folder = join(stateDirectory, 'client');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = {
    clientKey: testNode.client.path,
    pcrs: join(folder, 'pcr.json'),
    root: join(folder, 'nitro-root.pem'),
    manifest: testNode.manifestPath,
  };
  const measurements = Object.fromEntries(
    [...pcrs, [16, testNode.manifestPcr] as const].map(([index, value]) => [
      `PCR${index}`,
      Buffer.from(value).toString('hex'),
    ]),
  );
  const pcrFile = { Measurements: { HashAlgorithm: 'Sha384 { ... }', ...measurements } };
  await writeFile(files.pcrs, `${JSON.stringify(pcrFile, null, 2)}\n`);
  await writeFile(files.root, new X509Certificate(rootCertificate).toString());
  return files;
}

/** Makes a folder. Node's own recursive mkdir never ends below /proc, where a folder that exists takes no other. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || (await exists(dirname(path)))) throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
