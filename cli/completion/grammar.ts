import type { Command, Nouns } from '../common/command.ts';
import { optionsOf } from '../common/command-options.ts';
import { CODE_AREAS } from '../explain/codes/index.ts';

/** Kind of word that may stand at a place of the command line. */
export type WordKind = 'file' | 'folder' | 'code' | 'other';

export interface OptionGrammar {
  readonly name: string;
  readonly description: string;
  /** Value of the option; undefined for a flag. */
  readonly value?: { readonly name: string; readonly kind: WordKind };
}

export interface CommandGrammar {
  /** Noun and verb, or the one word of a noun without verbs. */
  readonly words: readonly string[];
  readonly summary: string;
  readonly positionals: string;
  /** Kind of the words that are no options. */
  readonly positionalKind: WordKind;
  readonly options: readonly OptionGrammar[];
  readonly examples: readonly string[];
}

export interface NounGrammar {
  readonly noun: string;
  readonly summary: string;
  readonly commands: readonly CommandGrammar[];
}

const FILES = new Set(['BLOB', 'DIR|FILE', 'DOC', 'FILE', 'KEY', 'NEW', 'OLD', 'PEM', 'POLICY', 'RECORD']);
const FOLDERS = new Set(['DIRECTORY', 'FOLDER']);

/** Reads the grammar of the command line from the very tables that parse it. */
export async function readGrammar(nouns: Nouns): Promise<readonly NounGrammar[]> {
  const grammar: NounGrammar[] = [];
  for (const [noun, { summary, load }] of Object.entries(nouns)) {
    const commands = mergeGroups(await load()).map((command): CommandGrammar => {
      const options = Object.entries(optionsOf(command)).map(([name, { type, value = '', description }]) => ({
        name,
        description,
        ...(type === 'string' ? { value: { name: value, kind: kindOf(value) } } : {}),
      }));
      return {
        words: command.name.split(' '),
        summary: command.summary,
        positionals: command.positionals,
        positionalKind: positionalKind(command.positionals),
        options,
        examples: command.examples,
      };
    });
    grammar.push({ noun, summary, commands });
  }
  return grammar.toSorted((a, b) => (a.noun < b.noun ? -1 : 1));
}

/**
 * Merges verbs of two words into one with the options of all: what completes a line knows a noun and one verb. The second
 * word is the first positional.
 */
function mergeGroups(commands: readonly Command[]): readonly Command[] {
  const groups = Map.groupBy(commands, ({ name }) => name.split(' ').slice(0, 2).join(' '));
  return [...groups].flatMap(([name, members]) => {
    const [first] = members;
    if (first === undefined || first.name === name) return members;
    const words = members.map((member) => member.name.slice(name.length + 1));
    const options = Object.assign({}, ...members.map((member) => member.options)) as Command['options'];
    return [
      {
        ...first,
        name,
        summary: members.map((member, index) => `${words[index]}: ${member.summary}`).join(' '),
        positionals: `${words.join('|')} ${first.positionals}`.trim(),
        options,
        examples: members.flatMap(({ examples }) => examples),
      },
    ];
  });
}

function kindOf(value: string): WordKind {
  if (FILES.has(value)) return 'file';
  return FOLDERS.has(value) ? 'folder' : 'other';
}

/** Kind of a command's positionals: a key there is the id of a key, not a file. */
function positionalKind(positionals: string): WordKind {
  const words = positionals.replaceAll(/[[\].]/g, '').split(' ');
  if (words.includes('CODE')) return 'code';
  return words.some((word) => word !== 'KEY' && FILES.has(word)) ? 'file' : 'other';
}

/** Codes that `explain` takes. */
export const allCodes = (): readonly string[] =>
  [...new Set(CODE_AREAS.flatMap(({ codes }) => Object.keys(codes)))].toSorted();
