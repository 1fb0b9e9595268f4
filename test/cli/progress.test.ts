import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createProgress } from '../../cli/common/progress.ts';

function terminal(isTTY: boolean) {
  const written: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      written.push(chunk.toString());
      done();
    },
  });
  return { stderr: Object.assign(stream, { isTTY }), written };
}

const TWO_SECONDS_AGO = () => performance.now() - 2000;

describe('a progress bar', () => {
  it('shows on a terminal what takes longer than a second, and is gone in the end', () => {
    const { stderr, written } = terminal(true);
    const progress = createProgress({ stderr }, 'measuring', TWO_SECONDS_AGO());
    progress.update(1, 4);
    expect(written).toEqual(['\rmeasuring [######..................] 25 %']);
    progress.finish();
    expect(written.at(-1)).toBe('\r\u001b[K');
  });

  it('is not drawn for each of many updates', () => {
    const { stderr, written } = terminal(true);
    const progress = createProgress({ stderr }, 'measuring', TWO_SECONDS_AGO());
    for (let done = 0; done < 1000; done += 1) progress.update(done, 1000);
    expect(written.length).toBeLessThan(10);
  });

  it('never shows what is quick, nor where there is no terminal', () => {
    for (const [isTTY, now] of [
      [true, performance.now()],
      [false, TWO_SECONDS_AGO()],
    ] as const) {
      const { stderr, written } = terminal(isTTY);
      const progress = createProgress({ stderr }, 'measuring', now);
      progress.update(1, 4);
      progress.finish();
      expect(written).toEqual([]);
    }
  });
});
