import type { CommandGrammar, NounGrammar } from './grammar.ts';

/** Formats the manual, holdfast(1), in the macros of man(7). @param version as package.json has it */
export function formatManPage(nouns: readonly NounGrammar[], version: string): string {
  return [
    `.TH HOLDFAST 1 "" "holdfast ${escape(version)}" "Holdfast"`,
    '.SH NAME',
    'holdfast \\- policy nodes inside AWS Nitro Enclaves, and the tools to verify them',
    '.SH SYNOPSIS',
    '.B holdfast',
    '.I NOUN VERB',
    '.RI [ OPTIONS ]',
    '.SH DESCRIPTION',
    paragraph(
      'Each command is a noun and a verb, or a noun alone. Words that begin with two dashes are options, in any order.',
    ),
    ...nouns.flatMap(formatNoun),
    '.SH EXIT STATUS',
    ...item('0', 'Done, or verified.'),
    ...item('1', 'Refused or failed, with a code: "holdfast explain CODE" says what it means.'),
    ...item('2', 'The words do not fit, or a file that they name cannot be read.'),
    '.SH ENVIRONMENT',
    ...item('HOLDFAST_PROFILE', 'The file that is read in place of holdfast.yaml; "none" for no file.'),
    ...item(
      'HOLDFAST_URL, HOLDFAST_ROOT, ...',
      '"holdfast profile show" lists what may be set, and what is.',
    ),
    '.SH FILES',
    ...item('holdfast.yaml', 'What is not typed, in the folder where the command is called.'),
    ...item('/etc/holdfast/parent.yaml', 'The configuration of the host side.'),
    '',
  ].join('\n');
}

function formatNoun({ noun, summary, commands }: NounGrammar): string[] {
  return [
    `.SH ${escape(noun.toUpperCase())}`,
    paragraph(`${capitalised(summary)}.`),
    ...commands.flatMap(formatCommand),
  ];
}

function formatCommand({ words, positionals, summary, options, examples }: CommandGrammar): string[] {
  return [
    `.SS "holdfast ${escape([...words, positionals].join(' ').trim())}"`,
    paragraph(summary),
    ...options.flatMap(({ name, value, description }) =>
      item(`--${name}${value === undefined ? '' : ` ${value.name}`}`, `${capitalised(description)}.`),
    ),
    '.PP',
    'Examples:',
    '.PP',
    '.nf',
    '.RS 4',
    ...examples.map(line),
    '.RE',
    '.fi',
  ];
}

const item = (term: string, text: string): string[] => ['.TP', `.B ${escape(term)}`, line(text)];

const paragraph = (text: string): string => `.PP\n${line(text)}`;

/** Formats a word of the language, as opposed to a file's name. */
const capitalised = (text: string): string =>
  text.replace(/^[a-z](?=[a-z]*[ ,;:'])/, (letter) => letter.toUpperCase()).replace(/\.$/, '');

/** Formats a line of text, which never begins like a request: "." and "'" in front are shielded. */
const line = (text: string): string => escape(text).replace(/^(?=[.'])/, '\\&');

/**
 * Escapes text for roff: backslashes and dashes have a meaning there; what is not ASCII is written by its code point.
 */
function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(
      /[^\x20-\x7e]/gu,
      (character) => `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    );
}
