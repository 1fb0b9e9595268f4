import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEnvelope, signEnvelope } from '../../shared/dsse/index.ts';
import { type ConfigurationDocument1, openConfiguration } from '../../shared/documents/configuration.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import { refusalIn, runHoldfast, type RunOptions } from './in-process.ts';
import { exportPem, makeConfiguration, makeFolder, makeKey, makeManifest, RULE } from './node-files.ts';

const [ANN, BEN, EVE] = [makeKey(), makeKey(), makeKey()];
const { manifest: MANIFEST, text: MANIFEST_TEXT, digest } = makeManifest([ANN.publicKey, BEN.publicKey]);

let folder: ReturnType<typeof makeFolder>;
let manifest: string;
let plain: string;
let ann: string;
let ben: string;
let eve: string;

beforeEach(() => {
  folder = makeFolder();
  manifest = folder.write('manifest.json', MANIFEST_TEXT);
  plain = write('plain.json', makeConfiguration(digest, 7));
  ann = folder.write('ann.pem', ANN.pem, 0o600);
  ben = folder.write('ben.pem', BEN.pem, 0o600);
  eve = folder.write('eve.pem', EVE.pem, 0o600);
});

function write(name: string, configuration: ConfigurationDocument1): string {
  return folder.write(name, JSON.stringify(configuration, undefined, 2));
}

/** Signs; where nobody is asked and nothing is compared, somebody has agreed beforehand. */
function sign(file: string, key: string, args: readonly string[] = [], options: RunOptions = {}) {
  const isAgreed = options.isTerminal !== true && !args.includes('--against');
  return signAsked(file, key, [...args, ...(isAgreed && !args.includes('--yes') ? ['--yes'] : [])], options);
}

function signAsked(file: string, key: string, args: readonly string[] = [], options: RunOptions = {}) {
  return runHoldfast(['config', 'sign', file, '--key', key, ...args], options);
}

function verify(file: string, ...args: string[]) {
  return runHoldfast(['config', 'verify', file, '--manifest', manifest, ...args]);
}

async function signTwice(name: string, configuration: ConfigurationDocument1): Promise<string> {
  const output = folder.at(name);
  await sign(write('unsigned.json', configuration), ann, ['--output', output]);
  await sign(output, ben, ['--output', output]);
  return output;
}

const open = (path: string) =>
  openConfiguration(readFileSync(path), {
    manifest: MANIFEST,
    digest: digestManifest(Buffer.from(MANIFEST_TEXT)),
  });

