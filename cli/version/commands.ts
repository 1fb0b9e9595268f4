import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { InternalError } from '../../shared/errors.ts';
import type { Command } from '../command.ts';

const versionCommand: Command = {
  name: 'version',
  summary: 'Print which Holdfast this is, and which Node runs it.',
  positionals: '',
  options: {},
  examples: ['holdfast version', 'holdfast --version', 'holdfast version --json'],
  async run() {
    const path = findPackageJSON(import.meta.url);
    if (path === undefined) throw new InternalError('the program lies outside of its package');
    const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
    const { platform, arch } = process;
    return {
      ok: true,
      text: `holdfast ${version} (Node ${process.versions.node}, ${platform}-${arch})`,
      data: { version, node: process.versions.node, platform, arch },
    };
  },
};

export const commands: readonly Command[] = [versionCommand];
