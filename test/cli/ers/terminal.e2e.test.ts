import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatPcrFile } from '../../../attestation/index.ts';
import { makeRecoveryKey } from '../../../admin/recovery/index.ts';
import {
  dealSample,
  makeSampleBackup,
  PCRS,
  ROOT,
  sampleManifest,
} from '../../audit/recovery/sample-backup.ts';
import { HOLDFAST } from '../../support/holdfast-command.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Whether util-linux can open a terminal that a program takes for one. */
const canOpen = await promisify(execFile)('script', ['--version']).then(
  () => true,
  () => false,
);
if (!canOpen)
  process.stderr.write("\nSKIPPED: custodians' words were typed at no terminal: there is no script(1)\n\n");

interface Typed {
  readonly exit: number | null;
  /** All that the terminal showed. */
  readonly shown: string;
}

/** Runs a verb at a terminal of its own, and types a line each time that it asks for words. */
async function type(args: readonly string[], lines: readonly string[]): Promise<Typed> {
  const quoted = [...HOLDFAST, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', quoted, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let [shown, asked] = ['', 0];
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    while (shown.split(/words of custodian \d+ of \d+: /).length - 1 > asked) {
      child.stdin.write(lines[asked] ?? '\u0003');
      asked += 1;
    }
  });
  const exit = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exit, shown };
}

describe.skipIf(!canOpen)('custodians at a terminal', () => {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  const made = makeRecoveryKey([{ name: 'alice' }, { name: 'bob' }, { name: 'carol' }], 2, {
    random: randomBytes,
    now: Date.now(),
  });
  const words = made.shares.map((share) => share.words ?? '');
  const list = ['--custodians', at('custodians.json')];
  const lineOf = (share: number) => `${words[share] ?? ''}\r`;
  /** No two words of a share in their order: one alone is a word of ours, too. */
  const showsNothing = ({ shown }: Pick<Typed, 'shown'>) =>
    words.every((share) => {
      const each = share.split(' ');
      return each.every((word, place) => !shown.includes(`${word} ${each[place + 1] ?? ''}`));
    });
  const files: string[] = [];

  beforeAll(async () => {
    writeFileSync(at('custodians.json'), JSON.stringify(made.custodians));
    writeFileSync(at('pcr.json'), formatPcrFile(PCRS));
    writeFileSync(at('root.der'), ROOT.certificate);
    const dealt = dealSample();
    for (const node of [1, 3]) {
      const manifest = sampleManifest(node, made.custodians.publicKey);
      writeFileSync(at(`manifest-${node}.json`), manifest);
      writeFileSync(at(`backup-${node}.json`), await makeSampleBackup(dealt, node, manifest));
      files.push('--backup', at(`backup-${node}.json`), '--manifest', at(`manifest-${node}.json`));
    }
    files.push('--pcrs', at('pcr.json'), '--root', at('root.der'));
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(at('leader.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  });

  it('are asked one after the other, and nothing that they type is shown', async () => {
    const verified = await type(['ers', 'verify', '--ask', '2', ...list], [lineOf(0), lineOf(2)]);
    expect(verified.shown).toContain('share 1 of alice: genuine');
    expect(verified.shown).toContain('share 3 of carol: genuine');
    expect(verified.shown).toContain('together they are the recovery key');
    expect([verified.exit, showsNothing(verified)]).toEqual([0, true]);
  });

  it('are refused by the number of their turn where a word is wrong, which is not shown either', async () => {
    const wrong = `${(words[1] ?? '').replace(/ (\w+) /, (_, word: string) => (word === 'academic' ? ' acid ' : ' academic '))}\r`;
    const refused = await type(['ers', 'verify', '--ask', '2', ...list], [lineOf(0), wrong]);
    expect(refused.shown).toContain('CUSTODIAN_SHARE_MALFORMED');
    expect(refused.shown).toMatch(
      /custodian 2 of 2: .*CUSTODIAN_SHARE_MALFORMED|CUSTODIAN_SHARE_MALFORMED.*custodian 2 of 2/s,
    );
    expect([refused.exit, showsNothing(refused)]).toEqual([1, true]);
  });

  it('can go away by Ctrl-C: nothing is written', async () => {
    const output = at('never.json');
    const drill = ['ers', 'drill', ...files, ...list, '--ask', '2', '--signer', at('leader.pem')];
    const left = await type([...drill, '--output', output], [lineOf(0)]);
    expect(left.shown).toContain('INTERRUPTED');
    expect(left.exit).not.toBe(0);
    expect(() => readFileSync(output)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('hold a drill, whose record names them and nothing that they have typed', async () => {
    const output = at('drill.json');
    const drill = ['ers', 'drill', ...files, ...list, '--ask', '2', '--signer', at('leader.pem')];
    const held = await type([...drill, '--output', output], [lineOf(1), lineOf(2)]);
    expect([held.exit, showsNothing(held)]).toEqual([0, true]);
    const { payload } = JSON.parse(readFileSync(output, 'utf8')) as { payload: string };
    const record = Buffer.from(payload, 'base64').toString();
    expect(JSON.parse(record)).toMatchObject({ custodians: [{ name: 'bob' }, { name: 'carol' }] });
    expect(showsNothing({ shown: record })).toBe(true);
  });

  it('are asked for nothing where nobody sits at a terminal', async () => {
    const [program, ...before] = HOLDFAST;
    const child = spawn(program, [...before, 'ers', 'verify', '--ask', '1', ...list], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(lineOf(0));
    const said = await text(child.stderr);
    expect(said).toContain('--ask needs a terminal');
    expect(said).not.toContain('words of custodian');
  });
});
