import type { Command, Nouns } from '../common/command.ts';
import { readVersion } from '../version/commands.ts';
import { formatBash } from './bash.ts';
import { formatFish } from './fish.ts';
import { type NounGrammar, readGrammar } from './grammar.ts';
import { formatManPage } from './man-page.ts';
import { formatZsh } from './zsh.ts';

function scriptFor(
  shell: string,
  where: string,
  nouns: Nouns,
  format: (grammar: readonly NounGrammar[]) => string,
): Command {
  return {
    name: `completion ${shell}`,
    summary: `Print a script by which ${shell} completes nouns, verbs, options and files of this command.`,
    positionals: '',
    options: {},
    examples: [where],
    async run() {
      const script = format(await readGrammar(nouns));
      return { ok: true, text: script, data: { shell, script } };
    },
  };
}

/** Makes the commands that print a completion script for a shell, of all these nouns. */
export function createCompletionCommands(nouns: Nouns): readonly Command[] {
  return [
    scriptFor('bash', 'source <(holdfast completion bash)', nouns, formatBash),
    scriptFor('zsh', 'holdfast completion zsh > "${fpath[1]}/_holdfast"', nouns, formatZsh),
    scriptFor(
      'fish',
      'holdfast completion fish > ~/.config/fish/completions/holdfast.fish',
      nouns,
      formatFish,
    ),
  ];
}

/** Makes the command that prints the manual of all these nouns. */
export function createManCommands(nouns: Nouns): readonly Command[] {
  return [
    {
      name: 'man',
      summary: 'Print the manual of this command, for man(1) to format.',
      positionals: '',
      options: {},
      examples: ['holdfast man | man -l -'],
      async run() {
        const page = formatManPage(await readGrammar(nouns), await readVersion());
        return { ok: true, text: page, data: { page } };
      },
    },
  ];
}
