import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  comparePcrs,
  describePcr,
  explainDifferences,
  extendPcr,
  formatPcrFile,
  measureInstanceId,
  measureInstanceRole,
  computeManifestPcr,
  parsePcrFile,
  reportPcrs,
  unsafeParseAttestationDocument,
  zeroPcr,
} from '../../attestation/index.ts';
import { forgedPcr } from './forge/document.ts';
import { GENUINE, hasGenuineDocuments, readGenuine } from './genuine.ts';

const sha384 = (...parts: Uint8Array[]): string => {
  const hash = createHash('sha384');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('measurements', () => {
  test('ExtendPCR is SHA-384 of the old value and the data', () => {
    const [old, data] = [forgedPcr('old'), Uint8Array.of(1, 2, 3)];
    expect(hex(extendPcr(old, data))).toBe(sha384(old, data));
    expect(() => extendPcr(new Uint8Array(32), data)).toThrow(RangeError);
  });

  test('PCR16 of a manifest is the extension with its digest', () => {
    const manifest = Buffer.from('{"node":1}');
    expect(hex(computeManifestPcr(manifest))).toBe(
      sha384(zeroPcr(), createHash('sha384').update(manifest).digest()),
    );
  });

  test('PCR3 and PCR4 are extensions with the name itself', () => {
    const role = 'arn:aws:iam::123456789012:role/node';
    expect(hex(measureInstanceRole(role))).toBe(sha384(zeroPcr(), Buffer.from(role)));
    expect(hex(measureInstanceId('i-0123456789abcdef0'))).toBe(
      sha384(zeroPcr(), Buffer.from('i-0123456789abcdef0')),
    );
  });

  test.skipIf(!hasGenuineDocuments).each(GENUINE)('PCR4 of $name is that of its instance', ({ name }) => {
    const { moduleId, pcrs } = unsafeParseAttestationDocument(readGenuine(name)).payload;
    expect(hex(measureInstanceId(moduleId.split('-enc')[0] ?? ''))).toBe(hex(pcrs.get(4) ?? zeroPcr()));
  });
});

describe('pcr.json', () => {
  const pcrs = new Map([2, 0, 16, 1].map((index) => [index, forgedPcr(`PCR${index}`)]));

  test('is written as it is read, in ascending order', () => {
    const text = formatPcrFile(pcrs);
    expect(parsePcrFile(text)).toEqual(pcrs);
    const { Measurements } = JSON.parse(text) as { Measurements: object };
    expect(Object.keys(Measurements)).toEqual(['HashAlgorithm', 'PCR0', 'PCR1', 'PCR2', 'PCR16']);
  });

  test('is taken with zero image PCRs only where debug enclaves are', () => {
    const text = formatPcrFile(new Map([0, 1, 2].map((index) => [index, zeroPcr()])));
    expect(() => parsePcrFile(text)).toThrow(expect.objectContaining({ code: 'PCR_FILE_ZERO' }));
    expect(parsePcrFile(text, { allowDebug: true }).size).toBe(3);
  });

  test('may name any PCRs for a NitroTPM', () => {
    const text = formatPcrFile(new Map([[7, forgedPcr('PCR7')]]));
    expect(parsePcrFile(text, { kind: 'nitrotpm' }).size).toBe(1);
  });
});

describe('the difference of two sets of PCRs', () => {
  const image = new Map([0, 1, 2].map((index) => [index, forgedPcr(`PCR${index}`)]));
  const explain = (...changes: (readonly [number, Uint8Array])[]): string =>
    explainDifferences(comparePcrs(image, new Map([...image, ...changes]))).join(' ');

  test('is told in words', () => {
    expect(explain([0, forgedPcr('x')], [1, forgedPcr('x')])).toContain('kernel');
    expect(explain([0, forgedPcr('x')], [2, forgedPcr('x')])).toBe('The application changed (PCR2).');
    expect(explain([8, forgedPcr('x')])).toBe(
      'The signing certificate is named now and was not before (PCR8).',
    );
    expect(explain([16, forgedPcr('x')])).toContain('manifest');
    expect(explain()).toBe('');
  });

  test('is doubted where the parts and the whole disagree', () => {
    expect(explain([0, forgedPcr('x')])).toContain('that cannot be');
    expect(explain([2, forgedPcr('x')])).toContain('that cannot be');
  });

  test('names what is gone', () => {
    const [difference] = comparePcrs(new Map([...image, [8, forgedPcr('x')]]), image);
    expect(difference).toMatchObject({ index: 8, after: null });
    expect(explainDifferences(difference === undefined ? [] : [difference])).toEqual([
      'The signing certificate is no longer named (PCR8).',
    ]);
  });

  test('reports a zero PCR as unused, never as matching, except for the image itself', () => {
    const zeros = new Map([0, 3, 8].map((index) => [index, zeroPcr()]));
    expect(reportPcrs(zeros, zeros).map(({ state }) => state)).toEqual(['matches', 'unused', 'unused']);
    expect(reportPcrs(image, new Map()).map(({ state }) => state)).toEqual(['set', 'set', 'set']);
    expect(reportPcrs(zeros, image).map(({ state }) => state)).toEqual([
      'differs',
      'differs',
      'differs',
      'unused',
      'unused',
    ]);
  });

  test('has words for every PCR', () => {
    expect(
      Array.from({ length: 32 }, (_, index) => describePcr(index)).every((words) => words.length > 5),
    ).toBe(true);
  });
});
