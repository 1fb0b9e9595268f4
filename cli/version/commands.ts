import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { InternalError } from '../../shared/errors.ts';
import type { Command } from '../common/command.ts';

const versionCommand: Command = {
  name: 'version',
  summary: 'Print which Holdfast this is, and which Node runs it.',
  positionals: '',
  options: {},
  examples: ['holdfast version', 'holdfast --version', 'holdfast version --json'],
  async run() {
    const version = await readVersion();
    const { platform, arch } = process;
    return {
      ok: true,
      text: `holdfast ${version} (Node ${process.versions.node}, ${platform}-${arch})`,
      data: { version, node: process.versions.node, platform, arch },
    };
  },
};

export const commands: readonly Command[] = [versionCommand];

/** Reads the version of package.json. */
export async function readVersion(): Promise<string> {
  const path = findPackageJSON(import.meta.url);
  if (path === undefined) throw new InternalError('expected a package.json above the program');
  return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version;
}
