import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { formatParentStatus, type ParentStatus } from '../../cli/parent/status.ts';
import { refusalIn, runHoldfast } from './in-process.ts';

const NOW = 1_800_000_000_000;
const SERVING: ParentStatus = {
  node: { phase: 'serving', code: null, since: NOW - 3 * 3_600_000 },
  enclave: { cid: 16, state: 'running' },
  ingress: { host: '0.0.0.0', port: 443 },
  connections: { egress: 2, ingress: 17 },
  credentialsExpiration: NOW + 1_800_000,
};

describe('the parent’s status', () => {
  test('is short when all is well', () => {
    expect(formatParentStatus(SERVING, NOW)).toBe(
      [
        'node        serves, for 3 h',
        'enclave     running (CID 16)',
        'clients     17 connected at 0.0.0.0:443',
        'outside     2 connections of the enclave',
        'credentials good for 30 min',
      ].join('\n'),
    );
  });

  test('says what ended the node and what to do', () => {
    const text = formatParentStatus(
      {
        ...SERVING,
        node: { phase: 'failed', code: 'KMS_ACCESS_DENIED', since: NOW - 60_000 },
        enclave: { cid: 16, state: 'halted', code: 'KMS_ACCESS_DENIED' },
        credentialsExpiration: NOW - 60_000,
      },
      NOW,
    );
    expect(text).toContain('failed with KMS_ACCESS_DENIED, for 60 s');
    expect(text).toContain('halted with KMS_ACCESS_DENIED');
    expect(text).toContain('EXPIRED 60 s ago');
    expect(text).toContain('what to do  look KMS_ACCESS_DENIED up');
  });

  test('shows a code as text, whatever somebody else has put into it', () => {
    const failed = { phase: 'failed', code: 'A\u001b[2J\nforged', since: NOW } as const;
    expect(formatParentStatus({ ...SERVING, node: failed }, NOW)).toContain(
      String.raw`A\u001b[2J\u000aforged`,
    );
  });

  test('is not read from what is no status page, or no page at all', async () => {
    const server = createServer((_, response) => response.end('{"node":"all is well"}'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const ask = async (url: string) =>
      refusalIn(await runHoldfast(['parent', 'status', '--json', '--url', url]));
    try {
      expect(await ask(`http://127.0.0.1:${port}`)).toMatchObject({ exit: 1, code: 'STATUS_MALFORMED' });
    } finally {
      server.close();
    }
    expect(await ask(`http://127.0.0.1:${port}`)).toMatchObject({ exit: 1, code: 'PARENT_UNREACHABLE' });
    expect(await ask('https://127.0.0.1:1')).toMatchObject({ exit: 2, code: 'USAGE' });
    expect(await ask('127.0.0.1')).toMatchObject({ exit: 2, code: 'USAGE' });
  });

  const waitingFor = (code: string, endsInARow: number) =>
    formatParentStatus(
      {
        ...SERVING,
        node: null,
        enclave: { cid: 16, state: 'waiting', code, until: NOW + 8_000, endsInARow },
      },
      NOW,
    );

  test('says nitro-cli’s own code, and after some times where it is explained', () => {
    expect(waitingFor('NITRO_E36', 1)).toContain('did not start with NITRO_E36, starts again in 8 s');
    expect(waitingFor('NITRO_E36', 1)).toContain('what to do  nothing yet');
    const text = waitingFor('NITRO_E36', 4);
    expect(text).toContain('NITRO_E36, 4 times in a row');
    expect(text).not.toContain('nothing yet');
    expect(text).toContain('"nitro-cli explain --error-code E36"');
    expect(text).toContain('/var/log/nitro_enclaves');
  });

  test('has one look where the next start can go no better, or has not for some time', () => {
    expect(waitingFor('NITRO_CLI_MISSING', 1)).toContain('look for nitro-cli');
    expect(waitingFor('NITRO_CLI_FAILED', 4)).toContain('/var/log/nitro_enclaves');
    expect(waitingFor('VANISHED', 3)).toContain('nothing yet');
    expect(waitingFor('VANISHED', 4)).toContain('look VANISHED up in docs/parent-alerts.md');
    const halted: ParentStatus['enclave'] = { cid: 16, state: 'halted', code: 'NITRO_E22' };
    expect(formatParentStatus({ ...SERVING, node: null, enclave: halted }, NOW)).toContain(
      '"nitro-cli explain --error-code E22"',
    );
  });

  test('says when to wait', () => {
    const waiting: ParentStatus['enclave'] = {
      cid: 16,
      state: 'waiting',
      code: 'VANISHED',
      until: NOW + 8_000,
    };
    expect(formatParentStatus({ ...SERVING, node: null, enclave: waiting }, NOW)).toContain(
      'starts again in 8 s',
    );
    expect(formatParentStatus({ ...SERVING, node: null, enclave: { cid: 16 } }, NOW)).toContain(
      'is the enclave running?',
    );
  });
});
