import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { makeFolder, makeKey, makeManifest } from '../node-files.ts';

const ADDRESS = 'tz1LbYhmrfhwdpABTKEwNjfvJ8NgMdCVyfwX';

function prepare(yaml: string) {
  const folder = makeFolder();
  const key = makeKey();
  const manifest = folder.write('manifest.json', makeManifest([key.publicKey]).text);
  const file = folder.write('signatory.yaml', yaml);
  const words = ['config', 'import', file, '--manifest', manifest, '--client-key', key.publicKey];
  return { folder, manifest, words };
}

describe('holdfast config import', () => {
  it('writes a configuration that config lint takes, and says what became of each field', async () => {
    const { folder, words } = prepare(
      `tezos:\n  ${ADDRESS}: { allow: { block: , generic: [transaction] } }\n`,
    );
    const output = folder.at('draft.json');
    const { exit, out } = await runHoldfast([
      ...words,
      '--chain',
      'NetXdQprcVkpaWU',
      '--output',
      output,
      '--gateway',
      folder.at('gateway.yaml'),
    ]);
    expect(exit).toBe(0);
    expect(out).toContain(`  tezos.${ADDRESS}.allow.block: on tezos:NetXdQprcVkpaWU alone`);
    expect(out).toContain(`key ${ADDRESS.toLowerCase()}: a new one of the node, in place of ${ADDRESS}`);
    expect((await runHoldfast(['config', 'lint', output])).exit).toBe(0);
    expect(JSON.parse(readFileSync(output, 'utf8'))).toMatchObject({
      format: 'holdfast-configuration/2',
      version: 1,
    });
    expect(parse(readFileSync(folder.at('gateway.yaml'), 'utf8'))).toMatchObject({
      clients: [{ id: 'tezos-door' }],
      tezos: { listen: { port: 6732 }, client: 'tezos-door', keys: [{ id: ADDRESS.toLowerCase() }] },
    });
  });

  it('gives report and configuration to programs', async () => {
    const { words } = prepare(`tezos:\n  ${ADDRESS}:\n`);
    const { out } = await runHoldfast([...words, '--chain', 'NetXdQprcVkpaWU', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      report: { stricter: [{ field: `tezos.${ADDRESS}` }] },
      configuration: { clients: [{ id: 'tezos-door' }] },
    });
  });

  it('takes no field that Signatory does not have', async () => {
    const { words } = prepare(`tezos:\n  ${ADDRESS}: { alow: { block: } }\n`);
    expect(refusalIn(await runHoldfast([...words, '--json']))).toMatchObject({
      exit: 1,
      code: 'SIGNATORY_UNKNOWN_FIELD',
    });
  });

  it.each([
    ['--client-key', 'AB'.repeat(32)],
    ['--without', 'watermarks'],
    ['--into', 'nowhere.json'],
    ['--gateway', '-'],
    ['--output', '-'],
  ])('takes %s %s for a mistake', async (option, value) => {
    const { words } = prepare('tezos:\n');
    expect((await runHoldfast([...words, option, value])).exit).toBe(2);
  });
});
