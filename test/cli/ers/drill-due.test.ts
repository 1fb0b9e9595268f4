import { generateKeyPairSync } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DRILL_PAYLOAD_TYPE, encodeDrill } from '../../../audit/recovery/index.ts';
import { createEnvelope, ed25519PublicKeyHex, signEnvelope } from '../../../shared/dsse/index.ts';
import { exportPublicKey } from '../../../shared/hpke/index.ts';
import { sampleManifest } from '../../audit/recovery/sample-backup.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';

const DAY = 86_400_000;
const LAUNCHER = join(import.meta.dirname, '../../../cli/holdfast.js');
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasSystemd)
  process.stderr.write(
    '\nSKIPPED: the timer of drills was not shown to systemd: there is no systemd-analyze\n\n',
  );

const leader = generateKeyPairSync('ed25519');
const publicKey = ed25519PublicKeyHex(leader.publicKey);

/** What a record says otherwise than that of a drill of the vault, held today. */
interface Changes {
  readonly daysAgo?: number;
  readonly by?: typeof leader.privateKey;
  readonly vault?: string;
  readonly recoveryKey?: string;
  readonly keys?: readonly string[];
}

const RECOVERY_KEY = sampleRecoveryKey();
const folder = temporaryFolder();
let records = 0;

function sampleRecoveryKey(): string {
  return Buffer.from(exportPublicKey(generateKeyPairSync('x25519').publicKey)).toString('hex');
}

/** Writes the record of a drill, and returns its path. */
function recordOf(changes: Changes = {}): string {
  const { daysAgo = 0, by = leader.privateKey, vault = 'acme', recoveryKey = RECOVERY_KEY } = changes;
  records += 1;
  const path = join(folder, `drill-${records}.json`);
  const record = encodeDrill({
    format: 'holdfast-drill/1',
    time: new Date(Date.now() - daysAgo * DAY).toISOString(),
    vault: { namespace: vault, environment: 'production' },
    recoveryKey,
    nonce: '0b'.repeat(32),
    custodians: [{ share: 1, name: 'alice' }],
    threshold: 1,
    backups: [{ node: 1, key: 'treasury', statement: '0c'.repeat(48) }],
    // A symmetric key proves itself by nothing, so that the record needs no other key than the leader's.
    proven: (changes.keys ?? ['treasury']).map((key) => ({
      kind: 'key' as const,
      key,
      type: 'aes-256' as const,
      epoch: null,
      nodes: [1],
      publicKey: null,
      signature: null,
    })),
  });
  writeFileSync(path, JSON.stringify(signEnvelope(createEnvelope(DRILL_PAYLOAD_TYPE, record), by)));
  return path;
}

function manifestOf(namespace = 'acme', recoveryKey = RECOVERY_KEY): string {
  const path = join(folder, `${namespace}.manifest.json`);
  writeFileSync(path, sampleManifest(1, recoveryKey, namespace));
  return path;
}

const askWith = (words: readonly string[], ...found: readonly string[]) =>
  runHoldfast([
    'ers',
    'drill',
    '--due',
    '90',
    '--leader',
    publicKey,
    '--json',
    ...words,
    ...found.flatMap((path) => ['--record', path]),
  ]);
const ask = (...found: readonly string[]) => askWith(['--manifest', manifestOf()], ...found);

it('says that a drill is due where there was none, or the last one is too long ago', async () => {
  expect(refusalIn(await ask())).toMatchObject({ exit: 1, code: 'DRILL_DUE', details: { last: null } });
  const old = recordOf({ daysAgo: 91 });
  expect(refusalIn(await ask(old))).toMatchObject({ exit: 1, code: 'DRILL_DUE' });
  expect((await ask(old, recordOf({ daysAgo: 89 }))).exit).toBe(0);
});

it('counts no drill of the future, and none that somebody else has led', async () => {
  expect(refusalIn(await ask(recordOf({ daysAgo: -1 })))).toMatchObject({ exit: 1, code: 'DRILL_DUE' });
  const other = recordOf({ by: generateKeyPairSync('ed25519').privateKey });
  expect(refusalIn(await ask(other))).toMatchObject({ exit: 1, code: 'DSSE_UNDER_SIGNED' });
});

it('refuses the drill of another vault, though the same people have led it, beside one of this vault too', async () => {
  const other = recordOf({ vault: 'acme-test' });
  for (const found of [[other], [recordOf(), other]])
    expect(refusalIn(await ask(...found))).toMatchObject({
      exit: 1,
      code: 'DRILL_OTHER_VAULT',
      details: { expected: 'acme/production', actual: 'acme-test/production' },
    });
});

