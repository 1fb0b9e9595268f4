/** Images that AWS's own builder wrote, and the registers that it printed. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildEif, describeEif, type EifMetadata, memorySource } from '../../../attestation/eif/index.ts';
import { parsePcrFile } from '../../../attestation/pcr-file.ts';
import { createMemorySink } from './memory-sink.ts';
import { toHex } from './raw-image.ts';

const FOLDER = new URL('../../vectors/eif/', import.meta.url);
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.eif'))
  .map((name) => name.slice(0, -4));

const readImage = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`${name}.eif`, FOLDER)));
const readPrinted = (name: string): Record<string, string> => {
  const { HashAlgorithm: _, ...pcrs } = JSON.parse(
    readFileSync(new URL(`${name}.pcrs.json`, FOLDER), 'utf8'),
  ) as Record<string, string>;
  return pcrs;
};

describe("images of AWS's builder", () => {
  it('are there', () => {
    expect(NAMES.length).toBeGreaterThanOrEqual(7);
  });

  it.each(NAMES)('%s measures as the builder printed', async (name) => {
    const { measurements } = await describeEif(memorySource(readImage(name)));
    expect(toHex(measurements)).toEqual(readPrinted(name));
  });

  it.each(['Sha384 { ... }', 'Sha512_48 { .. }'])('%s is how AWS prints the name of the hash', (name) => {
    const printed = { HashAlgorithm: name, ...readPrinted('signed-p384') };
    expect(toHex(parsePcrFile(JSON.stringify(printed)))).toEqual(readPrinted('signed-p384'));
  });

  it.each([
    ['signed-p256', 'ES256'],
    ['signed-p384', 'ES384'],
    ['signed-p521', 'ES512'],
    ['signed-guide', 'ES384'],
  ])('%s carries a good %s signature', async (name, algorithm) => {
    const { signature } = await describeEif(memorySource(readImage(name)));
    expect(signature?.algorithm).toBe(algorithm);
    expect(signature?.certificate.subject).toContain('CN=image signer');
  });

  it.each(['two-ramdisks', 'one-ramdisk', 'aarch64'])('%s is rebuilt byte for byte', async (name) => {
    const image = readImage(name);
    const { sections, cmdline, architecture, metadata } = await describeEif(memorySource(image));
    const contentsOf = (kind: string) =>
      sections
        .filter((section) => section.kind === kind)
        .map(({ offset, size }) => memorySource(image.subarray(offset + 12, offset + 12 + size)));
    const sink = createMemorySink();
    await buildEif(
      {
        kernel: contentsOf('kernel')[0] ?? memorySource(new Uint8Array()),
        cmdline,
        ramdisks: contentsOf('ramdisk'),
        architecture,
        metadata: metadata?.content as unknown as EifMetadata,
      },
      sink,
    );
    expect(Buffer.from(sink.bytes())).toEqual(Buffer.from(image));
  });
});
