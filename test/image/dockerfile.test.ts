import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../../scripts/image/inputs.ts';

const dockerfile = readFileSync(join(ROOT, 'docker/Dockerfile'), 'utf8');
const instructions = dockerfile
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n/g, '')
  .trim()
  .split('\n');

describe('the Dockerfile', () => {
  test('starts from nothing and adds one archive: there is no base to pin, and nothing to fetch', () => {
    expect(instructions.map((line) => line.split(' ')[0])).toEqual(['FROM', 'ADD', 'CMD']);
    expect(instructions.slice(0, 2)).toEqual(['FROM scratch', 'ADD rootfs.tar /']);
  });

  test("starts Node as the image's init does", () => {
    const source = readFileSync(join(ROOT, 'shared/native/init/init.c'), 'utf8');
    const [, list = ''] = /NODE_ARGUMENTS\[\] = \{([^}]*)\}/.exec(source) ?? [];
    const ofInit = [...list.matchAll(/"([^"]+)"/g)].map(([, word]) => word);
    const command = JSON.parse(instructions[2]?.slice('CMD '.length) ?? '') as string[];
    expect(command).toEqual(ofInit);
    expect(command.at(-1)).toBe('/app/main.mjs');
  });
});
