import { CODE_AREAS, type CodeArea } from './codes/index.ts';

/** Meaning of a code in one area. */
export interface CodeMeaning {
  readonly area: string;
  readonly who: string;
  readonly meaning: string;
  readonly next: string;
}

const NITRO_CLI_CODE = /^(?:NITRO_)?(E\d\d)$/;

/** Finds every meaning of a code: some have two, in a request and in a policy for example. */
export function explainCode(code: string): readonly CodeMeaning[] {
  const nitro = NITRO_CLI_CODE.exec(code)?.[1];
  if (nitro !== undefined) return [explainNitroCli(nitro)];
  return CODE_AREAS.flatMap((area) => meaningIn(area, code));
}

/** Says what to do next about a code. */
export function nextStep(code: string): string {
  const [meaning, ...others] = explainCode(code);
  // A code with two meanings, in a request and in a policy for example, is left to the reader, who knows which.
  if (meaning === undefined || others.length > 0) return `"holdfast explain ${code}" says more.`;
  return meaning.next;
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
