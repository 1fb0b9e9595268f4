import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { parsePcrFile } from '../../attestation/index.ts';
import { refusalIn, runHoldfast } from './in-process.ts';
import { makeFolder, makeKey, makeManifest } from './node-files.ts';

const REGISTER = 'a1'.repeat(48);
const IMAGE = { PCR0: REGISTER, PCR1: 'b2'.repeat(48), PCR2: 'c3'.repeat(48) };

/** SHA-384(48 zero bytes ‖ SHA-384(manifest)), spelt out. */
function pcr16Of(text: string): string {
  const digest = createHash('sha384').update(text).digest();
  return createHash('sha384').update(new Uint8Array(48)).update(digest).digest('hex');
}

let folder: ReturnType<typeof makeFolder>;
let text: string;
let manifest: string;
let pcr16: string;

beforeEach(() => {
  folder = makeFolder();
  ({ text } = makeManifest([makeKey().publicKey]));
  manifest = folder.write('manifest.json', text);
  pcr16 = pcr16Of(text);
});

const measure = (...args: string[]) => runHoldfast(['manifest', 'measure', manifest, ...args]);
const verify = (...args: string[]) => runHoldfast(['manifest', 'verify', manifest, ...args]);

/** A manifest's KMS key in some partition. */
const kmsIn = (partition: string, region: string) => ({
  kms: { keyArn: `arn:${partition}:kms:${region}:111122223333:key/a`, region },
});