describe('holdfast config sign', () => {
  it('signs the very bytes of the file, authority after authority, until the node takes it', async () => {
    const [once, twice] = [folder.at('once.json'), folder.at('twice.json')];
    const first = await sign(plain, ann, ['--manifest', manifest, '--output', once]);
    expect(first.exit).toBe(0);
    expect(first.out).toContain('1 of 2 signatures that are needed');
    expect(refusalIn(await verify(once, '--json')).code).toBe('CONFIGURATION_UNDER_SIGNED');

    expect((await sign(once, ben, ['--manifest', manifest, '--output', twice])).out).toContain('2 of 2');
    expect(open(twice).signers).toEqual([ANN.publicKey, BEN.publicKey]);
    const { payload } = JSON.parse(readFileSync(twice, 'utf8')) as { payload: string };
    expect(Buffer.from(payload, 'base64')).toEqual(readFileSync(plain));
  });

  it('prints the envelope alone on standard output, and the summary beside it', async () => {
    const { exit, out, err } = await sign(plain, ann);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ signatures: [{ keyid: ANN.publicKey }] });
    expect(err).toContain('version 7');
    const again = await runHoldfast(['config', 'sign', '-', '--key', ben, '--yes', '--json'], { stdin: out });
    expect(again.err).toBe('');
    expect(JSON.parse(again.out)).toMatchObject({
      ok: true,
      signer: BEN.publicKey,
      signatures: [
        { key: ANN.publicKey, isValid: true },
        { key: BEN.publicKey, isValid: true },
      ],
      envelope: { signatures: [{ keyid: ANN.publicKey }, { keyid: BEN.publicKey }] },
    });
  });

  it('says in words what is signed: version, clients, keys, rules, orders', async () => {
    const file = write(
      'full.json',
      makeConfiguration(digest, 8, {
        initialise: { id: 'first', notAfter: '2026-12-01T00:00:00Z', password: 'supplied' },
      }),
    );
    const { err } = await sign(file, ann);
    for (const part of [
      'version 8',
      `wallet: key ${'11'.repeat(32)}`,
      'hot: ed25519',
      'hot-messages: wallet may sign with hot, ed25519 of message, 10 per 60 s',
      'ORDERS to start an empty store (first), until 2026-12-01T00:00:00Z, password supplied',
    ]) {
      expect(err).toContain(part);
    }
  });

  it('says in words which shares are pinned, which could be planted, and what is dropped for good', async () => {
    const share = { id: 'hot', type: 'frost-ed25519' } as const;
    const rules = [
      { ...RULE, operations: ['import-share' as const], algorithms: ['frost-ed25519' as const] },
    ];
    const drop = [{ id: 'cold', type: 'p256' as const, publicKey: '02'.repeat(33) }];
    const open = write('open.json', makeConfiguration(digest, 8, { keys: [share], rules, drop }));
    const { err } = await sign(open, ann, ['--yes']);
    expect(err).toContain('WARNING: a client that may import hot chooses its group');
    expect(err).toContain(`ORDERS to drop from the store, for good:\n    cold: p256 ${'02'.repeat(33)}`);
    const pinned = { ...share, commitments: 'ab'.repeat(48) };
    const closed = await sign(
      write('closed.json', makeConfiguration(digest, 8, { keys: [pinned], rules })),
      ann,
    );
    expect(closed.err).toContain(`hot: frost-ed25519, of the group with commitments ${'ab'.repeat(48)}`);
    expect(closed.err).not.toContain('WARNING');
    expect(closed.err).not.toContain('ORDERS');
  });

  it('counts an authority once, however often it signs', async () => {
    const output = folder.at('signed.json');
    await sign(plain, ann, ['--output', output]);
    const { out } = await sign(output, ann, ['--output', output, '--manifest', manifest]);
    expect(out).toContain('1 of 2');
  });

  it('refuses a configuration of another manifest, with both digests', async () => {
    const other = write('other.json', makeConfiguration('00'.repeat(48), 7));
    expect(refusalIn(await sign(other, ann, ['--manifest', manifest, '--json']))).toEqual({
      exit: 1,
      code: 'CONFIGURATION_OTHER_MANIFEST',
      details: { expected: digest, actual: '00'.repeat(48) },
    });
  });

  it('refuses a key that the manifest does not name', async () => {
    const output = folder.at('signed.json');
    const finished = await sign(plain, eve, ['--manifest', manifest, '--output', output, '--json']);
    expect(refusalIn(finished)).toMatchObject({
      exit: 1,
      code: 'KEY_NOT_AUTHORITY',
      details: { key: EVE.publicKey },
    });
    expect(readdirSync(folder.path)).not.toContain('signed.json');
  });

  it.each([7, 8])('refuses version 7 where version %d is in force', async (version) => {
    const old = write('old.json', makeConfiguration(digest, version));
    expect(refusalIn(await sign(plain, ann, ['--against', old, '--json']))).toMatchObject({
      exit: 1,
      code: 'VERSION_NOT_NEWER',
      details: { inForce: version, actual: 7 },
    });
  });

  it('believes an old configuration only when the authorities have signed it', async () => {
    const old = write('old.json', makeConfiguration(digest, 6));
    const args = ['--manifest', manifest, '--json', '--against'];
    expect(refusalIn(await sign(plain, ann, [...args, old])).code).toBe('CONFIGURATION_UNDER_SIGNED');
    const signed = await signTwice('old-signed.json', makeConfiguration(digest, 6));
    const { out } = await sign(plain, ann, [...args, signed]);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      against: { version: 6, isVerified: true, changes: [] },
    });
  });

  it('says that nobody verified the old one without a manifest', async () => {
    const old = write('old.json', makeConfiguration(digest, 6));
    const { err } = await sign(plain, ann, ['--against', old]);
    expect(err).toContain('against version 6: nothing changes');
    expect(err).toContain('nobody verified');
  });

  it.each([
    ['no JSON', 'version: 7'],
    ['JSON that is no configuration', '{"version": 7}'],
    ['a rule with a field that nobody knows', JSON.stringify({ rules: [{ ...RULE, limit: 1 }] })],
    ['an envelope that is none', '{"payloadType": 1}'],
    ['an envelope of something else', JSON.stringify(createEnvelope('text/plain', Buffer.from('{}')))],
    ['nesting', '['.repeat(5000)],
    ['nothing', ''],
    ['more than a node takes', ' '.repeat(1024 * 1024 + 1)],
  ])('refuses %s: exit 1', async (_, content) => {
    const file = folder.write('hostile.json', content);
    expect(refusalIn(await sign(file, ann, ['--json']))).toMatchObject({
      exit: 1,
      code: 'CONFIGURATION_MALFORMED',
    });
  });

  it('names the field of a malformed configuration', async () => {
    const file = write('bad.json', makeConfiguration(digest, 7, { rules: [{ ...RULE, algorithms: [] }] }));
    expect(refusalIn(await sign(file, ann, ['--json'])).details).toMatchObject({
      field: 'rules.0.algorithms',
    });
  });

  it('refuses a file that never ends without reading it to the end', async () => {
    expect(refusalIn(await sign('/dev/zero', ann, ['--json']))).toMatchObject({
      exit: 1,
      code: 'INPUT_TOO_LARGE',
    });
  });

  it('refuses an envelope that no node would take', async () => {
    const configuration = JSON.stringify(makeConfiguration(digest, 7));
    const file = folder.write('long.json', configuration + ' '.repeat(900 * 1024));
    expect(refusalIn(await sign(file, ann, ['--json'])).code).toBe('ENVELOPE_TOO_LARGE');
  });
});

