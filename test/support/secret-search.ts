import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Secret to look for, and its name in a report. */
export interface Needle {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Spells a secret in every way that a string or a file could hold it, as Latin-1 text. */
function spell(bytes: Uint8Array): readonly string[] {
  const raw = Buffer.from(bytes);
  const hex = raw.toString('hex');
  return [
    raw.toString('latin1'),
    Buffer.from(raw.toString('latin1'), 'utf8').toString('latin1'),
    hex,
    hex.toUpperCase(),
    [...raw].join(','),
    ...spellBase64(raw),
  ];
}

/** Spells base64 at each of three alignments, in the part that does not depend on the neighbours. */
function spellBase64(raw: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((shift) => {
    const padded = Buffer.concat([Buffer.alloc(shift), raw]);
    const text = padded.toString('base64').replace(/=+$/, '');
    const inner = text.slice(shift === 0 ? 0 : shift + 1, padded.length % 3 === 0 ? undefined : -1);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** Finds the names of the secrets that a text of Latin-1 characters holds in any spelling. */
export function findSecrets(haystack: Buffer, needles: readonly Needle[]): readonly string[] {
  return needles
    .filter(({ bytes }) => spell(bytes).some((text) => haystack.includes(text, 0, 'latin1')))
    .map(({ name }) => name);
}

/** Finds the names of the secrets whose raw bytes lie anywhere in a process's memory. */
export function findInMemory(pid: number, needles: readonly Needle[]): readonly string[] {
  const found = new Set<string>();
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const [start, end] of readableRanges(pid)) {
      const chunk = Buffer.alloc(end - start);
      const length = tryRead(memory, chunk, start);
      for (const { name, bytes } of needles) {
        if (chunk.subarray(0, length).includes(bytes)) found.add(name);
      }
    }
  } finally {
    closeSync(memory);
  }
  return [...found];
}

function readableRanges(pid: number): (readonly [number, number])[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  return lines.flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
    return match === null ? [] : [[Number(`0x${match[1]}`), Number(`0x${match[2]}`)] as const];
  });
}

function tryRead(memory: number, chunk: Buffer, position: number): number {
  try {
    return readSync(memory, chunk, 0, chunk.length, position);
  } catch {
    return 0;
  }
}
