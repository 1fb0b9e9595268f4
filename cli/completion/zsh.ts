import { allCodes, type CommandGrammar, type NounGrammar, type WordKind } from './grammar.ts';

/**
 * Formats a completion for zsh: a function that compinit finds by its first line, or that is sourced after compinit.
 */
export function formatZsh(nouns: readonly NounGrammar[]): string {
  return `#compdef holdfast
# holdfast completion zsh: written from the command's own tables.
_holdfast() {
  local -a nouns verbs arguments
  nouns=(
${nouns.map(({ noun, summary }) => `    ${quote(`${noun}:${summary}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe noun nouns
    return
  fi
  local words_of_command=1
  case $words[2] in
${nouns.map(nounCase).join('\n')}
    *) return 1 ;;
  esac
  shift $words_of_command words
  (( CURRENT -= words_of_command ))
  _arguments -S $arguments
}

_holdfast_codes() {
  compadd -- ${allCodes().join(' ')}
}

if [[ $funcstack[1] == _holdfast ]]; then
  _holdfast "$@"
else
  compdef _holdfast holdfast
fi
`;
}

function nounCase({ noun, commands }: NounGrammar): string {
  const [own] = commands.filter(({ words }) => words.length === 1);
  if (own !== undefined) return `    ${noun})\n${argumentsOf(own, '      ')}\n      ;;`;
  const verbs = commands.map(({ words: [, verb = ''], summary }) => quote(`${verb}:${summary}`));
  return `    ${noun})
      verbs=(
${verbs.map((verb) => `        ${verb}`).join('\n')}
      )
      if (( CURRENT == 3 )); then
        _describe verb verbs
        return
      fi
      words_of_command=2
      case $words[3] in
${commands.map((command) => `        ${command.words[1]})\n${argumentsOf(command, '          ')}\n          ;;`).join('\n')}
        *) return 1 ;;
      esac
      ;;`;
}

function argumentsOf({ options, positionalKind }: CommandGrammar, indent: string): string {
  const specs = options.map(({ name, description, value }) =>
    // A star lets an option be given several times; the command itself refuses where it may not.
    quote(
      `*--${name}[${plain(description)}]${value === undefined ? '' : `:${plain(value.name)}:${actionOf(value.kind)}`}`,
    ),
  );
  const words = quote(`*:word:${actionOf(positionalKind)}`);
  return `${indent}arguments=(\n${[...specs, words].map((spec) => `${indent}  ${spec}`).join('\n')}\n${indent})`;
}

function actionOf(kind: WordKind): string {
  return { file: '_files', folder: '_files -/', code: '_holdfast_codes', other: ' ' }[kind];
}

/** Escapes brackets and colons, which have a meaning in a specification. */
const plain = (text: string): string => text.replaceAll(/[[\]:\\]/g, (character) => `\\${character}`);

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
