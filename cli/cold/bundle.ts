import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ColdError } from '../../shared/cold/index.ts';
import { type Command, UsageError } from '../common/command.ts';
import { assertWritable } from '../common/output-file.ts';

const BUILDER = fileURLToPath(new URL('../../scripts/build-cold.ts', import.meta.url));

export const bundle: Command = {
  name: 'cold bundle',
  summary: 'Make the archive that is carried to a cold machine: Node, the program, and nothing else.',
  positionals: '',
  options: {
    output: { type: 'string', value: 'FILE', required: true, description: 'the archive, .tar' },
  },
  examples: ['holdfast cold bundle --output holdfast-cold.tar'],
  run: async ({ text, io }) => {
    const output = text('output') ?? '';
    // Whoever carries it unpacks it by its name.
    if (!output.endsWith('.tar')) throw new UsageError('--output is an archive: its name ends with .tar');
    await assertWritable(output);
    if (!existsSync(BUILDER)) {
      throw new ColdError(
        'COLD_BUNDLE_WITHOUT_SOURCE',
        'the archive is built from a working copy of the project, and this is an installed package',
      );
    }
    const child = spawn(process.execPath, [BUILDER, output], {
      stdio: ['ignore', 'pipe', 'inherit'],
      signal: io.signal,
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new ColdError('COLD_BUNDLE_FAILED', 'the archive was not built', { exit: code });
    const built = JSON.parse(printed) as { sha256: string; bytes: number; compiler: string };
    return {
      ok: true,
      text: [
        `${output}: ${built.bytes} bytes`,
        `  SHA-256   ${built.sha256}`,
        `  compiler  ${built.compiler}`,
        '  next: build it on a second machine with the same compiler and compare, carry it over, and there: tar -xf, ./holdfast-cold/holdfast cold init',
      ].join('\n'),
      data: { output, ...built },
    };
  },
};
