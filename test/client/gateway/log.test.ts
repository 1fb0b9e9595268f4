import { expect, it } from 'vitest';
import { createGatewayLog } from '../../../client/gateway/index.ts';

const EVENT = { id: 'i', door: 'kms', code: 'OK', status: 200, durationMs: 1, isDelivered: true };

it.each(['json', 'text'] as const)('writes names as they were sent in one line of ASCII: %s', (format) => {
  const lines: string[] = [];
  const log = createGatewayLog((line) => lines.push(line), { format, payloads: false, clock: () => 0 });
  const key = 'a\n\u001b[2J\u009b31m\u007f\u0085\u2028é" level=error';
  log.request({ ...EVENT, key });
  const [line = ''] = lines;
  expect(line).toMatch(/^[\x20-\x7e]*\n$/);
  const quoted =
    format === 'json'
      ? line
      : `{${/"key"|key=("(?:[^"\\]|\\.)*")/.exec(line)?.[0].replace('key=', '"key":')}}`;
  expect(JSON.parse(quoted)).toMatchObject({ key });
});
