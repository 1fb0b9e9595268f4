import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatPcrFile } from '../../../attestation/index.ts';
import { writeOutputs } from '../../../cli/common/output-file.ts';
import { makeRecoveryKey } from '../../../admin/recovery/index.ts';
import { ed25519PublicKeyHex } from '../../../shared/dsse/index.ts';
import {
  dealSample,
  makeSampleBackup,
  PCRS,
  ROOT,
  sampleManifest,
} from '../../audit/recovery/sample-backup.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const save = (name: string, content: string | Uint8Array) => {
  writeFileSync(at(name), content, { mode: 0o600 });
  return at(name);
};
const people = ['alice', 'bob', 'carol'].map((name) => ({ name }));
const issue = () => makeRecoveryKey(people, 2, { random: randomBytes, now: Date.now() });
const made = issue();
const other = issue();
const wordsOf = ({ shares }: typeof made, index: number) => shares[index]?.words ?? '';
const files: string[] = [];
/** Backups of a second key. */
const reserve: string[] = [];
const leader = generateKeyPairSync('ed25519');

beforeAll(async () => {
  const dealt = dealSample();
  const dealtReserve = dealSample();
  for (const node of [1, 2]) {
    const manifest = sampleManifest(node, made.custodians.publicKey);
    files.push('--manifest', save(`manifest-${node}.json`, manifest));
    files.push('--backup', save(`backup-${node}.json`, await makeSampleBackup(dealt, node, manifest)));
    const changes = { head: { key: 'reserve' }, entry: { id: 'reserve' } };
    const second = await makeSampleBackup(dealtReserve, node, manifest, changes);
    reserve.push('--backup', save(`reserve-${node}.json`, second));
  }
  files.push('--pcrs', save('pcr.json', formatPcrFile(PCRS)), '--root', save('root.der', ROOT.certificate));
  save('custodians.json', JSON.stringify(made.custodians));
  for (const index of [0, 1, 2]) save(`${people[index]?.name ?? ''}.words`, wordsOf(made, index));
  save('leader.pem', leader.privateKey.export({ type: 'pkcs8', format: 'pem' }));
});

const recover = (shares: readonly string[], ...rest: readonly string[]) =>
  runHoldfast([
    'ers',
    'recover',
    'treasury',
    ...files,
    ...shares.flatMap((path) => ['--share', path]),
    '--output',
    at('never.key'),
    '--json',
    ...rest,
  ]);
const shareOf = (name: string) => at(`${name}.words`);

describe('a custodian who gives a wrong share', () => {
  it('is named by the file of it where a word is wrong', async () => {
    const words = wordsOf(made, 1).replace(/ (\w+) /, (_, word: string) =>
      word === 'academic' ? ' acid ' : ' academic ',
    );
    const wrong = save('wrong.words', words);
    const said = await recover([shareOf('alice'), wrong]);
    expect(refusalIn(said)).toMatchObject({ exit: 1, code: 'CUSTODIAN_SHARE_MALFORMED' });
    expect(said.out).toContain('wrong.words');
    expect(existsSync(at('never.key'))).toBe(false);
  });

  it('is named by the list of custodians where the share is one in itself', async () => {
    const forged = save('forged.words', wordsOf(other, 1));
    const list = ['--custodians', at('custodians.json')];
    for (const shares of [
      [shareOf('alice'), forged],
      [forged, shareOf('alice'), shareOf('carol')],
    ]) {
      const said = await recover(shares, ...list);
      expect(refusalIn(said)).toMatchObject({ exit: 1, code: 'CUSTODIAN_UNKNOWN' });
      expect(said.out).toContain('forged.words');
    }
    expect((await recover([shareOf('alice'), shareOf('bob')], ...list)).exit).toBe(0);
  });

  it('is told to be named by the list where there is none', async () => {
    const forged = save('forged.words', wordsOf(other, 1));
    const said = await recover([shareOf('alice'), forged]);
    expect(refusalIn(said)).toMatchObject({ exit: 1, code: 'CUSTODIAN_SHARES_DIFFER' });
    expect(said.out).toContain('--custodians');
  });
});

describe('a list of custodians of another recovery key', () => {
  it('is refused before anybody gives a share', async () => {
    const list = save('other.json', JSON.stringify(other.custodians));
    for (const verb of [
      ['recover', 'treasury', '--output', at('never.json')],
      ['drill', '--signer', at('leader.pem'), '--output', at('never.json')],
    ]) {
      const args = ['ers', ...verb, ...files, '--custodians', list, '--share', at('nowhere.words'), '--json'];
      expect(refusalIn(await runHoldfast(args))).toMatchObject({ exit: 1, code: 'RECOVERY_KEY_MISMATCH' });
    }
  });
});

