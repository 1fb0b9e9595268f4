import { describe, expect, test } from 'vitest';
import { MAX_EXIT_REPORT_BYTES, parseExitReport } from '../../shared/native/exit-report.ts';

describe('the last words of an enclave', () => {
  test('are an exit code, a signal and a reason', () => {
    expect(parseExitReport('holdfast-exit/1 exit=1 signal=0 reason=KEY_MISSING\n')).toEqual({
      exitCode: 1,
      signal: 0,
      reason: 'KEY_MISSING',
    });
    expect(parseExitReport('holdfast-exit/1 exit=0 signal=9 reason=NONE\n')).toEqual({
      exitCode: 0,
      signal: 9,
      reason: 'NONE',
    });
  });

  test('fit into the longest line with the longest reason', () => {
    const reason = 'R'.repeat(64);
    const line = `holdfast-exit/1 exit=255 signal=64 reason=${reason}\n`;
    expect(line.length).toBeLessThanOrEqual(MAX_EXIT_REPORT_BYTES);
    expect(parseExitReport(line)).toEqual({ exitCode: 255, signal: 64, reason });
  });

  test.each([
    '',
    'holdfast-exit/1 exit=1 signal=0 reason=KEY_MISSING',
    'holdfast-exit/2 exit=1 signal=0 reason=KEY_MISSING\n',
    'holdfast-exit/1 exit=-1 signal=0 reason=NONE\n',
    'holdfast-exit/1 exit=01 signal=0 reason=NONE\n',
    'holdfast-exit/1 exit=1000 signal=0 reason=NONE\n',
    'holdfast-exit/1 exit=1 signal=0 reason=\n',
    'holdfast-exit/1 exit=1 signal=0 reason=secret value\n',
    `holdfast-exit/1 exit=1 signal=0 reason=${'R'.repeat(65)}\n`,
    'holdfast-exit/1 exit=1 signal=0 reason=NONE\nmore\n',
    ' holdfast-exit/1 exit=1 signal=0 reason=NONE\n',
  ])('are not %j', (line) => {
    expect(parseExitReport(line)).toBeUndefined();
  });
});
