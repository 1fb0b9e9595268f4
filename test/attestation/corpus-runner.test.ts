import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

const RUNNER = join(import.meta.dirname, 'corpus/run.ts');
const HOLDFAST = join(import.meta.dirname, '../../cli/holdfast.js');
/** Two that must be refused, quickly. */
const REFUSALS = 'cose/algorithm-es';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
});

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUNNER, ...args], { encoding: 'utf8' });
  return { exit: status, said: `${stdout}${stderr}` };
}

/** A verifier that accepts the document that every verifier must, and does something else with the others. */
function verifierThat(otherwise: string): string {
  const path = join(folder, `verifier-${otherwise.replaceAll(/\W/g, '-')}`);
  const control = 'cmp -s "$1" "$2"';
  writeFileSync(path, `#!/bin/sh\n${control} && exit 0\n${otherwise}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('the runner of the vectors', () => {
  it('passes a verifier that decides as expected', () => {
    const template = [
      'attestation',
      'verify',
      '{doc}',
      '--pcrs',
      '{pcrs}',
      '--root',
      '{root}',
      '--at',
      '{at}',
    ];
    const { exit, said } = run('--filter', REFUSALS, process.execPath, HOLDFAST, ...template);
    expect(said).toMatch(/^2 passed, 0 failed, 0 skipped$/m);
    expect(exit).toBe(0);
  });

  it.each([
    ['is not there', ['/nonexistent/verifier', '{doc}'], /cannot be started/],
    ['may not be run', [RUNNER, '{doc}'], /cannot be started/],
    ['is not there, behind a shell', ['sh', '-c', 'no-such-verifier "$1"', 'sh', '{doc}'], /exit 127/],
    ['refuses everything', ['false', '{doc}'], /it would pass every other refusal/],
    [
      'does not take these arguments',
      [process.execPath, HOLDFAST, 'attestation', 'verify', '{doc}'],
      /exit 2/,
    ],
    ['is killed', ['sh', '-c', 'kill -9 $$', '{doc}'], /SIGKILL/],
  ])('fails for a verifier that %s', (_, template, message) => {
    const { exit, said } = run('--filter', REFUSALS, ...template);
    expect(said).toMatch(message);
    expect(said).not.toContain('2 passed');
    expect(exit).not.toBe(0);
  });

  it.each([
    ['a usage error', 'exit 2', /no verdict \(exit 2/],
    ['a signal', 'kill -SEGV $$', /no verdict \(ended by SIGSEGV\)/],
    ['exit 126', 'exit 126', /no verdict \(exit 126/],
    ['EX_USAGE', 'exit 64', /no verdict \(exit 64/],
    ['a signal, as a shell tells it', 'exit 139', /no verdict \(exit 139: ended by signal 11/],
  ])('takes %s for no refusal, on any vector', (_, otherwise, message) => {
    const control = join(folder, 'control.cbor');
    const copy = run('--filter', 'cose/tagged', 'sh', '-c', `cp "$1" ${control}`, 'sh', '{doc}');
    expect(copy.exit).toBe(0);
    const { exit, said } = run('--filter', REFUSALS, verifierThat(otherwise), '{doc}', control);
    expect(said).toMatch(message);
    expect(said).toMatch(/^0 passed, 2 failed/m);
    expect(exit).toBe(1);
  });

  it('fails when no vector was run', () => {
    expect(run('--filter', 'no/such/vector', 'true', '{doc}')).toMatchObject({
      exit: 1,
      said: expect.stringContaining('no vector'),
    });
  });
});
