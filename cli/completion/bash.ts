import { allCodes, type CommandGrammar, type NounGrammar, type WordKind } from './grammar.ts';

/** Formats a completion for bash 4.4 or later, with nothing but bash's own builtins. */
export function formatBash(nouns: readonly NounGrammar[]): string {
  const commands = nouns.flatMap((noun) => noun.commands);
  return `# holdfast completion bash: written from the command's own tables.
_holdfast() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous= noun=\${COMP_WORDS[1]-} command options= kind= value=
  ((COMP_CWORD > 0)) && previous=\${COMP_WORDS[COMP_CWORD - 1]}
  # --option=value comes in three words.
  [[ $current != '=' ]] || current=
  [[ $previous != '=' ]] || previous=\${COMP_WORDS[COMP_CWORD - 2]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _holdfast_words '${nouns.map(({ noun }) => noun).join(' ')} --help --version'
    return
  fi
  case $noun in
${nouns.map(verbCase).join('\n')}
    *) return ;;
  esac
  case $command in
${commands.map(commandCase).join('\n')}
    *) return ;;
  esac
  case "$command $previous" in
${commands.flatMap(valueCases).join('\n')}
  esac
  if [[ -n $value ]]; then
    _holdfast_kind "$value"
  elif [[ $current == -* ]]; then
    _holdfast_words "$options"
  else
    _holdfast_kind "$kind"
  fi
}

_holdfast_words() {
  local IFS=$' \\n'
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

_holdfast_kind() {
  case $1 in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    folder) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    code) _holdfast_words '${allCodes().join(' ')}' && return ;;
    *) return ;;
  esac
  compopt -o filenames 2> /dev/null || true
}

complete -F _holdfast holdfast
`;
}

/** Case that finds the command by its words or, where the verb is still to be typed, the possible verbs. */
function verbCase({ noun, commands }: NounGrammar): string {
  if (commands.some(({ words }) => words.length === 1)) return `    ${noun}) command=${noun} ;;`;
  const verbs = commands.map(({ words: [, verb = ''] }) => verb).join(' ');
  return `    ${noun})
      if ((COMP_CWORD == 2)); then
        _holdfast_words '${verbs} --help'
        return
      fi
      command="${noun} \${COMP_WORDS[2]}"
      ;;`;
}

function commandCase({ words, options, positionalKind }: CommandGrammar): string {
  const names = options.map(({ name }) => `--${name}`).join(' ');
  return `    '${words.join(' ')}') options='${names}' kind=${positionalKind} ;;`;
}

/** Cases of the options with a value, which never completes to another option. */
function valueCases({ words, options }: CommandGrammar): string[] {
  const patterns = new Map<WordKind, string[]>();
  for (const { name, value } of options) {
    if (value === undefined) continue;
    patterns.set(value.kind, [...(patterns.get(value.kind) ?? []), `'${words.join(' ')} --${name}'`]);
  }
  return [...patterns].map(([kind, names]) => `    ${names.join(' | ')}) value=${kind} ;;`);
}
