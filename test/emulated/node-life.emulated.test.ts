import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePcrFile } from '../../attestation/index.ts';
import { ROOT } from '../../scripts/image/inputs.ts';
import { findEmulator } from './harness/emulator.ts';
import { LifeHost, type LifeReport } from './harness/life-host.ts';
import type { LifeImages } from './harness/life-images.ts';
import { LIFE_STEPS, TOO_SLOW } from './programs/life-steps.ts';

const emulator = findEmulator();
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

describe.skipIf(emulator === undefined)('a node on an emulated Nitro host', () => {
  let host: LifeHost;
  const reports: LifeReport[] = [];
  let images: LifeImages;
  const outcomes = new Map<unknown, string>(
    Object.entries(LIFE_STEPS).map(([id, step]) => [id, step.outcome]),
  );
  const found = (name: string) => reports.filter(({ report }) => report === name);

  beforeAll(async () => {
    host = new LifeHost(emulator ?? '');
    images = await host.build();
    try {
      await host.play((report) => {
        reports.push(report);
        if (report['report'] === 'retry') {
          process.stderr.write(
            `\nRETRIED: the emulator hung while enclave ${String(report['cid'])} booted\n`,
          );
        }
      });
    } catch (error) {
      throw new Error(host.describeConsoles(), { cause: error });
    }
  }, 1_500_000);
  afterAll(async () => {
    const wrong = found('step').filter(
      ({ id, outcome }) => outcome !== outcomes.get(id) && outcome !== TOO_SLOW,
    );
    if (wrong.length > 0 || process.env['HOLDFAST_SHOW_CONSOLES'] !== undefined)
      process.stderr.write(`${JSON.stringify(wrong, null, 1)}\n${host.describeConsoles(Infinity)}\n`);
    await host.close();
  });

  test.for(Object.entries(LIFE_STEPS).map(([id, step]) => ({ id, ...step })))(
    '$part: $title',
    ({ id, outcome }, { skip }) => {
      const { ms: _, ...step } = found('step').find((report) => report['id'] === id) ?? {};
      skip(step['outcome'] === TOO_SLOW, 'SKIPPED: this machine is too slow, or too busy, to show it');
      expect(step).toEqual({ report: 'step', id, outcome });
    },
  );

  test("the PCRs in the NSM's document are those of the build, of pcr.json and of holdfast eif describe", () => {
    const [measured] = found('measured');
    const inDevice = measured?.['pcrs'] as Record<number, string>;
    const described = spawnSync(
      process.execPath,
      [join(ROOT, 'cli/main.ts'), 'eif', 'describe', images.pathOf('first'), '--json'],
      { encoding: 'utf8' },
    );
    // What it prints is a pcr.json.
    const printed = parsePcrFile(Buffer.from(described.stdout));
    const built = images.measurements.get('first');
    expect([...(built?.keys() ?? [])]).toEqual([0, 1, 2]);
    for (const index of [0, 1, 2]) {
      expect(inDevice[index]).toBe(hex(built?.get(index)));
      expect(hex(printed.get(index))).toBe(inDevice[index]);
    }
  });

  test('the repacked image has the PCRs of the one that it was made from', () => {
    expect(images.measurements.get('repacked')).toEqual(images.measurements.get('first'));
  });

  test('a machine that init refuses to go on with sends no heartbeat', () => {
    const booted = new Set(found('heartbeat').map(({ cid }) => cid));
    const silent = found('launch').filter(({ cid }) => !booted.has(cid));
    const retried = new Set(found('retry').map(({ cid }) => cid));
    expect(silent.filter(({ cid }) => !retried.has(cid)).map(({ image }) => image)).toEqual([
      'repacked',
      'without-nsm',
    ]);
  });

  test('KMS was asked once in each start that came so far, and never by a machine that stopped before', () => {
    const asked = found('decision').filter(({ action }) => action !== 'kms:PutKeyPolicy');
    expect(asked.map(({ action, decision }) => `${String(action)} ${String(decision)}`)).toEqual([
      'kms:GenerateDataKey allow',
      'kms:Decrypt allow',
      'kms:Decrypt deny',
      'kms:Decrypt allow',
      'kms:Decrypt deny',
      'kms:Decrypt deny',
    ]);
  });
});
