import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openExchangeFolder } from '../../../cli/vault/exchange-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const BYTES = new Uint8Array(Buffer.from('{}'));
const refused = { code: 'STATEMENT_MALFORMED' };

function makeFolders() {
  const [folder, outside] = [temporaryFolder(), temporaryFolder()];
  return { folder, outside, exchange: openExchangeFolder(folder) };
}

describe('an exchange folder that a stranger has filled', () => {
  it('writes and reads again what is ours, below a folder that is a link itself', async () => {
    const { folder, outside } = makeFolders();
    symlinkSync(folder, join(outside, 'link'));
    const exchange = openExchangeFolder(join(outside, 'link'));
    await exchange.write('node-1/nonce.json', BYTES);
    await exchange.write('node-1/nonce.json', BYTES);
    expect(await exchange.read('node-1/nonce.json', 10)).toEqual(BYTES);
  });

  it('does not wait for the other end of a pipe', async () => {
    const { folder, exchange } = makeFolders();
    mkdirSync(join(folder, 'node-1'));
    execFileSync('mkfifo', [join(folder, 'node-1/nonce.json')]);
    await expect(exchange.read('node-1/nonce.json', 10)).rejects.toMatchObject(refused);
    await expect(exchange.write('node-1/nonce.json', BYTES)).rejects.toMatchObject(refused);
  });

  it('writes nothing through a link', async () => {
    const { folder, outside, exchange } = makeFolders();
    symlinkSync(outside, join(folder, 'node-1'));
    await expect(exchange.write('node-1/nonce.json', BYTES)).rejects.toMatchObject(refused);
    mkdirSync(join(folder, 'node-2'));
    symlinkSync('/dev/full', join(folder, 'node-2/nonce.json'));
    await expect(exchange.write('node-2/nonce.json', BYTES)).rejects.toMatchObject(refused);
    expect(readdirSync(outside)).toEqual([]);
  });

  it('takes no file that is longer than its maximum', async () => {
    const { folder, exchange } = makeFolders();
    writeFileSync(join(folder, 'long'), Buffer.alloc(11));
    await expect(exchange.read('long', 10)).rejects.toMatchObject(refused);
    expect(existsSync(join(folder, 'long'))).toBe(true);
  });
});
