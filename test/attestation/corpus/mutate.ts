import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readVectors } from './files.ts';
import { isExpected, judge } from './verdict.ts';

// node test/attestation/corpus/mutate.ts
//
// Takes every rule of the verifier away, one at a time, and runs the corpus. A rule is a `throw`: where it stood, the
// verifier then goes on. Says which vectors each missing rule lets through, or changes the refusal of, and fails when
// there is a refusal in the corpus that no missing rule changes, or a rule that no vector misses.

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MUTANTS = join(ROOT, 'build', 'mutants');

const RULE_FILES = [
  'attestation/certificate.ts',
  'attestation/certificate-extensions.ts',
  'attestation/certificate-name.ts',
  'attestation/certificate-time.ts',
  'attestation/chain.ts',
  'attestation/cose-sign1.ts',
  'shared/asn1/der-reader.ts',
  'attestation/document.ts',
  'attestation/document-rules.ts',
  'attestation/pcr-file.ts',
  'attestation/preparation.ts',
  'attestation/verdict.ts',
  'shared/cbor/decode.ts',
];

/** Rules that no attestation document can break, each with the reason. */
const OUT_OF_REACH: Readonly<Record<string, string>> = {
  'attestation/pcr-file.ts: if (!(error instanceof JsonError)) throw error;':
    'no rule: an error of ours goes on its way',
  "shared/cbor/decode.ts: throw new CborError('CBOR_TOO_LARGE', `CBOR of ${bytes.length} bytes, at most ${maxBytes} are taken`, {":
    'DOCUMENT_TOO_LARGE and COSE_PAYLOAD_LENGTH come first',
  "shared/cbor/decode.ts: throw this.#error('CBOR_TRUNCATED', 'more members than the input holds', at);":
    'without it the same refusal comes where the input ends',
};

interface Rule {
  readonly file: string;
  readonly line: number;
  readonly offset: number;
  readonly text: string;
}

function findRules(file: string): Rule[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  return [...source.matchAll(/\bthrow (?=[a-zA-Z])(?!new (?:Range|Type)Error)/g)].map(({ index }) => {
    const line = source.slice(0, index).split('\n').length;
    return { file, line, offset: index, text: (source.split('\n')[line - 1] ?? '').trim() };
  });
}

/** Copies the sources with one throw turned into an expression that nobody looks at. */
function writeMutant({ file, offset }: Rule, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const part of ['attestation', 'shared'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(path, `${source.slice(0, offset)}void ${source.slice(offset + 'throw '.length)}`);
}

/**
 * Runs a mutant; returns the names of the vectors whose verdict it changes. A mutant that hangs or crashes changes a
 * verdict as well.
 */
async function runMutant(rule: Rule, number: number): Promise<Set<string>> {
  const folder = join(MUTANTS, String(number));
  writeMutant(rule, folder);
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--judge', folder], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  rmSync(folder, { recursive: true });
  const kept = new Set(output.split('\n'));
  return new Set(
    readVectors()
      .map(({ name }) => name)
      .filter((name) => !kept.has(name)),
  );
}

/** Prints, in the child, the names of the vectors that a mutant still judges as expected. */
async function judgeAll(folder: string): Promise<void> {
  const mutant = (await import(join(folder, 'attestation', 'index.ts'))) as Parameters<typeof judge>[1];
  for (const vector of readVectors()) {
    try {
      if (isExpected(judge(vector, mutant), vector.expect)) process.stdout.write(`${vector.name}\n`);
    } catch {
      // A TypeError is another verdict than the one expected.
    }
  }
}

async function main(): Promise<number> {
  const rules = RULE_FILES.flatMap(findRules);
  const refusals = readVectors().filter(({ expect }) => expect.verdict === 'refuse');
  const changedBy = new Map<string, string[]>();
  const unmissed: Rule[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let number = next++; number < rules.length; number = next++) {
      const rule = rules[number];
      if (rule === undefined) return;
      const place = `${rule.file}:${rule.line}`;
      const changed = await runMutant(rule, number);
      for (const name of changed) changedBy.set(name, [...(changedBy.get(name) ?? []), place]);
      if (changed.size === 0) unmissed.push(rule);
      process.stdout.write(`${place}: ${changed.size} vectors\n`);
    }
  };
  await Promise.all([work(), work()]);
  rmSync(MUTANTS, { recursive: true, force: true });
  const unchanged = refusals.filter(({ name }) => !changedBy.has(name));
  process.stdout.write(
    `${rules.length} rules taken away; ${refusals.length - unchanged.length} of ${refusals.length} refusals changed\n`,
  );
  for (const { name } of unchanged) process.stdout.write(`no missing rule changes ${name}\n`);
  const surprising = unmissed.filter(({ file, text }) => OUT_OF_REACH[`${file}: ${text}`] === undefined);
  for (const { file, line, text } of unmissed) {
    const reason = OUT_OF_REACH[`${file}: ${text}`];
    process.stdout.write(
      `no vector misses ${file}:${line} ${text}${reason === undefined ? '' : ` (${reason})`}\n`,
    );
  }
  return unchanged.length + surprising.length === 0 ? 0 : 1;
}

const [mode, folder] = process.argv.slice(2);
if (mode === '--judge' && folder !== undefined) await judgeAll(folder);
else process.exitCode = await main();
