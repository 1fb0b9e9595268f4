import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Vector } from './vector.ts';

/** Folder of the vector files: test/vectors/attestation/GROUP/NAME.json. */
export const VECTOR_FOLDER = fileURLToPath(new URL('../../vectors/attestation/', import.meta.url));

export function vectorText(vector: Vector): string {
  return `${JSON.stringify(vector, undefined, 1)}\n`;
}

/** Reads the text of every vector file, by the name of its vector. */
export function readVectorTexts(): Map<string, string> {
  const files = readdirSync(VECTOR_FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.json'),
  );
  return new Map(
    files.sort().map((file) => [file.slice(0, -5), readFileSync(join(VECTOR_FOLDER, file), 'utf8')]),
  );
}

export function readVectors(): Vector[] {
  return [...readVectorTexts().values()].map((text) => JSON.parse(text) as Vector);
}

/** Replaces all vector files. */
export function writeVectors(vectors: readonly Vector[]): void {
  rmSync(VECTOR_FOLDER, { recursive: true, force: true });
  for (const vector of vectors) {
    const file = join(VECTOR_FOLDER, `${vector.name}.json`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, vectorText(vector));
  }
}
