import { X509Certificate } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Configuration } from '../../shared/node/configuration.ts';
import { copyProgram } from '../nitro-host/index.ts';
import { type AwsAccess, writeAwsProfiles } from './aws-profiles.ts';
import { runNode, type StartedNode } from './run-node.ts';
import { openSite, type Site } from './site.ts';
import { openWorld, type World } from './world.ts';

/** The key policy ends the order's use here; its time need not. */
const ORDER_MS = 365 * 86_400_000;

/** What one who uses a local node is given. */
export interface LocalNode {
  readonly node: StartedNode;
  /** The id under which the configuration knows the client. */
  readonly clientId: string;
  readonly files: {
    /** Its Ed25519 private key, PEM. */
    readonly clientKey: string;
    /** PCR0, PCR1, PCR2 and PCR16. */
    readonly pcrs: string;
    /** The root that the local NSM signs under, PEM. */
    readonly root: string;
    readonly manifest: string;
  };
  readonly keys: Configuration['keys'];
  readonly aws: AwsAccess;
  stop(): Promise<void>;
}

export interface UpOptions {
  readonly stateDirectory: string;
  /** Where clients reach the node; 0 takes a free one. */
  readonly port: number;
  readonly clientId: string;
  readonly keys: Configuration['keys'];
  readonly rules: Configuration['rules'];
  readonly onConsole?: (line: string) => void;
}

/** Brings up AWS, a Nitro host and one node that serves; a second start on the same state finds its keys again. */
export async function bringUp(options: UpOptions): Promise<LocalNode> {
  const stateDirectory = resolve(options.stateDirectory);
  await makeFolder(stateDirectory);
  const program = await copyProgram();
  let world: World | undefined;
  let node: StartedNode | undefined;
  try {
    world = await openWorld({ stateDirectory });
    const site = await openSite(world, { node: 1 });
    const pcrs = await world.host.measure(program.folder);
    await prepare(site, pcrs, options);
    const started = await runNode(world, site, {
      launch: {
        program: program.folder,
        ...(options.onConsole === undefined ? {} : { onConsole: options.onConsole }),
      },
      parent: (honest) => ({ ...honest, ingress: { port: options.port } }),
    });
    node = started;
    // The node has its password now: from here on the key policy allows no other to be made.
    if (started.phase === 'serving') {
      await site.allow(pcrs);
      await writeFile(initialisedPath(site), '');
    }
    const opened = world;
    return {
      node: started,
      clientId: options.clientId,
      keys: options.keys,
      files: await writeFiles(stateDirectory, site, pcrs, world.host.rootCertificate),
      aws: await writeAwsProfiles(join(stateDirectory, 'client'), world, site),
      stop: async () => {
        await started.stop();
        await opened.close();
        await program.remove();
      },
    };
  } catch (error) {
    await node?.stop();
    await world?.close();
    await program.remove();
    throw error;
  }
}

/** Left once a node has served: until then a start that was cut off may be tried again. */
function initialisedPath(site: Site): string {
  return join(site.directory, 'initialised');
}

/** The first start is ordered by a signed configuration; later ones find it. */
async function prepare(site: Site, pcrs: ReadonlyMap<number, Uint8Array>, options: UpOptions): Promise<void> {
  await site.allow(pcrs, { initialise: !(await exists(initialisedPath(site))) });
  if (await exists(site.configurationPath)) return;
  await site.configure({
    version: 1,
    initialise: {
      id: 'first-start',
      notAfter: new Date(Date.now() + ORDER_MS).toISOString(),
      password: 'generated',
    },
    clients: [{ id: options.clientId, publicKey: site.client.publicKey }],
    keys: options.keys,
    rules: options.rules,
  });
}

async function writeFiles(
  stateDirectory: string,
  site: Site,
  pcrs: ReadonlyMap<number, Uint8Array>,
  rootCertificate: Uint8Array,
): Promise<LocalNode['files']> {
  const folder = join(stateDirectory, 'client');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = {
    clientKey: site.client.path,
    pcrs: join(folder, 'pcr.json'),
    root: join(folder, 'nitro-root.pem'),
    manifest: site.manifestPath,
  };
  const measurements = Object.fromEntries(
    [...pcrs, [16, site.manifestPcr] as const].map(([index, value]) => [
      `PCR${index}`,
      Buffer.from(value).toString('hex'),
    ]),
  );
  const pcrFile = { Measurements: { HashAlgorithm: 'Sha384 { ... }', ...measurements } };
  await writeFile(files.pcrs, `${JSON.stringify(pcrFile, null, 2)}\n`);
  await writeFile(files.root, new X509Certificate(rootCertificate).toString());
  return files;
}

/** Node's own recursive mkdir never ends below /proc, where a folder that exists takes no other. */
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
