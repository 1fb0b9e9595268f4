import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { askHidden, canAskHidden } from '../../../cli/common/hidden-input.ts';
import { CliError } from '../../../cli/common/errors.ts';

function terminal(isTTY = true) {
  const abort = new AbortController();
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const stderr = Object.assign(new PassThrough(), { isTTY });
  let printed = '';
  stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const io = { stdin, stderr, stdout: new PassThrough(), signal: abort.signal };
  return { io, abort, shown: () => printed };
}
const codeOf = async (asked: Promise<string>) =>
  await asked.then(
    () => 'answered',
    (error: unknown) => (error instanceof CliError ? error.code : String(error)),
  );

describe('a line that is not shown', () => {
  it('is asked for once the terminal shows nothing any more: who types fast would be seen', async () => {
    const { io, shown } = terminal();
    const order: string[] = [];
    Object.assign(io.stdin, {
      setRawMode: (isRaw: boolean) => order.push(`raw ${isRaw}, shown ${JSON.stringify(shown())}`),
    });
    io.stderr.on('data', () => order.push('asked'));
    const asked = askHidden(io, 'Passphrase: ', 64);
    await new Promise(setImmediate);
    expect(order).toEqual(['raw true, shown ""', 'asked']);
    io.stdin.write('typed\r');
    await asked;
  });

  it('is what was typed, corrected and with its spaces, and nothing of it is printed', async () => {
    const { io, shown } = terminal();
    const asked = askHidden(io, 'Passphrase: ', 64);
    io.stdin.write(' six wordz\u007Fs \r');
    expect(await asked).toBe(' six words ');
    await new Promise(setImmediate);
    expect(shown()).toBe('Passphrase: \n');
  });

  it('is cut behind its maximum', async () => {
    const { io } = terminal();
    const asked = askHidden(io, '', 4);
    io.stdin.write('123456\r');
    expect(await asked).toBe('1234');
  });

  it.each([
    ['Ctrl-C', (t: ReturnType<typeof terminal>) => t.io.stdin.write('half\u0003')],
    ['the end of the input', (t: ReturnType<typeof terminal>) => t.io.stdin.end()],
    ['a signal', (t: ReturnType<typeof terminal>) => t.abort.abort()],
  ])('is given up at %s', async (_, interrupt) => {
    const one = terminal();
    const asked = codeOf(askHidden(one.io, '', 64));
    interrupt(one);
    expect(await asked).toBe('INTERRUPTED');
  });

  it('is asked of a person at a terminal alone', () => {
    expect([canAskHidden(terminal().io), canAskHidden(terminal(false).io)]).toEqual([true, false]);
  });
});