describe('holdfast manifest measure', () => {
  it('prints PCR16 and nothing else', async () => {
    expect(await measure()).toEqual({ exit: 0, out: `${pcr16}\n`, err: '' });
    const { out } = await measure('--json');
    expect(JSON.parse(out)).toMatchObject({ ok: true, PCR16: pcr16 });
  });

  it('measures what standard input holds', async () => {
    const { exit, out } = await runHoldfast(['manifest', 'measure', '-'], { stdin: text });
    expect([exit, out]).toEqual([0, `${pcr16}\n`]);
  });

  it('gives another PCR16 when one byte changes that means nothing', async () => {
    folder.write('manifest.json', `${text} `);
    expect((await measure()).out).not.toContain(pcr16);
  });

  it('adds PCR16 to a pcr.json and leaves the rest, the formatting too', async () => {
    const before = [
      '{',
      '    "Measurements": {',
      '        "HashAlgorithm": "Sha384 { ... }",',
      `        "PCR0": "${IMAGE.PCR0}",`,
      `        "PCR1": "${IMAGE.PCR1}",`,
      `        "PCR2": "${IMAGE.PCR2.toUpperCase()}"`,
      '    },',
      '    "EifVersion": 4,',
      '    "Metadata": {',
      '        "BuildTime": "2026-11-01",',
      '        "Sizes": [',
      '            1',
      '        ]',
      '    }',
      '}',
      '',
    ].join('\n');
    const pcrs = folder.write('pcr.json', before, 0o640);
    expect((await measure('--pcrs', pcrs)).exit).toBe(0);
    const last = `"PCR2": "${IMAGE.PCR2.toUpperCase()}"`;
    expect(readFileSync(pcrs, 'utf8')).toBe(before.replace(last, `${last},\n        "PCR16": "${pcr16}"`));
    expect(statSync(pcrs).mode & 0o777).toBe(0o640);
  });

  it.each([
    ['PCR16', IMAGE],
    ['pcr16', { pcr0: IMAGE.PCR0, pcr1: IMAGE.PCR1, pcr2: IMAGE.PCR2 }],
    ['16', { 0: IMAGE.PCR0, 1: IMAGE.PCR1, 2: IMAGE.PCR2 }],
  ])('names it %s where the others are named so', async (name, registers) => {
    const pcrs = folder.write('pcr.json', JSON.stringify(registers));
    expect((await measure('--pcrs', pcrs)).exit).toBe(0);
    const written = JSON.parse(readFileSync(pcrs, 'utf8')) as Record<string, string>;
    expect(written).toEqual({ ...registers, [name]: pcr16 });
    expect(parsePcrFile(readFileSync(pcrs)).has(16)).toBe(true);
  });

  it('writes elsewhere when it is told, and leaves no other file behind', async () => {
    const pcrs = folder.write('pcr.json', JSON.stringify(IMAGE));
    const { exit } = await measure('--pcrs', pcrs, '--output', folder.at('node-2.json'));
    expect(exit).toBe(0);
    expect(readFileSync(pcrs, 'utf8')).toBe(JSON.stringify(IMAGE));
    expect((await verify('--pcrs', folder.at('node-2.json'))).exit).toBe(0);
    expect(readdirSync(folder.path).sort()).toEqual(['manifest.json', 'node-2.json', 'pcr.json']);
  });

  it('changes nothing the second time', async () => {
    const pcrs = folder.write('pcr.json', JSON.stringify(IMAGE));
    await measure('--pcrs', pcrs);
    const once = readFileSync(pcrs);
    expect((await measure('--pcrs', pcrs)).exit).toBe(0);
    expect(readFileSync(pcrs)).toEqual(once);
  });

  it('replaces the PCR16 of another manifest only when it is told', async () => {
    const pcrs = folder.write('pcr.json', JSON.stringify({ ...IMAGE, PCR16: REGISTER }));
    expect(refusalIn(await measure('--pcrs', pcrs, '--json'))).toEqual({
      exit: 1,
      code: 'MANIFEST_PCR_PRESENT',
      details: { expected: pcr16, actual: REGISTER },
    });
    expect((await measure('--pcrs', pcrs, '--replace')).exit).toBe(0);
    expect((await verify('--pcrs', pcrs)).exit).toBe(0);
  });

  it('refuses to extend the pcr.json of a debug enclave', async () => {
    const pcrs = folder.write('pcr.json', JSON.stringify({ ...IMAGE, PCR0: '0'.repeat(96) }));
    expect(refusalIn(await measure('--pcrs', pcrs, '--json')).code).toBe('PCR_FILE_ZERO');
  });

  it.each([
    ['--output without --pcrs', ['--output', 'x']],
    ['--replace without --pcrs', ['--replace']],
    ['a pcr.json from standard input with nowhere to write', ['--pcrs', '-']],
    ['a pcr.json that is not there', ['--pcrs', '/nowhere/pcr.json']],
    ['two manifests', ['other.json']],
    ['an option that is given twice', ['--pcrs', 'a', '--pcrs', 'b']],
  ])('calls %s a usage error', async (_, args) => {
    expect((await measure(...args)).exit).toBe(2);
  });

  it('says which file it cannot write', async () => {
    const pcrs = folder.write('pcr.json', JSON.stringify(IMAGE));
    mkdirSync(folder.at('taken'));
    const { exit, err } = await measure('--pcrs', pcrs, '--output', folder.at('taken'));
    expect(exit).toBe(2);
    expect(err).toContain('taken');
    expect(readdirSync(folder.path).sort()).toEqual(['manifest.json', 'pcr.json', 'taken']);
  });
});

