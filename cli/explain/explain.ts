import { type Command, type Outcome } from '../command.ts';
import { printable } from '../common/printable.ts';
import { CODE_AREAS, type CodeArea } from './codes/index.ts';
import { nearest } from './nearest.ts';

/** What one origin means by a code. */
export interface CodeMeaning {
  readonly area: string;
  readonly who: string;
  readonly meaning: string;
  readonly next: string;
}

const NITRO_CLI_CODE = /^(?:NITRO_)?(E\d\d)$/;

/** Every meaning of a code: some have two, in a request and in a policy for example. */
export function explainCode(code: string): readonly CodeMeaning[] {
  const nitro = NITRO_CLI_CODE.exec(code)?.[1];
  if (nitro !== undefined) return [explainNitroCli(nitro)];
  return CODE_AREAS.flatMap((area) => meaningIn(area, code));
}

function meaningIn({ title, who, next: usual, codes }: CodeArea, code: string): CodeMeaning[] {
  const found = Object.hasOwn(codes, code) ? codes[code] : undefined;
  if (found === undefined) return [];
  const [meaning, next = usual] = typeof found === 'string' ? [found] : found;
  return [{ area: title, who, meaning, next }];
}

function explainNitroCli(code: string): CodeMeaning {
  return {
    area: 'nitro-cli',
    who: "AWS's nitro-cli, called by the parent",
    meaning: `nitro-cli's own error ${code}: it did not start or describe the enclave`,
    next: `"nitro-cli explain --error-code ${code}" on that host, and "holdfast doctor".`,
  };
}

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
