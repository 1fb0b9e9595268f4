import { execFile, execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseParentConfig } from '../../parent/config/parse.ts';
import { startParent } from '../../parent/index.ts';
import { createControlClient } from '../../shared/protocol/control-client.ts';
import { openEgress } from '../../shared/protocol/egress-client.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import { parentOptions } from '../support/parent-options.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const hasSystemd = (() => {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** From the machine, or as scripts/promtool.sh has fetched it. */
const promtool = (() => {
  const { status, stdout } = spawnSync(join(ROOT, 'scripts/promtool.sh'), ['--path'], { encoding: 'utf8' });
  const candidates = ['promtool', ...(status === 0 ? [join(stdout.trim(), 'promtool')] : [])];
  const found = candidates.find((program) => spawnSync(program, ['--version']).status === 0);
  if (found === undefined) {
    process.stderr.write(
      '\nSKIPPED: alerts and metrics were not shown to Prometheus: there is no promtool\n\n',
    );
  }
  return found;
})();

describe('the systemd unit', () => {
  const path = join(ROOT, 'scripts/parent/holdfast-parent.service');

  test.skipIf(!hasSystemd)('is exposed by at most 1.5, as systemd counts', async () => {
    // It exits with 1 where the exposure is over the threshold, in tenths.
    const { stdout } = await run('systemd-analyze', [
      'security',
      '--offline=yes',
      '--threshold=15',
      '--no-pager',
      path,
    ]);
    expect(stdout).toMatch(/exposure level for holdfast-parent\.service: (0\.[0-9]|1\.[0-5]) /);
  });

  test.skipIf(!hasSystemd)(
    'is understood by systemd, but for the program that is not installed',
    async () => {
      const { stderr } = await run('systemd-analyze', ['verify', '--man=no', path]).catch(
        (error: { stderr: string }) => error,
      );
      const complaints = stderr.split('\n').filter((line) => line.includes('holdfast-parent'));
      expect(complaints.filter((line) => !line.includes('/opt/holdfast/bin/node is not executable'))).toEqual(
        [],
      );
    },
  );

  test('runs as nobody, and its command is built from nothing', () => {
    const unit = read('scripts/parent/holdfast-parent.service');
    expect(unit).toContain('DynamicUser=yes');
    expect(unit).toMatch(/^CapabilityBoundingSet=$/m);
    const command = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '';
    expect(command).not.toMatch(/[$`;|&]|\bsh\b|curl/);
  });
});

describe('the files for operators', () => {
  test('have a configuration that the parent takes', () => {
    expect(parseParentConfig(read('scripts/parent/parent.yaml')).enclave.cid).toBe(16);
  });

  test('alert on metrics that there are, and explain each alert', async () => {
    const metrics = await readMetrics();
    const known = new Set([...metrics.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
    const alerts = read('scripts/parent/alerts.yaml');
    const used = `${alerts}${read('scripts/parent/grafana-dashboard.json')}`.matchAll(
      /\b((?:holdfast|process)_[a-z0-9_]+?)(?:_bucket)?(?=[{\s,)[]| |$)/g,
    );
    const names = [...used].map(([, name]) => name).filter((name) => name !== undefined);
    expect(names.length).toBeGreaterThan(20);
    expect([...known]).toEqual(expect.arrayContaining([...new Set(names)]));
    const page = read('docs/parent-alerts.md');
    const { groups } = parse(alerts) as {
      groups: { rules: { alert: string; annotations: { runbook: string } }[] }[];
    };
    for (const { alert, annotations } of groups.flatMap(({ rules }) => rules)) {
      expect(page).toContain(`## ${alert}\n`);
      expect(annotations.runbook).toBe(`docs/parent-alerts.md#${alert.toLowerCase()}`);
    }
    const metricsPage = read('docs/parent-metrics.md');
    expect([...known].filter((name) => !metricsPage.includes(`\`${name}\``))).toEqual([]);
  });
});

async function readMetrics(): Promise<string> {
  const directory = temporaryFolder();
  const parent = await startParent(
    parentOptions(directory, {
      manifest: () => Promise.resolve(Uint8Array.of(1)),
      ingress: { port: 0 },
      status: { port: 0 },
      peers: { node: 1, listen: { port: 0 }, nodes: [{ node: 2 }] },
      statusSources: { enclave: () => ({ state: 'starting' }), credentialsExpiration: () => Date.now() },
    }),
  );
  const enclave = createUnixTransport({ directory, cid: 16 });
  const client = createControlClient(enclave);
  await client.manifest();
  await client.reportStatus('serving', null);
  const refused = openEgress(enclave, { host: 'kms.example.com', port: 443 }, { timeoutMs: 30_000 });
  await expect(refused).rejects.toMatchObject({ code: 'EGRESS_TARGET_FORBIDDEN' });
  client.close();
  const metrics = await (await fetch(`${parent.statusUrl}/metrics`)).text();
  await parent.close(0);
  return metrics;
}

describe.skipIf(promtool === undefined)('as Prometheus reads them', () => {
  const ALERTS = join(ROOT, 'scripts/parent/alerts.yaml');

  test('the metrics are well-formed and well-named', async () => {
    const checked = execFileSync(promtool ?? '', ['check', 'metrics'], { input: await readMetrics() });
    expect(checked.toString()).toBe('');
  });

  test('the alert rules are rules', async () => {
    const { stdout } = await run(promtool ?? '', ['check', 'rules', ALERTS]);
    expect(stdout).toMatch(/SUCCESS: [0-9]+ rules found/);
  });

  test('a node that no longer says that it serves raises an alert, and one that does raises none', async () => {
    const directory = temporaryFolder();
    const series = (instance: string, heard: string) => [
      { series: `holdfast_node_phase{phase="serving",instance="${instance}"}`, values: '1x20' },
      { series: `holdfast_node_heard_timestamp_seconds{instance="${instance}"}`, values: heard },
    ];
    const labels = { severity: 'page', phase: 'serving', instance: 'hangs' };
    const file = join(directory, 'alerts.test.json');
    writeFileSync(
      file,
      JSON.stringify({
        rule_files: [ALERTS],
        tests: [
          {
            interval: '15s',
            input_series: [...series('hangs', '0x20'), ...series('serves', '0+15x20')],
            alert_rule_test: [
              { alertname: 'HoldfastNodeSilent', eval_time: '1m', exp_alerts: [] },
              {
                alertname: 'HoldfastNodeSilent',
                eval_time: '4m',
                exp_alerts: [
                  {
                    exp_labels: labels,
                    exp_annotations: {
                      summary: 'The policy node on hangs says no longer that it serves',
                      runbook: 'docs/parent-alerts.md#holdfastnodesilent',
                    },
                  },
                ],
              },
            ],
          },
        ],
      }),
    );
    const { stdout } = await run(promtool ?? '', ['test', 'rules', file]);
    expect(stdout).toContain('SUCCESS');
  });
});

describe('the installation', () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
  });
  const install = (...options: string[]) =>
    run(join(ROOT, 'scripts/install-parent.sh'), ['--root', root, '--without-packages', ...options]);

  test('puts program, unit and configuration in their places', async () => {
    const { stdout } = await install();
    expect(stdout).toContain('systemctl enable --now holdfast-parent');
    for (const file of [
      'opt/holdfast/cli/main.ts',
      'opt/holdfast/parent/parent.ts',
      'opt/holdfast/package-lock.json',
    ]) {
      expect(existsSync(join(root, file))).toBe(true);
    }
    expect(readFileSync(join(root, 'etc/systemd/system/holdfast-parent.service'), 'utf8')).toBe(
      read('scripts/parent/holdfast-parent.service'),
    );
    expect(existsSync(join(root, 'etc/systemd/system/holdfast-parent.service.d'))).toBe(false);
    expect(readlinkSync(join(root, 'usr/local/bin/holdfast'))).toBe('/opt/holdfast/bin/holdfast');
    expect(statSync(join(root, 'opt/holdfast')).mode & 0o022).toBe(0);
  });

  test('is for everybody to read and nobody else to change, whatever umask and copy of an admin', async () => {
    const script = join(ROOT, 'scripts/install-parent.sh');
    for (const umask of ['077', '000']) {
      await run('sh', [
        '-c',
        `umask ${umask} && exec "$@"`,
        'sh',
        script,
        '--root',
        root,
        '--without-packages',
      ]);
      const installed = readdirSync(root, { recursive: true, encoding: 'utf8' })
        .map((path) => join(root, path))
        .filter((path) => !lstatSync(path).isSymbolicLink());
      const isAsItShould = (path: string) => {
        const { mode } = statSync(path);
        return (
          (mode & 0o022) === 0 &&
          (mode & 0o004) !== 0 &&
          (!statSync(path).isDirectory() || (mode & 0o001) !== 0)
        );
      };
      expect(installed.length).toBeGreaterThan(100);
      expect(installed.filter((path) => !isAsItShould(path))).toEqual([]);
    }
  });

  test('removes program and units again, and leaves what is the operator’s', async () => {
    await install('--with-enclave');
    await run(join(ROOT, 'scripts/install-parent.sh'), ['--root', root, '--uninstall']);
    expect(existsSync(join(root, 'opt/holdfast'))).toBe(false);
    expect(readdirSync(join(root, 'etc/systemd/system'))).toEqual([]);
    expect(readdirSync(join(root, 'usr/local/bin'))).toEqual([]);
    expect(existsSync(join(root, 'etc/holdfast/parent.yaml'))).toBe(true);
  });

  test('takes a tree that was made elsewhere only where it is whole', async () => {
    await expect(
      run(join(ROOT, 'scripts/install-parent.sh'), ['--root', root, '--prepared']),
    ).rejects.toMatchObject({ code: 1 });
    expect(existsSync(join(root, 'opt/holdfast'))).toBe(false);
  });

  test('brings the program up to date, and leaves the configuration alone', async () => {
    await install('--with-enclave');
    writeFileSync(join(root, 'etc/holdfast/parent.yaml'), 'mine');
    writeFileSync(join(root, 'opt/holdfast/parent/gone.ts'), 'of an older version');
    await install('--with-enclave');
    expect(readFileSync(join(root, 'etc/holdfast/parent.yaml'), 'utf8')).toBe('mine');
    expect(existsSync(join(root, 'opt/holdfast/parent/gone.ts'))).toBe(false);
    expect(existsSync(join(root, 'opt/holdfast.old'))).toBe(false);
    expect(existsSync(join(root, 'etc/systemd/system/holdfast-parent.service.d/enclave.conf'))).toBe(true);
  });

  test('says how it is used', async () => {
    const help = await run(join(ROOT, 'scripts/install-parent.sh'), ['--help']);
    expect(help.stdout).toContain('usage: scripts/install-parent.sh');
    await expect(run(join(ROOT, 'scripts/install-parent.sh'), ['--unknown'])).rejects.toMatchObject({
      code: 2,
    });
  });
});
