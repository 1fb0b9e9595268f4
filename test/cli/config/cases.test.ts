import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { makeFolder, makeKey } from '../node-files.ts';

const page = readFileSync(new URL('../../../docs/config-tools.md', import.meta.url), 'utf8');
const blockOf = (language: string) =>
  new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, 's').exec(page)?.[1] ?? '';
const CONFIGURATION = blockOf('json');
const CASES = blockOf('yaml');

function write(cases: string, configuration = CONFIGURATION) {
  const folder = makeFolder();
  return {
    folder,
    configuration: folder.write('configuration.json', configuration),
    cases: folder.write('cases.yaml', cases),
  };
}
const run = (cases: string, configuration = CONFIGURATION, ...args: string[]) => {
  const files = write(cases, configuration);
  return runHoldfast(['config', 'test', files.configuration, '--cases', files.cases, ...args]);
};

describe('holdfast config test', () => {
  it('takes the example of its page', async () => {
    const { exit, out } = await run(CASES);
    expect(out).toContain('6 cases, 0 differ');
    expect(exit).toBe(0);
  });

  it('exits 1 with the rows that differ', async () => {
    const other = CONFIGURATION.replace('"max": "3000000000000000000"', '"max": "4000000000000000000"');
    expect(other).not.toBe(CONFIGURATION);
    const { exit, out } = await run(CASES, other, '--json');
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      cases: 6,
      differing: [{ row: 4, name: 'nothing is left of the 3 ether a day', at: '2026-12-02T13:00:00.000Z' }],
    });
    expect((await run(CASES, other)).err).toContain('expected denied, found permitted');
  });

  it('reads public keys from a file, and asks for them', async () => {
    const unpinned = CONFIGURATION.replace(/"publicKey": "0279[0-9a-f]*",/, '');
    expect(refusalIn(await run(CASES, unpinned, '--json'))).toMatchObject({ code: 'PUBLIC_KEY_UNKNOWN' });
    const publicKey = /"(0279[0-9a-f]*)"/.exec(CONFIGURATION)?.[1];
    const keys = makeFolder().write(
      'keys.json',
      JSON.stringify({ keys: [{ id: 'ethereum-hot', publicKey }] }),
    );
    expect((await run(CASES, unpinned, '--keys', keys)).exit).toBe(0);
  });

  it.each([
    ['CASES_FILE_MALFORMED', 'a: [', []],
    ['CASES_FILE_MALFORMED', 'a: &a 1\nb: *a', []],
    ['CASES_FILE_MALFORMED', 'a: 1\na: 2', []],
    ['CASES_MALFORMED', '{}', []],
    ['CASES_MALFORMED', CASES.replace("'1'", '1'), []],
    ['KEYS_FILE_MALFORMED', CASES, ['{}']],
    ['KEYS_FILE_MALFORMED', CASES, ['{"keys":']],
  ])('refuses with %s', async (code, cases, [keys]) => {
    const args = keys === undefined ? [] : ['--keys', makeFolder().write('keys.json', keys)];
    expect(refusalIn(await run(cases, CONFIGURATION, ...args, '--json'))).toMatchObject({ exit: 1, code });
  });
});

describe('holdfast config sign --cases', () => {
  const sign = async (cases: string) => {
    const { folder, ...files } = write(cases);
    const key = folder.write('key.pem', makeKey().pem, 0o600);
    const output = folder.at('signed.json');
    const args = ['--key', key, '--cases', files.cases, '--output', output, '--yes', '--json'];
    const finished = await runHoldfast(['config', 'sign', files.configuration, ...args]);
    return { ...refusalIn(finished), isSigned: existsSync(output) };
  };

  it('signs what decides every case as expected', async () => {
    expect(await sign(CASES)).toMatchObject({ exit: 0, code: 'TAKEN', isSigned: true });
  });

  it('signs nothing where a row differs', async () => {
    const other = CASES.replace('{ outcome: permitted }', '{ outcome: pending }');
    expect(await sign(other)).toMatchObject({
      exit: 1,
      code: 'CASES_DIFFER',
      details: { differing: 1, rows: ['5 (the next day)'] },
      isSigned: false,
    });
  });

  it('signs nothing where the table cannot be read', async () => {
    expect(await sign('')).toMatchObject({ exit: 1, code: 'CASES_MALFORMED', isSigned: false });
  });

  it('refuses public keys that nothing needs', async () => {
    const { folder, configuration } = write(CASES);
    const key = folder.write('key.pem', makeKey().pem, 0o600);
    const { exit } = await runHoldfast(['config', 'sign', configuration, '--key', key, '--keys', key]);
    expect(exit).toBe(2);
  });
});
