import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ASSUMPTIONS, type AssumptionId } from '../../deploy/first-contact/assumptions.ts';
import { DoesNotHold, type Probe } from '../../deploy/first-contact/probe.ts';
import { formatReport, PROBES, runFirstContact } from '../../deploy/first-contact/run.ts';

const ROOT = join(import.meta.dirname, '../..');
const ids = Object.keys(ASSUMPTIONS) as AssumptionId[];

/** Runs probes that touch nothing of AWS. */
function run(probes: readonly Probe[], signal = new AbortController().signal) {
  const account = { accountId: '111111111111' } as never;
  return runFirstContact({
    region: 'eu-central-1',
    prefix: 'hf',
    node: account,
    infrastructure: account,
    probes,
    signal,
    pauseMs: 1,
  });
}
const probe = (assumption: AssumptionId, look: Probe['look']): Probe => ({ assumption, look });

describe('assumptions about AWS', () => {
  it('each have one probe, or need a host', () => {
    const probed = PROBES.map(({ assumption }) => assumption);
    expect(new Set(probed).size).toBe(probed.length);
    for (const id of ids) expect(probed.includes(id)).toBe(ASSUMPTIONS[id].seenWith === 'account');
  });

  it('are named by the page that sends people to them, as the script sees them', async () => {
    const page = await readFile(join(ROOT, 'docs/aws.md'), 'utf8');
    const rows = page.split('\n').filter((line) => line.startsWith('| `aws-'));
    const named = new Map(
      rows.map((row) => [/`([a-z0-9-]+)`/.exec(row)?.[1], /\| ([a-z ]+?) *\|$/.exec(row)?.[1]]),
    );
    expect(Object.fromEntries(named)).toEqual(
      Object.fromEntries(
        ids.map((id) => [id, ASSUMPTIONS[id].seenWith === 'host' ? 'a host' : 'the script']),
      ),
    );
    expect(page).toContain('(first-contact.md)');
  });

  it.each(ids)('%s names files that exist', (id) => {
    expect(ASSUMPTIONS[id].usedIn.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe('a run', () => {
  it('tells what does not hold from what could not be seen', async () => {
    const { findings } = await run([
      probe('aws-sts-identity', () => Promise.resolve('both')),
      probe('aws-kms-born-closed', () => Promise.reject(new DoesNotHold('another policy'))),
      probe('aws-kms-ed25519', () => Promise.reject(new TypeError('no network'))),
    ]);
    expect(findings.slice(0, 3).map(({ outcome }) => outcome)).toEqual(['holds', 'does not hold', 'failed']);
    expect(findings).toHaveLength(ids.length);
    expect(findings.slice(3).every(({ outcome }) => outcome === 'not looked')).toBe(true);
  });

  it('tears down in the opposite order, also what a failed probe has made, and says what stays', async () => {
    const ended: string[] = [];
    const { left } = await run([
      probe('aws-sts-identity', ({ endLater }) => {
        endLater('first', () => Promise.resolve(ended.push('first')));
        endLater('stuck', () => Promise.reject(new Error('busy')));
        return Promise.resolve('');
      }),
      probe('aws-kms-ed25519', ({ endLater }) => {
        endLater('second', () => Promise.resolve(ended.push('second')));
        return Promise.reject(new DoesNotHold('no'));
      }),
    ]);
    expect(ended).toEqual(['second', 'first']);
    expect(left).toEqual(['stuck: Error: busy']);
  });

  it('looks no further after an interruption, and tears down all the same', async () => {
    const abort = new AbortController();
    let isEnded = false;
    const { findings } = await run(
      [
        probe('aws-sts-identity', ({ endLater }) => {
          endLater('one', () => Promise.resolve((isEnded = true)));
          abort.abort();
          return Promise.resolve('');
        }),
        probe('aws-kms-ed25519', () => Promise.resolve('looked')),
      ],
      abort.signal,
    );
    expect(findings[1]).toMatchObject({ outcome: 'not looked', seen: 'interrupted' });
    expect(isEnded).toBe(true);
  });

  it('writes a report of every assumption', async () => {
    const report = formatReport(await run([probe('aws-sts-identity', () => Promise.resolve('a | b'))]));
    expect(report).toContain('| `aws-sts-identity` | holds | a \\| b |');
    for (const id of ids) expect(report).toContain(`\`${id}\``);
    expect(report).toContain('Everything was torn down');
  });
});
