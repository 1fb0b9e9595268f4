import type { Command } from '../command.ts';
import { readVersion } from '../version/commands.ts';
import { formatBash } from './bash.ts';
import { formatFish } from './fish.ts';
import { type NounGrammar, readGrammar } from './grammar.ts';
import { formatManPage } from './man-page.ts';
import { formatZsh } from './zsh.ts';

async function grammarOfAll(): Promise<readonly NounGrammar[]> {
  // The table of nouns holds these commands too, so that it is loaded late.
  const { nouns } = await import('../nouns.ts');
  return await readGrammar(nouns);
}

function scriptFor(shell: string, where: string, format: (nouns: readonly NounGrammar[]) => string): Command {
  return {
    name: `completion ${shell}`,
    summary: `Print a script by which ${shell} completes nouns, verbs, options and files of this command.`,
    positionals: '',
    options: {},
    examples: [where],
    async run() {
      const script = format(await grammarOfAll());
      return { ok: true, text: script, data: { shell, script } };
    },
  };
}

export const completionCommands: readonly Command[] = [
  scriptFor('bash', 'source <(holdfast completion bash)', formatBash),
  scriptFor('zsh', 'holdfast completion zsh > "${fpath[1]}/_holdfast"', formatZsh),
  scriptFor('fish', 'holdfast completion fish > ~/.config/fish/completions/holdfast.fish', formatFish),
];

const manCommand: Command = {
  name: 'man',
  summary: 'Print the manual of this command, for man(1) to format.',
  positionals: '',
  options: {},
  examples: ['holdfast man | man -l -'],
  async run() {
    const page = formatManPage(await grammarOfAll(), await readVersion());
    return { ok: true, text: page, data: { page } };
  },
};

export const manCommands: readonly Command[] = [manCommand];