describe('holdfast manifest verify', () => {
  it('says who the node is, its key, its authorities and how many of them must sign', async () => {
    const keys = [makeKey().publicKey, makeKey().publicKey, makeKey().publicKey];
    ({ text } = makeManifest(keys, { threshold: 2 }));
    folder.write('manifest.json', text);
    const { exit, out } = await verify('--pcr16', pcr16Of(text).toUpperCase());
    expect(exit).toBe(0);
    for (const part of [
      'acme/production, node 2 of 3',
      'arn:aws:kms:eu-central-1:111122223333:key/',
      '2 of 3 must sign',
      ...keys,
      pcr16Of(text),
      'verified',
    ]) {
      expect(out).toContain(part);
    }
  });

  it('says when it had nothing to compare with', async () => {
    expect((await verify()).out).not.toContain('verified');
    expect(JSON.parse((await verify('--json')).out)).toMatchObject({
      ok: true,
      compared: false,
      PCR16: pcr16,
      manifest: { namespace: 'acme', node: 2 },
    });
  });

  it('refuses another PCR16 and shows both', async () => {
    expect(refusalIn(await verify('--pcr16', REGISTER, '--json'))).toEqual({
      exit: 1,
      code: 'MANIFEST_PCR_MISMATCH',
      details: { expected: REGISTER, actual: pcr16 },
    });
    const pcrs = folder.write('pcr.json', JSON.stringify({ ...IMAGE, PCR16: REGISTER }));
    expect(refusalIn(await verify('--pcrs', pcrs, '--json')).code).toBe('MANIFEST_PCR_MISMATCH');
  });

  it('refuses a pcr.json that names no PCR16', async () => {
    const pcrs = folder.write('pcr.json', JSON.stringify(IMAGE));
    expect(refusalIn(await verify('--pcrs', pcrs, '--json')).code).toBe('MANIFEST_PCR_MISSING');
  });

  it.each([
    ['node', { node: 4 }],
    ['quorum.threshold', { quorum: { size: 3, threshold: 4 } }],
    ['kms.region', { kms: { keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/a', region: 'eu-west-1' } }],
    [
      'kms.keyArn',
      { kms: { keyArn: 'arn:aws:kms:eu-central-1:111122223333:alias/a', region: 'eu-central-1' } },
    ],
    ['kms.region', kmsIn('aws-iso', 'us-iso-east-1')],
    ['kms.region', kmsIn('aws-iso-b', 'us-isob-east-1')],
    ['kms.region', kmsIn('aws-iso-e', 'eu-isoe-west-1')],
    ['kms.region', kmsIn('aws-iso-f', 'us-isof-south-1')],
    ['kms.region', kmsIn('aws', 'nowhere-1')],
    ['kms.keyArn', kmsIn('aws', 'eusc-de-east-1')],
    ['kms.keyArn', kmsIn('aws-eusc', 'eu-central-1')],
    ['configurationAuthority.threshold', { threshold: 2 }],
    ['emergencyRecovery.publicKey', { emergencyRecovery: { publicKey: 'AB'.repeat(32) } }],
  ])('refuses a manifest and names the field %s', async (field, changes) => {
    folder.write('manifest.json', makeManifest([makeKey().publicKey], changes).text);
    expect(refusalIn(await verify('--json'))).toMatchObject({
      exit: 1,
      code: 'MANIFEST_MALFORMED',
      details: { field, problem: expect.not.stringContaining('Invalid input') },
    });
  });

  it.each([
    ['aws', 'eu-central-1'],
    ['aws-cn', 'cn-north-1'],
    ['aws-eusc', 'eusc-de-east-1'],
    ['aws-us-gov', 'us-gov-west-1'],
  ])('takes a key in the partition %s', async (partition, region) => {
    folder.write('manifest.json', makeManifest([makeKey().publicKey], kmsIn(partition, region)).text);
    expect((await verify('--json')).exit).toBe(0);
  });

  it.each([
    ['an unknown field', () => text.replace('{', '{"comment": "x",')],
    ['a key that is there twice', () => text.replace('"node": 2', '"node": 1, "node": 2')],
    ['a byte order mark', () => `\ufeff${text}`],
    ['nesting', () => '['.repeat(1000)],
    ['nothing', () => ''],
    ['a manifest that is too long', () => text + ' '.repeat(16 * 1024)],
  ])('refuses %s: exit 1, whatever is asked of it', async (_, make) => {
    folder.write('manifest.json', make());
    expect(refusalIn(await verify('--json'))).toMatchObject({ exit: 1, code: 'MANIFEST_MALFORMED' });
    expect(refusalIn(await measure('--json'))).toMatchObject({ exit: 1, code: 'MANIFEST_MALFORMED' });
  });

  it('says why the JSON is none', async () => {
    folder.write('manifest.json', text.replace('"node": 2', '"node": 1, "node": 2'));
    expect((await verify()).err).toContain('JSON_DUPLICATE_KEY');
  });

  it('lets no field name move the cursor', async () => {
    folder.write('manifest.json', text.replace('{', '{"\\u001b[2J\u202e": 1,'));
    const { exit, err } = await verify();
    expect(exit).toBe(1);
    expect(err).toMatch(/^[\x20-\x7e\n]*$/);
  });

  it.each([
    ['both sources', ['--pcr16', REGISTER, '--pcrs', 'pcr.json']],
    ['a PCR16 that is none', ['--pcr16', 'abc']],
  ])('calls %s a usage error', async (_, args) => {
    expect((await verify(...args)).exit).toBe(2);
  });
});
