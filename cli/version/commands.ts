import { readFile } from 'node:fs/promises';
import type { Command } from '../command.ts';

const versionCommand: Command = {
  name: 'version',
  summary: 'Print which Holdfast this is, and which Node runs it.',
  positionals: '',
  options: {},
  examples: ['holdfast version', 'holdfast --version', 'holdfast version --json'],
  async run() {
    const { version } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as {
      version: string;
    };
    const { platform, arch } = process;
    return {
      ok: true,
      text: `holdfast ${version} (Node ${process.versions.node}, ${platform}-${arch})`,
      data: { version, node: process.versions.node, platform, arch },
    };
  },
};

export const commands: readonly Command[] = [versionCommand];
