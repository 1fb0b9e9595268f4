import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readVectors } from './files.ts';
import type { Vector } from './vector.ts';

const USAGE = `node test/attestation/corpus/run.ts [--filter TEXT] COMMAND [ARGUMENT…]

Runs a verifier over the vectors. In the arguments, {doc} {pcrs} {root} {root.der} {at} {at.seconds} stand for the
vector's files and time. The verifier accepts with exit code 0 and refuses with any other.

  node test/attestation/corpus/run.ts \\
    holdfast attestation verify {doc} --pcrs {pcrs} --root {root} --at {at} --json

A vector that needs more than that (a nonce, a maximum age, …) runs when {options} stands among the arguments: there
the options go in holdfast's own spelling. Without it such vectors are skipped and counted.`;

type WriteFile = (name: string, content: string | Uint8Array) => string;

/** The options of a vector as holdfast's command takes them. */
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

/** The command's arguments for a vector, whose files are written; undefined when they cannot say what it needs. */
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

function main(args: readonly string[]): number {
  const filter = args[0] === '--filter' ? (args[1] ?? '') : '';
  const template = args[0] === '--filter' ? args.slice(2) : args;
  if (template.length === 0) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    for (const vector of readVectors().filter(({ name }) => name.includes(filter))) {
      const [command = '', ...rest] = commandFor(vector, template, folder) ?? [];
      if (command === '') {
        counts.skipped += 1;
        continue;
      }
      const { status, stdout } = spawnSync(command, rest, { encoding: 'utf8', timeout: 60_000 });
      const verdict = status === 0 ? 'accept' : 'refuse';
      if (verdict === vector.expect.verdict) counts.passed += 1;
      else {
        counts.failed += 1;
        process.stdout.write(
          `${vector.name} (${vector.rule}: ${vector.about}): expected ${vector.expect.verdict}, got exit ${status}\n`,
        );
        process.stdout.write(`  ${stdout.split('\n', 1)[0] ?? ''}\n`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  return counts.failed === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