describe('the record of a drill that was held before', () => {
  it('is none of the nonce that an auditor has sent since', async () => {
    const [asked, later] = ['0a'.repeat(32), '0b'.repeat(32)];
    const record = at('drill.json');
    const shares = ['alice', 'bob'].flatMap((name) => ['--share', shareOf(name)]);
    const signer = ['--signer', at('leader.pem'), '--output', record, '--nonce', asked];
    expect((await runHoldfast(['ers', 'drill', ...files, ...shares, ...signer])).exit).toBe(0);
    const verify = (nonce: string, ...rest: string[]) =>
      runHoldfast([
        'ers',
        'verify',
        '--drill',
        record,
        '--leader',
        ed25519PublicKeyHex(leader.publicKey),
        '--nonce',
        nonce,
        '--json',
        ...rest,
      ]);
    for (const rest of [[], files]) {
      expect((await verify(asked, ...rest)).exit).toBe(0);
      expect(refusalIn(await verify(later, ...rest))).toMatchObject({
        exit: 1,
        code: 'DRILL_OTHER_NONCE',
        details: { expected: later, actual: asked },
      });
    }
  });
});

describe('several keys at once', () => {
  const recoverAll = (keys: readonly string[], ...more: readonly string[]) =>
    runHoldfast([
      'ers',
      'recover',
      ...keys,
      ...files,
      ...reserve,
      '--share',
      shareOf('alice'),
      '--share',
      shareOf('bob'),
      ...(more.includes('--output') ? [] : ['--output', folder]),
      '--json',
      ...more,
    ]);

  it('are written each under its name, in one go of the custodians', async () => {
    const { exit, out } = await recoverAll(['treasury', 'reserve']);
    expect([exit, JSON.parse(out)]).toEqual([
      0,
      expect.objectContaining({
        recovered: ['treasury', 'reserve'].map((key) =>
          expect.objectContaining({ key, output: at(`${key}.key`), isImport: false }),
        ),
      }),
    ]);
    for (const key of ['treasury', 'reserve'])
      expect(readFileSync(at(`${key}.key`), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  });

  it('are no keys that no backup has, twice the same, or with what is about one alone', async () => {
    expect(refusalIn(await recoverAll(['treasury', 'nothing']))).toMatchObject({
      exit: 1,
      code: 'BACKUP_KEY_ABSENT',
    });
    expect((await recoverAll(['treasury', 'treasury'])).exit).toBe(2);
    expect((await recoverAll(['treasury', '../treasury'])).exit).toBe(2);
    expect((await recoverAll(['treasury', 'reserve'], '--epoch', '0')).exit).toBe(2);
  });

  const into = (name: string) => {
    mkdirSync(at(name));
    return at(name);
  };

  it('are all written or none: one that no backup has leaves nothing of the others', async () => {
    const place = into('absent');
    const said = await recoverAll(['treasury', 'reserve', 'nothing'], '--output', place);
    expect(refusalIn(said)).toMatchObject({
      exit: 1,
      code: 'BACKUP_KEY_ABSENT',
      details: { key: 'nothing' },
    });
    expect(readdirSync(place)).toEqual([]);
  });

  it('are asked of no custodian before it is known that all of them can be recovered and written', async () => {
    const place = into('asked');
    const nowhere = ['--share', at('nowhere.words')];
    const args = (keys: string[], output: string) =>
      runHoldfast([
        'ers',
        'recover',
        ...keys,
        ...files,
        ...reserve,
        ...nowhere,
        '--output',
        output,
        '--json',
      ]);
    expect(refusalIn(await args(['treasury', 'nothing'], place)).code).toBe('BACKUP_KEY_ABSENT');
    const elsewhere = await args(['treasury', 'reserve'], at('no-such-folder'));
    expect([elsewhere.exit, elsewhere.err + elsewhere.out]).toEqual([
      2,
      expect.stringContaining('cannot write'),
    ]);
    mkdirSync(join(place, 'reserve.key'));
    const folderInPlace = await args(['treasury', 'reserve'], place);
    expect([folderInPlace.exit, folderInPlace.err + folderInPlace.out]).toEqual([
      2,
      expect.stringContaining('reserve.key'),
    ]);
    expect(readdirSync(place)).toEqual(['reserve.key']);
  });
});

describe('several files that belong together', () => {
  const contents = (place: string) =>
    readdirSync(place).map((name) => [
      name,
      lstatSync(join(place, name)).isFile() && readFileSync(join(place, name), 'utf8'),
    ]);

  it('appear all at once, with their permissions', async () => {
    const place = at('together');
    mkdirSync(place);
    save('together/a', 'former');
    const all = ['a', 'b'].map((name) => ({ path: join(place, name), content: `new ${name}`, mode: 0o600 }));
    await writeOutputs(all);
    expect(contents(place)).toEqual([
      ['a', 'new a'],
      ['b', 'new b'],
    ]);
    expect(lstatSync(join(place, 'b')).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['a folder is in the way of', 'b'],
    ['a folder is in the way of the file that is made first of', 'b.partial'],
  ])('are taken back where %s one, and what was there before is there again', async (_why, obstacle) => {
    const place = at(`back-${obstacle}`);
    mkdirSync(place);
    writeFileSync(join(place, 'a'), 'former');
    mkdirSync(join(place, obstacle.endsWith('partial') ? `${obstacle}-${process.pid}` : obstacle));
    const before = contents(place);
    const all = ['a', 'c', 'b'].map((name) => ({ path: join(place, name), content: 'new', mode: 0o600 }));
    await expect(writeOutputs(all)).rejects.toMatchObject({
      code: 'OUTPUT_INCOMPLETE',
      details: { path: join(place, 'b') },
    });
    expect(contents(place)).toEqual(before);
  });
});
