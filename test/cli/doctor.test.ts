import { describe, expect, it } from 'vitest';
import { formatDoctorReport } from '../../cli/doctor/report.ts';
import type { DoctorReport } from '../../parent/doctor/index.ts';
import { runHoldfast } from './in-process.ts';
import { makeFolder } from './node-files.ts';

interface Printed {
  readonly ok: boolean;
  readonly fails: number;
  readonly findings: readonly { status: string; code?: string; command?: string }[];
}

const CONFIG = (folder: string, transport: string) => `
enclave: { cid: 16 }
transport: ${transport}
artifacts: { manifest: ${folder}/manifest.json, configuration: ${folder}/configuration.json, secrets: ${folder} }
store: { sqlite: ${folder}/records.sqlite }
egress: { allowlist: [{ host: kms.eu-central-1.amazonaws.com, port: 443 }] }
`;

describe('holdfast doctor', () => {
  it('says in JSON what fails, and exits with 1', async () => {
    const folder = makeFolder();
    const config = folder.write('parent.yaml', CONFIG(folder.path, 'vsock'));
    const { exit, out } = await runHoldfast(['doctor', '--offline', '--json', '--config', config]);
    const { ok, fails, findings } = JSON.parse(out) as Printed;
    expect([exit, ok]).toEqual([1, false]);
    expect(findings.filter(({ status }) => status === 'fail')).toHaveLength(fails);
    expect(findings.map(({ code }) => code)).toContain('FILE_MISSING');
  });

  it('shows people what to type', async () => {
    const folder = makeFolder();
    const config = folder.write('parent.yaml', CONFIG(folder.path, '{ unix: /run/holdfast }'));
    const { exit, out, err } = await runHoldfast(['doctor', '--offline', '--config', config]);
    expect([exit, err]).toEqual([1, '']);
    expect(out).toContain('FILE_MISSING');
    expect(out).toContain(`$ sudo install -m 0644 FILE ${folder.at('manifest.json')}`);
  });

  it('takes a named configuration that is not there for a failure, and a wrong word for usage', async () => {
    const { exit, out } = await runHoldfast(['doctor', '--offline', '--json', '--config', '/nowhere/x.yaml']);
    expect(exit).toBe(1);
    expect((JSON.parse(out) as Printed).findings.map(({ code }) => code)).toContain('CONFIG_MISSING');
    expect((await runHoldfast(['doctor', '--quick'])).exit).toBe(2);
    expect((await runHoldfast(['doctor', 'now'])).exit).toBe(2);
  });
});

describe('the report', () => {
  const report: DoctorReport = {
    instance: { kind: 'nitro', vendor: 'Amazon EC2', type: 'm6i.xlarge', id: undefined, metadata: undefined },
    isEnclaveHost: true,
    findings: [
      { part: 'machine', check: 'instance', status: 'ok', text: 'm6i.xlarge' },
      { part: 'room', check: 'swap', status: 'skipped', code: 'OFFLINE', text: '--offline' },
      { part: 'room', check: 'disk', status: 'skipped', code: 'OFFLINE', text: '--offline' },
      {
        part: 'room',
        check: 'memory',
        status: 'warn',
        code: 'MEMORY_LOW',
        text: 'low\u001b[2J',
        advice: 'more',
      },
    ],
  };

  it('has a line for each finding, one for each reason to skip, and a sum', () => {
    expect(formatDoctorReport(report, false)).toBe(
      [
        'This machine',
        '  ok    instance  m6i.xlarge',
        '',
        'Room',
        '  warn  memory    low\\u001b[2J',
        '        MEMORY_LOW: more',
        '  skip  swap, disk: --offline',
        '',
        '0 to mend, 1 to think about, 1 in order, 2 not looked at.',
        'Nothing that was looked at stands in the way.',
      ].join('\n'),
    );
  });

  it('is coloured where it is asked to be', () => {
    expect(formatDoctorReport(report, true)).toContain('\u001b[33mwarn\u001b[39m');
  });
});