describe('the key of holdfast config sign', () => {
  it.each([0o640, 0o604, 0o620, 0o602])('is refused when others may read or write it: %o', async (mode) => {
    chmodSync(ann, mode);
    expect(refusalIn(await sign(plain, ann, ['--json']))).toMatchObject({
      exit: 1,
      code: 'KEY_FILE_EXPOSED',
    });
  });

  it('may be read-only to its owner', async () => {
    chmodSync(ann, 0o400);
    expect((await sign(plain, ann)).exit).toBe(0);
  });

  it.each([
    ['of another kind', () => exportPem(generateKeyPairSync('x25519').privateKey)],
    ['on a curve', () => exportPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)],
    [
      'with a password',
      () =>
        generateKeyPairSync('ed25519').privateKey.export({
          type: 'pkcs8',
          format: 'pem',
          cipher: 'aes-256-cbc',
          passphrase: 'sesame',
        }),
    ],
    [
      'that is public',
      () => generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }),
    ],
    ['that is too long', () => ANN.pem + '\n'.repeat(5000)],
    ['that is none', () => 'c2VjcmV0'],
  ])('is refused when it is one %s, and is never printed', async (_, make) => {
    const pem = make();
    const key = folder.write('odd.pem', pem, 0o600);
    const finished = await sign(plain, key, ['--json']);
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'KEY_FILE_MALFORMED' });
    for (const line of pem.split('\n').filter((part) => part !== '' && !part.startsWith('-----'))) {
      expect(finished.out + finished.err).not.toContain(line);
    }
  });

  it('is a usage error when it is not there', async () => {
    expect((await sign(plain, folder.at('nobody.pem'))).exit).toBe(2);
    expect((await runHoldfast(['config', 'sign', plain])).exit).toBe(2);
  });
});

