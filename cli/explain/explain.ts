import { type Command, type Outcome } from '../common/command.ts';
import { printable } from '../common/printable.ts';
import { CODE_AREAS } from './codes/index.ts';
import { type CodeMeaning, explainCode } from './explain-code.ts';
import { nearest } from './nearest.ts';

const explainCommand: Command = {
  name: 'explain',
  summary: 'Say what a code means, who reports it, and what to do next.',
  positionals: 'CODE',
  options: {},
  examples: ['holdfast explain PCR_MISMATCH', 'holdfast explain POLICY_DENIED --json'],
  run: ({ positionals: [word = ''] }) => Promise.resolve(explain(word)),
};

export const commands: readonly Command[] = [explainCommand];

function explain(word: string): Outcome {
  const code = word.toUpperCase().replaceAll('-', '_');
  const meanings = explainCode(code);
  if (meanings.length > 0) {
    return { ok: true, text: [code, ...meanings.map(asText)].join('\n'), data: { code, meanings } };
  }
  const known = CODE_AREAS.flatMap(({ codes }) => Object.keys(codes));
  const near = nearest(code, new Set(known));
  const hint = near.length === 0 ? 'docs/codes.md lists them all' : `perhaps ${near.join(', ')}`;
  const error = { code: 'CODE_UNKNOWN', message: 'no such code', details: { code: word, near } };
  return {
    ok: false,
    text: `refused CODE_UNKNOWN: there is no code ${printable(word)}; ${hint}`,
    data: { error },
  };
}

function asText({ who, meaning, next }: CodeMeaning): string {
  return [`  means  ${meaning}`, `  from   ${who.replaceAll('`', '')}`, `  next   ${next}`].join('\n');
}
