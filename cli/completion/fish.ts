import { allCodes, type CommandGrammar, type NounGrammar, type WordKind } from './grammar.ts';

/** Formats a completion for fish 3 or later. */
export function formatFish(nouns: readonly NounGrammar[]): string {
  return `# holdfast completion fish: written from the command's own tables.
function __holdfast_at --description 'whether the words so far are these'
    set -l words (commandline -opc)
    set -e words[1]
    test (count $words) -ge (count $argv); or return 1
    for index in (seq (count $argv))
        test $words[$index] = $argv[$index]; or return 1
    end
end

function __holdfast_next --description 'whether the next word comes right after these'
    test (count (commandline -opc)) -eq (math (count $argv) + 1); and __holdfast_at $argv
end

complete -c holdfast -f
${nouns.map((noun) => formatNoun(noun)).join('\n')}
`;
}

function formatNoun({ noun, summary, commands }: NounGrammar): string {
  const verbs = commands.flatMap(({ words: [, verb], summary: about }) =>
    verb === undefined
      ? []
      : [`complete -c holdfast -n '__holdfast_next ${noun}' -a ${verb} -d ${quote(about)}`],
  );
  const first = `complete -c holdfast -n 'test (count (commandline -opc)) -eq 1' -a ${noun} -d ${quote(summary)}`;
  return [first, ...verbs, ...commands.flatMap(formatCommand)].join('\n');
}

function formatCommand({ words, options, positionalKind }: CommandGrammar): string[] {
  const place = `complete -c holdfast -n '__holdfast_at ${words.join(' ')}'`;
  const own = wordsOf(positionalKind);
  return [
    ...(own === '' ? [] : [`${place} ${own}`]),
    ...options.map(({ name, description, value }) =>
      [
        place,
        `-l ${name}`,
        ...(value === undefined ? [] : [`-x ${wordsOf(value.kind)}`.trim()]),
        `-d ${quote(description)}`,
      ].join(' '),
    ),
  ];
}

function wordsOf(kind: WordKind): string {
  switch (kind) {
    case 'file':
      return "-a '(__fish_complete_path (commandline -ct))'";
    case 'folder':
      return "-a '(__fish_complete_directories (commandline -ct))'";
    case 'code':
      return `-a '${allCodes().join(' ')}'`;
    case 'other':
      return '';
    default:
      throw new RangeError('expected a known kind of word');
  }
}

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
