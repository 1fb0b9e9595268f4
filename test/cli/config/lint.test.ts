import { describe, expect, it } from 'vitest';
import { makeConfiguration2, permit } from '../../shared/documents/sample-rules.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { makeFolder } from '../node-files.ts';

const write = (changes: object) => {
  const folder = makeFolder();
  return folder.write('configuration.json', JSON.stringify(makeConfiguration2(changes)));
};

describe('holdfast config lint', () => {
  it('exits 1 at an error, and at a warning where it is strict', async () => {
    const warned = write({});
    expect((await runHoldfast(['config', 'lint', warned])).exit).toBe(0);
    expect((await runHoldfast(['config', 'lint', warned, '--strict'])).exit).toBe(1);
    const wrong = write({ rules: [permit({ algorithms: ['ed25519'] })] });
    const { exit, err } = await runHoldfast(['config', 'lint', wrong]);
    expect(exit).toBe(1);
    expect(err).toMatch(/^error +RULE_UNREACHABLE \(transfers\): /);
  });

  it('gives findings to programs', async () => {
    const { out } = await runHoldfast(['config', 'lint', write({}), '--json']);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      errors: 0,
      findings: expect.arrayContaining([
        expect.objectContaining({ code: 'TRANSFER_UNLIMITED', severity: 'warning', subject: 'transfers' }),
      ]),
    });
  });

  it('looks at the time that it is given', async () => {
    const path = write({ notAfter: '2026-12-02T00:00:00Z' });
    const at = (time: string) => runHoldfast(['config', 'lint', path, '--at', time]);
    expect((await at('2026-12-01T00:00:00Z')).exit).toBe(0);
    expect((await at('2026-12-03T00:00:00Z')).exit).toBe(1);
  });

  it.each(['yesterday', '2026-13-01T00:00:00Z', '2026-12-01'])('refuses %s as a time', async (time) => {
    expect((await runHoldfast(['config', 'lint', write({}), '--at', time])).exit).toBe(2);
  });

  it('refuses what is no configuration', async () => {
    const path = makeFolder().write('odd.json', '{}');
    expect(refusalIn(await runHoldfast(['config', 'lint', path, '--json']))).toMatchObject({
      exit: 1,
      code: 'CONFIGURATION_MALFORMED',
    });
  });
});
