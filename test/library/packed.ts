import { execFile, type ExecFileException } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '..', '..');
const NAME = '@holdfast-nodes/holdfast';
/** Errors by which npm has the packages neither in its cache nor from a registry. */
const NO_PACKAGES = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/;

export interface Installed {
  /** Folder of the consumer. */
  readonly folder: string;
  /** Folder of the package in it. */
  readonly installed: string;
  /** Output of npm while it installed. */
  readonly log: string;
}

interface Lock {
  readonly packages: Readonly<Record<string, Readonly<Record<string, unknown>> & { dev?: boolean }>>;
}

/**
 * Packs the project as `npm publish` would, and installs the tarball in a folder that knows nothing of it, on a machine
 * without a C compiler. Its dependencies are those of the project's own lock file, from npm's cache where they are there.
 *
 * @returns undefined where the dependencies are not to be had
 */
export async function packAndInstall(): Promise<Installed | undefined> {
  const folder = temporaryFolder();
  const packed = await run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder], {
    cwd: ROOT,
    maxBuffer: 16 * 1024 * 1024,
  });
  const { filename } = readPackResult(packed.stdout);
  await rename(join(folder, filename), join(folder, 'holdfast.tgz'));
  await writeFile(join(folder, 'package.json'), JSON.stringify(consumer('holdfast.tgz')));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(await lockFor('holdfast.tgz')));
  try {
    const { stdout, stderr } = await run(
      'npm',
      ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--foreground-scripts'],
      { cwd: folder, env: { ...process.env, CC: 'no-such-compiler' }, maxBuffer: 16 * 1024 * 1024 },
    );
    return { folder, installed: join(folder, 'node_modules', NAME), log: `${stdout}${stderr}` };
  } catch (error) {
    if (NO_PACKAGES.test(String((error as ExecFileException).stderr))) return undefined;
    throw error;
  }
}

/** Reads npm's result: a list, or since its version 11.6 an object by name; what prepack printed stands before it. */
function readPackResult(stdout: string): { filename: string } {
  const printed: unknown = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)));
  const [first] = Object.values(printed as Record<string, { filename: string }>);
  if (first === undefined) throw new Error('npm packed nothing');
  return first;
}

function consumer(tarball: string) {
  return {
    name: 'wallet-backend',
    version: '1.0.0',
    private: true,
    type: 'module',
    dependencies: { [NAME]: `file:${tarball}` },
  };
}

/** The lock file that the folder would have, with the versions of the project's own. */
async function lockFor(tarball: string) {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
  const { '': project, ...others } = lock.packages;
  const { name: _, devDependencies: __, ...own } = project ?? {};
  return {
    name: 'wallet-backend',
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': consumer(tarball),
      ...Object.fromEntries(Object.entries(others).filter(([, { dev }]) => dev !== true)),
      [`node_modules/${NAME}`]: { ...own, resolved: `file:${tarball}` },
    },
  };
}
