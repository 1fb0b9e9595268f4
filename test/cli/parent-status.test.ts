import { describe, expect, test } from 'vitest';
import { formatParentStatus, type ParentStatus } from '../../cli/parent-status.ts';

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
