import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Attempt, attempt, CannotStart } from './attempt.ts';
import { readVectors } from './files.ts';
import type { Vector } from './vector.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const USAGE = `node test/attestation/corpus/run.ts [--filter TEXT] COMMAND [ARGUMENT…]

Runs a verifier over the vectors. In the arguments, {doc} {pcrs} {root} {root.der} {at} {at.seconds} stand for the
vector's files and time. The verifier accepts with exit code 0 and refuses with any other but 2, 64, 126, 127 and 129 to
159, which say that it did not come to a verdict, as a signal does and 60 seconds: that fails, whatever the vector expects.

  node test/attestation/corpus/run.ts \\
    holdfast attestation verify {doc} --pcrs {pcrs} --root {root} --at {at} --json

A vector that needs more than that (a nonce, a maximum age, …) runs when {options} stands among the arguments: there
the options go in holdfast's own spelling. Without it such vectors are skipped and counted.`;

type WriteFile = (name: string, content: string | Uint8Array) => string;

/** Options of a vector as holdfast's command takes them. */
function optionArguments({ options }: Vector, file: WriteFile): string[] {
  const { maxAgeMs, maxClockSkewMs, allowDebug, kind, nonce, userData, publicKey } = options;
  return [
    ...(maxAgeMs === undefined ? [] : ['--max-age', String(maxAgeMs / 1000)]),
    ...(maxClockSkewMs === undefined ? [] : ['--clock-skew', String(maxClockSkewMs / 1000)]),
    ...(allowDebug === true ? ['--allow-debug'] : []),
    ...(kind === 'nitrotpm' ? ['--nitrotpm'] : []),
    ...(nonce === undefined ? [] : ['--nonce', nonce]),
    ...(userData === undefined ? [] : ['--user-data', userData]),
    ...(publicKey === undefined ? [] : ['--public-key', file('public-key', Buffer.from(publicKey, 'hex'))]),
  ];
}

function pem(der: string): string {
  const lines = der.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/**
 * Arguments of the command for a vector, whose files are written; undefined when they cannot say what the vector needs.
 */
function commandFor(vector: Vector, template: readonly string[], folder: string): string[] | undefined {
  const needsOptions = Object.keys(vector.options).length > 0;
  if (needsOptions && !template.includes('{options}')) return undefined;
  const file: WriteFile = (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const isOwnTime = vector.at === 'document';
  if (isOwnTime && template.includes('{at.seconds}')) return undefined;
  const values = new Map([
    ['{doc}', file('document.cbor', Buffer.from(vector.document, 'base64'))],
    ['{pcrs}', file('pcr.json', vector.pcrs)],
    ['{root}', file('root.pem', pem(vector.root))],
    ['{root.der}', file('root.der', Buffer.from(vector.root, 'base64'))],
    ['{at}', vector.at],
    ['{at.seconds}', String(Date.parse(vector.at) / 1000)],
  ]);
  return template.flatMap((argument) =>
    argument === '{options}' ? optionArguments(vector, file) : [values.get(argument) ?? argument],
  );
}

/** Vector of a document as AWS writes it: a verifier that refuses this one refuses everything, and proves nothing. */
const CONTROL = 'cose/tagged';

/** Finds the fault of the verifier at hand; undefined when it accepts what every verifier must. */
function findFault(
  vectors: readonly Vector[],
  template: readonly string[],
  folder: string,
): string | undefined {
  const control = vectors.find(({ name }) => name === CONTROL);
  const [command, ...args] = (control && commandFor(control, template, folder)) ?? [];
  if (command === undefined) return undefined;
  const result = attempt(command, args);
  if (result.verdict === 'accept') return undefined;
  const how = result.verdict === 'none' ? `gives no verdict on (${result.reason})` : 'refuses';
  return `the verifier ${how} ${CONTROL}, which is as AWS writes documents: it would pass every other refusal\n  ${result.said}`;
}

/** Describes what is wrong about one result; undefined when it is the expected one. */
function judge(vector: Vector, result: Attempt): string | undefined {
  const { name, rule, about, expect } = vector;
  if (result.verdict === expect.verdict) return undefined;
  const got = result.verdict === 'none' ? `no verdict (${result.reason})` : result.verdict;
  return `${name} (${rule}: ${about}): expected ${expect.verdict}, got ${got}\n  ${result.said}`;
}

function runAll(filter: string, template: readonly string[], folder: string): boolean {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const vectors = readVectors();
  const fault = findFault(vectors, template, folder);
  if (fault !== undefined) {
    process.stdout.write(`${fault}\n`);
    return false;
  }
  for (const vector of vectors.filter(({ name }) => name.includes(filter))) {
    const [command, ...args] = commandFor(vector, template, folder) ?? [];
    if (command === undefined) {
      counts.skipped += 1;
      continue;
    }
    const problem = judge(vector, attempt(command, args));
    counts[problem === undefined ? 'passed' : 'failed'] += 1;
    if (problem !== undefined) process.stdout.write(`${problem}\n`);
  }
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  if (counts.passed + counts.failed > 0) return counts.failed === 0;
  process.stdout.write('no vector was run\n');
  return false;
}

function main(args: readonly string[]): number {
  const filter = args[0] === '--filter' ? (args[1] ?? '') : '';
  const template = args[0] === '--filter' ? args.slice(2) : args;
  if (template.length === 0) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const folder = temporaryFolder();
  try {
    return runAll(filter, template, folder) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    process.stderr.write(`the verifier cannot be started: ${error.message}\n`);
    return 2;
  }
}

process.exitCode = main(process.argv.slice(2));
