import { constants } from 'node:fs';
import { lstat, mkdir, open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ExchangeError, type ExchangeFolder } from '../../admin/vault/exchange/index.ts';
import { UsageError } from '../common/command.ts';
import { writeOutput } from '../common/output-file.ts';
import { describeSystemError } from '../common/system-error.ts';

/** Opens the folder in which the roles leave their statements for each other; it need not exist yet. */
export function openExchangeFolder(folder: string): ExchangeFolder {
  return {
    read: async (path, maxBytes) => await readWhole(join(folder, path), maxBytes, path),
    write: async (path, bytes) => {
      const target = join(folder, path);
      try {
        await mkdir(dirname(target), { recursive: true });
        await assertInside(folder, path);
      } catch (error) {
        if (error instanceof ExchangeError) throw error;
        throw new UsageError(`cannot write ${target}: ${describeSystemError(error)}`);
      }
      await writeOutput(target, bytes);
    },
  };
}

/**
 * Asserts that a file will be written in the folder itself: whoever the folder has come from may have put links into it,
 * pipes and devices.
 *
 * @throws ExchangeError STATEMENT_MALFORMED
 */
async function assertInside(folder: string, path: string): Promise<void> {
  const target = join(folder, path);
  const place = await realpath(dirname(target));
  const found = await lstat(target).catch(() => undefined);
  if (place === join(await realpath(folder), dirname(path)) && (found === undefined || found.isFile()))
    return;
  throw new ExchangeError('STATEMENT_MALFORMED', 'a link, a pipe or a device lies in the exchange folder', {
    file: path,
  });
}

async function readWhole(path: string, maxBytes: number, name: string): Promise<Uint8Array | undefined> {
  try {
    // The other end of a pipe is not waited for.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // One byte more, which shows that there is more; a pipe or a device is none of ours.
    const { size } = await file.stat().then((found) => (found.isFile() ? found : { size: maxBytes + 1 }));
    if (size > maxBytes) {
      throw new ExchangeError('STATEMENT_MALFORMED', 'a file of the exchange is longer than its maximum', {
        file: name,
        maximum: maxBytes,
      });
    }
    const buffer = Buffer.alloc(size);
    const { bytesRead } = await file.read(buffer, 0, size, 0);
    return new Uint8Array(buffer.subarray(0, bytesRead));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (error instanceof ExchangeError) throw error;
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
  }
}
