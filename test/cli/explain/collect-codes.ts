import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
const SOURCES = [
  'shared',
  'attestation',
  'policy',
  'audit',
  'admin',
  'deploy',
  'enclave',
  'parent',
  'client',
  'local',
  'cli',
].map((folder) => `${folder}/**/*.ts`);
/** The explanations prove nothing, and the stand-ins of AWS speak AWS's words. */
const NOT_SOURCES = ['cli/explain/codes/**', 'local/kms/**', 'shared/kms/**', 'local/secrets-manager/**'];
const CODE = /'([A-Z][A-Z0-9_]+)'/g;
/** Codes of the system: `code: 'EPIPE'` is no code of ours. */
const ERRNO = /^E[A-Z0-9]+$/;
/** nitro-cli's own codes with a word before them: `holdfast explain` knows them by their form. */
const NITRO_CLI = /^NITRO_E\d\d$/;
/** Declarations of codes: a union, a list, or a schema; then expressions that throw, return or report one. */
const DECLARED = [
  /\btype (\w*(?:Code|Reason|Refusal)) =([^;]*);/g,
  /\b(\w*CODES)(?:: [^=]*)? = (?:new Set\()?([[{][^\]}]*[\]}])/g,
  /\b(\w*CodeSchema) = z\.enum\((\[[^\]]*\])/g,
];
const USED = [
  /()\bnew \w*(?:Error|Refusal)\(\s*('[A-Z0-9_]+')/g,
  /()\bcode: ('[A-Z0-9_]+')/g,
  /()(?:\?\?|\bonAttempt\()\s*('[A-Z]+_[A-Z0-9_]+')/g,
  /()\b(?:fail|warn|refuse|refusal|deny)\(\s*('[A-Z0-9_]+')/g,
];
/** `CONTROL_${ControlErrorCode}`: the codes of another union with a word before them. */
const PREFIXED = /`([A-Z]+_)\$\{(\w+)\}`/g;

/** Codes of the enclave's init, which is C. */
const INIT = /"(INIT_[A-Z_]+)"/g;

/** Collects every code that a person can meet, with the files that declare or use it. */
export function collectCodes(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const unions = new Map<string, string[]>();
  const prefixed: { prefix: string; union: string; file: string }[] = [];
  const add = (code: string, file: string) => {
    const files = found.get(code) ?? [];
    if (!files.includes(file)) found.set(code, [...files, file]);
  };
  for (const file of globSync(SOURCES, { cwd: ROOT, exclude: NOT_SOURCES }).toSorted()) {
    const source = withoutComments(readFileSync(join(ROOT, file), 'utf8'));
    for (const pattern of [...DECLARED, ...USED]) {
      for (const [, name = '', text = ''] of source.matchAll(pattern)) {
        const codes = [...text.matchAll(CODE)]
          .map(([, code = '']) => code)
          .filter((code) => !ERRNO.test(code) && !NITRO_CLI.test(code));
        for (const code of codes) add(code, file);
        if (name !== '' && codes.length > 0)
          unions.set(
            name.replace(/^./, (letter) => letter.toUpperCase()),
            codes,
          );
        for (const [, prefix = '', union = ''] of text.matchAll(PREFIXED))
          prefixed.push({ prefix, union, file });
      }
    }
  }
  for (const file of globSync('shared/native/**/*.c', { cwd: ROOT }).toSorted()) {
    for (const [, code = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(INIT)) add(code, file);
  }
  for (const { prefix, union, file } of prefixed) {
    const codes = unions.get(union) ?? unions.get(`${union}Schema`) ?? [];
    if (codes.length === 0) throw new Error(`${file}: ${prefix}\${${union}} leads to no codes`);
    for (const code of codes) add(`${prefix}${code}`, file);
  }
  return found;
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}
