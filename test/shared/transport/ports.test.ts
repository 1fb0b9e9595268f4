import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PARENT_CID, PARENT_PORT } from '../../../shared/transport/ports.ts';

it('gives every service of the parent a port of its own', () => {
  const ports = Object.values(PARENT_PORT);
  expect(new Set(ports).size).toBe(ports.length);
});

it('is what the init of the enclave dials, which is C', () => {
  const init = readFileSync(new URL('../../../shared/native/init/init.c', import.meta.url), 'utf8');
  const defined = (name: string) => Number(new RegExp(`#define ${name} (\\d+)`).exec(init)?.[1]);
  expect(defined('PARENT_CID')).toBe(PARENT_CID);
  expect(defined('EXIT_PORT')).toBe(PARENT_PORT.exit);
  expect(defined('HEARTBEAT_PORT')).toBe(PARENT_PORT.heartbeat);
});