it('counts no drill of a recovery key that the manifests name no more', async () => {
  const former = recordOf({ recoveryKey: sampleRecoveryKey() });
  expect(refusalIn(await ask(former))).toMatchObject({ code: 'DRILL_DUE', details: { last: null } });
  expect((await ask(former, recordOf())).exit).toBe(0);
});

it('asks for every key that is named: a drill of one proves no other', async () => {
  const words = ['--manifest', manifestOf(), '--key', 'treasury', '--key', 'hot'];
  const refused = refusalIn(await askWith(words, recordOf(), recordOf({ daysAgo: 91, keys: ['hot'] })));
  expect(refused).toMatchObject({ code: 'DRILL_DUE', details: { keys: [{ key: 'hot' }] } });
  expect((await askWith(words, recordOf(), recordOf({ keys: ['hot'] }))).exit).toBe(0);
});

it('is told which vault it is: without a manifest, and with those of two vaults, it says nothing', async () => {
  expect((await askWith([], recordOf())).exit).toBe(2);
  const two = ['--manifest', manifestOf(), '--manifest', manifestOf('acme-test')];
  expect((await askWith(two, recordOf())).exit).toBe(2);
});

describe('the timer of drills', () => {
  const print = async (...words: string[]) =>
    await runHoldfast(['ers', 'drill', '--schedule', '90', ...words]);
  const all = (manifest: string, record: string) => [
    '--leader',
    publicKey,
    '--manifest',
    manifest,
    '--record',
    record,
    '--key',
    'treasury',
    '--program',
    LAUNCHER,
  ];
  /** Writes the units where systemd looks for them, and returns their paths. */
  const writeUnits = (place: string, text: string) =>
    text
      .split(/^# (?=\/etc\/systemd\/system\/)/m)
      .slice(1)
      .map((part) => {
        const [path = '', ...lines] = part.split('\n');
        const unit = join(place, basename(path));
        writeFileSync(unit, lines.join('\n'));
        return unit;
      });

  it('is refused with what it lacks, and has no place that somebody would have to fill', async () => {
    for (const lacking of ['--leader', '--manifest', '--record']) {
      const words = all(manifestOf(), recordOf());
      words.splice(words.indexOf(lacking), 2);
      const { exit, err } = await print(...words);
      expect([exit, err]).toEqual([2, expect.stringContaining(lacking)]);
    }
    const { exit, out } = await print(...all(manifestOf(), recordOf()));
    expect([exit, out]).toEqual([0, expect.not.stringMatching(/[A-Z]+_[A-Z]+|<|\.\.\.|…/)]);
  });

  it('starts the unit that tells people where one is named, and says that nobody is told where none is', async () => {
    const silent = (await print(...all(manifestOf(), recordOf()))).out;
    expect(silent).not.toMatch(/^OnFailure=/m);
    expect(silent).toContain('--on-failure');
    const { out } = await print(...all(manifestOf(), recordOf()), '--on-failure', 'notify@%n.service');
    const [, unit = ''] = /^\[Unit\]\n([\s\S]*?)\n\[Service\]$/m.exec(out) ?? [];
    expect(unit.split('\n')).toContain('OnFailure=notify@%n.service');
    for (const odd of [
      '',
      'notify',
      'a b.service',
      'notify.timer',
      'x%t.service',
      'a.service\nExecStart=/bin/false',
      '../a.service',
    ])
      expect((await print(...all(manifestOf(), recordOf()), '--on-failure', odd)).exit).toBe(2);
  });

  it('runs the very command that says whether a drill is due', async () => {
    const { out } = await print(...all(manifestOf(), recordOf()));
    const command = /^ExecStart=(.*)$/m.exec(out)?.[1]?.split(' ') ?? [];
    expect((await runHoldfast(command.slice(1))).exit).toBe(0);
  });

  it.skipIf(!hasSystemd)('is understood by systemd, whatever is in the names of its files', async () => {
    const place = temporaryFolder();
    const odd = join(place, 'a vault of 100% $HOME "quoted" \\ back');
    mkdirSync(odd);
    copyFileSync(manifestOf(), join(odd, 'manifest.json'));
    copyFileSync(recordOf(), join(odd, 'drill.json'));
    const { out } = await print(...all(join(odd, 'manifest.json'), join(odd, 'drill.json')));
    const units = writeUnits(place, out);
    expect(units.map((path) => basename(path))).toEqual([
      'holdfast-drill-due.service',
      'holdfast-drill-due.timer',
    ]);
    const said = spawnSync('systemd-analyze', ['verify', '--man=no', ...units], { encoding: 'utf8' });
    expect([said.status, said.stderr.split('\n').filter((line) => line.includes('drill'))]).toEqual([0, []]);
    const on = /^OnCalendar=(.*)$/m.exec(out)?.[1] ?? '';
    expect(spawnSync('systemd-analyze', ['calendar', on]).status).toBe(0);
  });
});