describe('a person at a terminal', () => {
  it.each(['y\n', 'Yes\n'])('is shown what is signed and says %j', async (stdin) => {
    const { exit, err } = await sign(plain, ann, ['--output', folder.at('signed.json')], {
      isTerminal: true,
      stdin,
    });
    expect(exit).toBe(0);
    expect(err.indexOf('version 7')).toBeLessThan(err.indexOf(`sign as ${ANN.publicKey}?`));
    expect(readdirSync(folder.path)).toContain('signed.json');
  });

  it.each(['n\n', '\n', 'yikes\n', ''])('says no with %j, and nothing is signed', async (stdin) => {
    const args = ['--output', folder.at('signed.json'), '--json'];
    const finished = await sign(plain, ann, args, { isTerminal: true, stdin });
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'DECLINED' });
    expect(readdirSync(folder.path)).not.toContain('signed.json');
  });

  it('may leave with Ctrl-C', async () => {
    const abort = new AbortController();
    // Whoever reads has asked.
    const stdin = new Readable({ read: () => void setImmediate(() => abort.abort()) });
    const finished = sign(plain, ann, ['--json'], { isTerminal: true, stdin, signal: abort.signal });
    expect(refusalIn(await finished).code).toBe('DECLINED');
  });

  it('is not asked with --yes', async () => {
    const { exit, err } = await sign(plain, ann, ['--yes'], { isTerminal: true });
    expect(exit).toBe(0);
    expect(err).not.toContain('[y/N]');
  });
});

describe('without a terminal', () => {
  const grown = () => {
    const { rules } = makeConfiguration(digest, 7);
    const added = rules.map((rule) => ({ ...rule, id: 'another', rate: null }));
    return write('grown.json', makeConfiguration(digest, 8, { rules: [...rules, ...added] }));
  };
  const shrunk = () => write('shrunk.json', makeConfiguration(digest, 8, { rules: [] }));

  it('nobody agrees to a change that grants something: DECLINED, and nothing is signed', async () => {
    const output = folder.at('signed.json');
    for (const stdin of ['', 'y\n']) {
      const finished = await sign(grown(), ann, ['--against', plain, '--output', output, '--json'], {
        stdin,
      });
      const { code, exit, details } = refusalIn(finished);
      expect([exit, code]).toEqual([1, 'DECLINED']);
      expect(String(details['grants'])).toContain('another');
      expect(readdirSync(folder.path)).not.toContain('signed.json');
    }
  });

  it('--yes agrees to it', async () => {
    const { exit, out } = await sign(grown(), ann, ['--against', plain, '--yes', '--json']);
    expect([exit, JSON.parse(out)]).toEqual([0, expect.objectContaining({ ok: true })]);
  });

  it('nobody agrees to a configuration that is compared with none: DECLINED, and nothing is signed', async () => {
    const output = folder.at('first.json');
    for (const args of [[], ['--manifest', manifest]])
      for (const stdin of ['', 'y\n']) {
        const finished = await signAsked(plain, ann, [...args, '--output', output, '--json'], { stdin });
        expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'DECLINED' });
        expect(readdirSync(folder.path)).not.toContain('first.json');
      }
    expect((await signAsked(plain, ann, ['--output', output, '--yes'])).exit).toBe(0);
  });

  it('nobody agrees to drop a key for good: DECLINED, with the configuration in force or without', async () => {
    const drop = [{ id: 'gone', type: 'ed25519', publicKey: 'ab'.repeat(32) }] as const;
    const dropping = write('dropping.json', makeConfiguration(digest, 8, { drop: [...drop] }));
    for (const args of [['--against', plain], []]) {
      const { code, exit, details } = refusalIn(await signAsked(dropping, ann, [...args, '--json']));
      expect([exit, code]).toEqual([1, 'DECLINED']);
      expect(JSON.stringify(details)).toContain('gone');
    }
    expect((await sign(dropping, ann, ['--yes'])).exit).toBe(0);
    // It was agreed to before, and is carried out once.
    const same = write('same.json', makeConfiguration(digest, 9, { drop: [...drop] }));
    expect((await sign(same, ann, ['--against', dropping])).exit).toBe(0);
  });

  it('what takes permissions away is signed as before', async () => {
    expect((await sign(shrunk(), ann, ['--against', plain])).exit).toBe(0);
  });
});

