import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseDescription } from '../../../admin/canton/index.ts';
import { makeObjects } from '../../admin/canton/cluster.ts';
import { makeAwsValidator, makeCantonDescription } from '../../admin/canton/sample-description.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';

let folder: string;
let file: string;
const at = (name: string) => join(folder, name);
function save(name: string, value: unknown): string {
  writeFileSync(at(name), JSON.stringify(value));
  return at(name);
}

beforeEach(() => {
  folder = temporaryFolder();
  file = save('canton.yaml', makeCantonDescription());
});

const saveObjects = (description: unknown) =>
  save('objects.json', makeObjects(parseDescription(Buffer.from(JSON.stringify(description)))));

describe('holdfast canton render', () => {
  it('writes a new folder, and leaves one alone that is there', async () => {
    const render = () => runHoldfast(['canton', 'render', file, '--output', at('out'), '--json']);
    const first = await render();
    expect(JSON.parse(first.out)).toMatchObject({ ok: true, kms: ['alpha', 'beta'] });
    expect(readdirSync(at('out')).toSorted()).toEqual(['alpha', 'beta', 'gamma']);
    expect(refusalIn(await render())).toMatchObject({ exit: 1, code: 'OUTPUT_EXISTS' });
    mkdirSync(at('empty'));
    const empty = await runHoldfast(['canton', 'render', file, '--output', at('empty'), '--json']);
    expect(refusalIn(empty).code).toBe('OUTPUT_EXISTS');
  });

  it('writes nothing at all where one validator has no ServiceAccount', async () => {
    const bare = { ...makeAwsValidator(), name: 'bare', namespace: 'bare', serviceAccount: undefined };
    const description = makeCantonDescription();
    const wrong = save('wrong.yaml', { ...description, validators: [...description.validators, bare] });
    const finished = await runHoldfast(['canton', 'render', wrong, '--output', at('out'), '--json']);
    expect(refusalIn(finished)).toMatchObject({
      exit: 1,
      code: 'CANTON_SERVICE_ACCOUNT_MISSING',
      details: { validators: ['bare'] },
    });
    expect(existsSync(at('out'))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });
});

describe('holdfast canton check', () => {
  it('exits by the severity that it is told', async () => {
    const objects = saveObjects(makeCantonDescription());
    const check = (...more: string[]) =>
      runHoldfast(['canton', 'check', file, '--objects', objects, ...more]);
    expect((await check()).exit).toBe(0);
    expect((await check('--fail-on', 'note')).exit).toBe(1);
    expect((await check('--fail-on', 'nothing')).exit).toBe(2);
    expect((await check('--policy', 'alpha')).exit).toBe(2);
  });

  it('reports findings as text and as JSON, with a place and what to do', async () => {
    const objects = save('none.json', { kind: 'List', items: [] });
    const args = ['canton', 'check', file, '--objects', objects];
    const { exit, err } = await runHoldfast(args);
    expect([exit, err]).toEqual([
      1,
      expect.stringContaining('WORKLOAD_ABSENT (alpha, Deployment/participant)'),
    ]);
    const { out } = await runHoldfast([...args, '--json']);
    expect(JSON.parse(out)).toMatchObject({ ok: false, errors: 3, warnings: 0 });
  });

  it('takes several files as one cluster', async () => {
    const { items } = makeObjects(parseDescription(Buffer.from(JSON.stringify(makeCantonDescription()))));
    const files = items.map((item, index) => save(`object-${index}.json`, item));
    const { exit } = await runHoldfast([
      'canton',
      'check',
      file,
      ...files.flatMap((path) => ['--objects', path]),
    ]);
    expect(exit).toBe(0);
  });
});

describe('holdfast canton plan', () => {
  it('counts what is left, and takes the cluster into account', async () => {
    const objects = saveObjects(makeCantonDescription());
    const { exit, out } = await runHoldfast(['canton', 'plan', file, '--objects', objects, '--json']);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, left: 2, environment: 'sample' });
    expect((await runHoldfast(['canton', 'plan', file])).out).toContain('worked if');
  });
});

it('takes the description that docs/canton.md shows', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/canton.md'), 'utf8');
  const [, indented = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const { validators } = parseDescription(Buffer.from(indented.replaceAll(/^ {3}/gm, '')));
  expect(validators.map(({ name, kms }) => [name, kms])).toEqual([
    ['alpha', true],
    ['beta', true],
    ['gamma', false],
  ]);
});
