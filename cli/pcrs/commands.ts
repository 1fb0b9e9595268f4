import { comparePcrs, explainDifferences } from '../../attestation/index.ts';
import type { Command } from '../common/command.ts';
import { readPcrFile } from '../common/trust-files.ts';

const diffCommand: Command = {
  name: 'pcrs diff',
  summary: 'Say in words what changed from one pcr.json to another.',
  positionals: 'OLD NEW',
  options: {
    'allow-debug': { type: 'boolean', description: 'take PCR0, PCR1 and PCR2 that are zero' },
    nitrotpm: { type: 'boolean', description: 'files of a NitroTPM, which may name any PCRs' },
  },
  examples: ['holdfast pcrs diff pcr-1.0.json pcr-1.1.json'],
  async run({ positionals, flag, io }) {
    const options = {
      allowDebug: flag('allow-debug'),
      kind: flag('nitrotpm') ? 'nitrotpm' : 'enclave',
    } as const;
    const [before, after] = [
      await readPcrFile(positionals[0] ?? '', io, options),
      await readPcrFile(positionals[1] ?? '', io, options),
    ];
    const differences = comparePcrs(before, after);
    const sentences = explainDifferences(differences, options.kind);
    const lines = differences.flatMap(({ index, before: old, after: now }) => [
      `  PCR${index}`,
      `    old ${old ?? 'not named'}`,
      `    new ${now ?? 'not named'}`,
    ]);
    const text =
      differences.length === 0 ? 'The measurements are the same.' : [...sentences, ...lines].join('\n');
    return { ok: true, text, data: { same: differences.length === 0, changes: sentences, differences } };
  },
};

export const pcrsCommands: readonly Command[] = [diffCommand];