describe('holdfast config verify', () => {
  it('says who signed and that it is enough', async () => {
    const signed = await signTwice('signed.json', makeConfiguration(digest, 7));
    const { exit, out } = await verify(signed);
    expect(exit).toBe(0);
    for (const part of [`${ANN.publicKey}: good`, `${BEN.publicKey}: good`, '2 of 2', 'verified']) {
      expect(out).toContain(part);
    }
    expect(JSON.parse((await verify(signed, '--json')).out)).toMatchObject({
      ok: true,
      signers: [ANN.publicKey, BEN.publicKey],
      configuration: { version: 7 },
    });
  });

  it('refuses too few signatures and says whose count', async () => {
    const output = folder.at('signed.json');
    await sign(plain, ann, ['--output', output]);
    await sign(output, eve, ['--output', output]);
    const { code, details, exit } = refusalIn(await verify(output, '--json'));
    expect([exit, code]).toEqual([1, 'CONFIGURATION_UNDER_SIGNED']);
    expect(details).toEqual({
      expected: 2,
      actual: 1,
      signatures: [`${ANN.publicKey}: good`, `${EVE.publicKey}: NO AUTHORITY of this manifest`],
    });
  });

  it('refuses a plain file as signed by nobody', async () => {
    expect(refusalIn(await verify(plain, '--json'))).toMatchObject({
      exit: 1,
      code: 'CONFIGURATION_UNDER_SIGNED',
      details: { actual: 0 },
    });
  });

  it('refuses an altered configuration, whose signatures do not verify', async () => {
    const signed = await signTwice('signed.json', makeConfiguration(digest, 7));
    const envelope = JSON.parse(readFileSync(signed, 'utf8')) as { payload: string };
    const text = Buffer.from(envelope.payload, 'base64').toString().replace('"version": 7', '"version": 9');
    const payload = Buffer.from(text).toString('base64');
    folder.write('altered.json', JSON.stringify({ ...envelope, payload }));
    const { code, details } = refusalIn(await verify(folder.at('altered.json'), '--json'));
    expect(code).toBe('CONFIGURATION_UNDER_SIGNED');
    expect(details['signatures']).toEqual([
      `${ANN.publicKey}: DOES NOT VERIFY`,
      `${BEN.publicKey}: DOES NOT VERIFY`,
    ]);
  });

  it('refuses one of another manifest, however well signed', async () => {
    const signed = await signTwice('signed.json', makeConfiguration('00'.repeat(48), 7));
    expect(refusalIn(await verify(signed, '--json'))).toMatchObject({
      exit: 1,
      code: 'CONFIGURATION_OTHER_MANIFEST',
    });
  });

  it('refuses a signed configuration that is malformed inside', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const envelope = createEnvelope(
      'application/vnd.holdfast.configuration+json',
      Buffer.from('{"format":"holdfast-configuration/2"}'),
    );
    const file = folder.write('new.json', JSON.stringify(signEnvelope(envelope, privateKey)));
    expect(refusalIn(await verify(file, '--json')).code).toBe('CONFIGURATION_MALFORMED');
  });

  it('wants a manifest', async () => {
    expect((await runHoldfast(['config', 'verify', plain])).exit).toBe(2);
  });
});
