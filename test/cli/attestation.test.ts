import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { nouns } from '../../cli/nouns.ts';
import { runCli } from '../../cli/run.ts';
import { formatPcrFile, unsafeParseAttestationDocument } from '../../attestation/index.ts';
import * as cbor from '../attestation/forge/cbor.ts';
import { AT } from '../attestation/forge/chain.ts';
import { encodePcrs, forgeDocument, forgedPcr, MODULE_ID } from '../attestation/forge/document.ts';
import { GENUINE, hasGenuineDocuments, readGenuine } from '../attestation/genuine.ts';
import { collectOutput } from '../support/collect-output.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const TIME = new Date(AT).toISOString();
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
const SPKI = KEY.export({ format: 'der', type: 'spki' });

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = temporaryFolder();
  const { document, root } = forgeDocument((parts) => {
    parts.fields.nonce = cbor.bytes(Uint8Array.of(1, 2, 3));
    parts.fields.public_key = cbor.bytes(SPKI);
  });
  const debug = forgeDocument((parts) => {
    for (const index of [0, 1, 2]) parts.pcrs.set(index, new Uint8Array(48));
  });
  const pcrs = new Map([0, 1, 2, 8].map((index) => [index, forgedPcr(`PCR${index}`)]));
  writeFileSync(at('doc.cbor'), document);
  writeFileSync(at('doc.hex'), `${Buffer.from(document).toString('hex').toUpperCase()}\n`);
  writeFileSync(
    at('doc.b64'),
    (
      Buffer.from(document)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\n'),
  );
  // What a node answers to POST /v1/attestation.
  writeFileSync(at('answer.json'), JSON.stringify({ document: Buffer.from(document).toString('base64') }));
  writeFileSync(at('debug.cbor'), debug.document);
  writeFileSync(at('prose.txt'), 'this is no document, nor ever was one');
  writeFileSync(at('root.der'), root);
  writeFileSync(
    at('root.pem'),
    `-----BEGIN CERTIFICATE-----\n${Buffer.from(root).toString('base64')}\n-----END CERTIFICATE-----\n`,
  );
  writeFileSync(at('pcr.json'), formatPcrFile(pcrs));
  writeFileSync(at('other.json'), formatPcrFile(pcrs.set(2, forgedPcr('another'))));
  const { x = '', y = '' } = KEY.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  const withPoint = forgeDocument((parts) => {
    parts.fields.public_key = cbor.bytes(point);
  });
  writeFileSync(at('point.cbor'), withPoint.document);
  writeFileSync(at('point.raw'), point);
  writeFileSync(at('point.hex'), `${point.toString('hex')}\n`);
  writeFileSync(at('point.0x'), `0x${point.toString('hex')}`);
  writeFileSync(at('point.b64'), `${point.toString('base64')}\n`);
  const boot = new Map([
    [4, forgedPcr('image')],
    [7, forgedPcr('keys')],
    [12, new Uint8Array(48)],
  ]);
  const tpm = forgeDocument((parts) => {
    parts.pcrs = new Map([...boot, [17, new Uint8Array(48).fill(0xff)]]);
    parts.fields.module_id = cbor.text('i-0123456789abcdef0-tpm0000000000000000');
    Reflect.set(parts.fields, 'pcrs', undefined);
    parts.fields.nitrotpm_pcrs = encodePcrs(parts.pcrs);
  });
  writeFileSync(at('tpm.cbor'), tpm.document);
  writeFileSync(at('tpm.json'), formatPcrFile(boot));
  writeFileSync(at('tpm-keys.json'), formatPcrFile(new Map([[7, forgedPcr('keys')]])));
  writeFileSync(at('tpm-zero.json'), formatPcrFile(new Map([[12, new Uint8Array(48)]])));
  writeFileSync(at('tpm-empty.json'), '{"Measurements":{"HashAlgorithm":"SHA384"}}');
  writeFileSync(at('key.pem'), KEY.export({ format: 'pem', type: 'spki' }));
  writeFileSync(at('key.der'), SPKI);
});

async function run(args: string[], stdin: Uint8Array[] = []) {
  const [stdout, stderr] = [collectOutput(), collectOutput()];
  const io = {
    stdin: Readable.from(stdin),
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: new AbortController().signal,
  };
  const exit = await runCli(args, io, nouns);
  return { exit, out: stdout.text(), err: stderr.text() };
}

function verify(...args: string[]) {
  return run([
    'attestation',
    'verify',
    '--pcrs',
    at('pcr.json'),
    '--root',
    at('root.pem'),
    '--at',
    TIME,
    ...args,
  ]);
}

describe('holdfast attestation verify', () => {
  it('says what was verified, for people', async () => {
    const { exit, out } = await verify(at('doc.cbor'), '--nonce', '010203', '--public-key', at('key.pem'));
    expect(exit).toBe(0);
    expect(out).toContain('verified: a Nitro Enclave');
    expect(out).toContain(MODULE_ID);
    expect(out).toMatch(/PCR8 .*matches +signing certificate/);
    expect(out).toMatch(/nonce +010203, as asked for/);
  });

  it('says it for programs', async () => {
    const { exit, out } = await verify(at('doc.cbor'), '--json');
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      verified: true,
      debug: false,
      moduleId: MODULE_ID,
      verifiedAt: TIME,
      nonce: '010203',
      userData: null,
    });
  });

  it('names the root that the verdict rests on, and calls none AWS’s that is not', async () => {
    const sha256 = createHash('sha256')
      .update(readFileSync(at('root.der')))
      .digest('hex');
    const { out } = await verify(at('doc.cbor'));
    expect(out).toMatch(/root +NOT AWS's: .*CN=root\n/);
    expect(out).toContain(`SHA-256 ${sha256}`);
    expect(out).not.toContain("AWS's, G1");
    expect(JSON.parse((await verify(at('doc.cbor'), '--json')).out)).toMatchObject({
      trustAnchor: { name: expect.stringMatching(/CN=root$/), sha256, isAws: false },
    });
  });

  it.skipIf(!hasGenuineDocuments)('calls AWS’s root AWS’s, by its published fingerprint', async () => {
    const [genuine] = GENUINE.filter(({ debug }) => !debug);
    const document = readGenuine(genuine?.name ?? '');
    const { pcrs } = unsafeParseAttestationDocument(document).payload;
    writeFileSync(at('genuine'), document);
    writeFileSync(at('genuine.json'), formatPcrFile(pcrs));
    const args = ['attestation', 'verify', at('genuine'), '--pcrs', at('genuine.json'), '--at', 'document'];
    const { exit, out } = await run(args);
    expect(exit).toBe(0);
    expect(out).toMatch(/root +AWS's, G1: .*CN=aws\.nitro-enclaves/);
    // As https://docs.aws.amazon.com/enclaves/latest/user/verify-root.html has it.
    expect(out).toContain('641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b');
  });

  it('says that nobody asked for freshness, until somebody does', async () => {
    const plain = await verify(at('doc.cbor'));
    expect(plain.out).toMatch(/^verified: a Nitro Enclave; freshness was not asked for\n/);
    expect(plain.out).toMatch(/fresh +not asked for/);
    const withNonce = await verify(at('doc.cbor'), '--nonce', '010203');
    expect(withNonce.out).toMatch(/^verified: a Nitro Enclave\n/);
    expect(withNonce.out).toMatch(/fresh +it carries the nonce/);
    expect((await verify(at('doc.cbor'), '--max-age', '60')).out).toMatch(/fresh +at most 60 s old/);
    const { out } = await verify(at('doc.cbor'), '--json', '--max-age', '60');
    expect(JSON.parse(out)).toMatchObject({ freshness: { nonce: false, maxAgeSeconds: 60 } });
    expect(JSON.parse((await verify(at('doc.cbor'), '--json')).out)).toMatchObject({
      freshness: { nonce: false, maxAgeSeconds: null },
    });
  });

  it('names the file that a refusal is about, and what to do next', async () => {
    writeFileSync(at('bad-pcr.json'), '{"PCR0": "00"}');
    const args = [
      'attestation',
      'verify',
      at('doc.cbor'),
      '--pcrs',
      at('bad-pcr.json'),
      '--root',
      at('root.pem'),
    ];
    const { exit, err } = await run(args);
    expect(exit).toBe(1);
    expect(err).toMatch(/cannot be read, PCR_FILE_VALUE: .*\n {2}file: \S*bad-pcr\.json\n {2}field: PCR0\n/);
    expect(err).toMatch(/\n {2}next: \S.*\.\n$/);
    const other = await verify(at('doc.cbor'), '--json', '--nonce', '01');
    expect(JSON.parse(other.out)).toMatchObject({
      error: { code: 'NONCE_MISMATCH', file: at('doc.cbor'), next: expect.stringContaining('nonce') },
    });
    const prose = await verify(at('prose.txt'), '--json');
    expect(JSON.parse(prose.out)).toMatchObject({
      error: { code: 'DOCUMENT_ENCODING', file: at('prose.txt') },
    });
  });

  it.each(['doc.cbor', 'doc.hex', 'doc.b64', 'answer.json'])(
    'takes %s, and the root as DER',
    async (name) => {
      expect((await verify(at(name))).exit).toBe(0);
      const args = ['attestation', 'verify', at(name), '--pcrs', at('pcr.json'), '--root', at('root.der')];
      expect((await run([...args, '--at', 'document'])).exit).toBe(0);
    },
  );

  it('takes a document from standard input', async () => {
    const { document } = forgeDocument();
    const args = [
      'attestation',
      'verify',
      '-',
      '--pcrs',
      at('pcr.json'),
      '--root',
      at('root.pem'),
      '--at',
      TIME,
    ];
    expect((await run(args, [document])).exit).toBe(0);
  });

  it.each([
    ['another image', ['--pcrs', 'other.json'], 'PCR_MISMATCH'],
    ['another nonce', ['--nonce', '010204'], 'NONCE_MISMATCH'],
    ['other user data', ['--user-data', ''], 'USER_DATA_MISMATCH'],
    ['another public key', ['--public-key', 'root.der'], 'PUBLIC_KEY_MISMATCH'],
    ['another root than its own', ['--root', 'AWS'], 'ROOT_MISMATCH'],
    ['another time', ['--at', '2026-01-16T12:00:00Z'], 'CERTIFICATE_EXPIRED'],
    ['today', ['--at', 'now'], 'CERTIFICATE_EXPIRED'],
    ['a document that is too old', ['--at', '2026-01-15T12:01:00Z', '--max-age', '59'], 'DOCUMENT_TOO_OLD'],
    [
      'a clock that runs ahead',
      ['--at', '2026-01-15T11:59:00Z', '--clock-skew', '59'],
      'DOCUMENT_FROM_FUTURE',
    ],
    ['a NitroTPM', ['--nitrotpm'], 'DOCUMENT_KIND'],
  ])('refuses with its code, for %s', async (_about, changes, code) => {
    const options = new Map([
      ['--pcrs', 'pcr.json'],
      ['--root', 'root.pem'],
      ['--at', TIME],
    ]);
    const flags: string[] = [];
    for (let index = 0; index < changes.length; index += 2) {
      const [name = '', value] = changes.slice(index, index + 2);
      if (value === undefined) flags.push(name);
      else if (value === 'AWS') options.delete(name);
      else options.set(name, value);
    }
    const args = [...options].flatMap(([name, value]) => [
      name,
      /\.(json|pem|der)$/.test(value) ? at(value) : value,
    ]);
    const { exit, out } = await run(['attestation', 'verify', at('doc.cbor'), ...args, ...flags, '--json']);
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, error: { code } });
  });

  it('refuses a debug enclave by name, and marks it where it is allowed', async () => {
    const refused = await verify(at('debug.cbor'));
    expect(refused.exit).toBe(1);
    expect(refused.err).toContain('refused DEBUG_ENCLAVE');
    const allowed = await verify(at('debug.cbor'), '--allow-debug');
    expect(allowed.exit).toBe(0);
    expect(allowed.out).toContain('WARNING');
    expect(allowed.out).toMatch(/PCR0 .*not compared/);
  });

  it('takes a hostile file for a refusal, never for misuse', async () => {
    expect((await verify(at('prose.txt'))).err).toContain('cannot be read, DOCUMENT_ENCODING');
    expect((await verify(at('root.der'))).exit).toBe(1);
    const badPcrs = await run(['attestation', 'verify', at('doc.cbor'), '--pcrs', at('doc.cbor')]);
    expect(badPcrs.err).toContain('cannot be read, PCR_FILE_JSON');
    const badRoot = await run(
      ['attestation', 'verify', at('doc.cbor'), '--pcrs', at('pcr.json'), '--root'].concat(at('prose.txt')),
    );
    expect(badRoot.err).toContain('cannot be read, CERTIFICATE_ENCODING');
  });

  it.each([
    ['PEM of a key that the document has as a point', 'key.pem', 'SubjectPublicKeyInfo in PEM'],
    ['DER of a key that the document has as a point', 'key.der', 'SubjectPublicKeyInfo in DER'],
    ['hex of it', 'point.hex', 'its bytes as text'],
    ['hex of it, with 0x', 'point.0x', 'its bytes as text'],
    ['base64 of it', 'point.b64', 'its bytes as text'],
  ])('says that only the encoding differs, for %s', async (_name, file, form) => {
    const { err, exit } = await verify(at('point.cbor'), '--public-key', at(file));
    expect(exit).toBe(1);
    expect(err).toContain('refused PUBLIC_KEY_MISMATCH: the key is the same, and only the encoding differs');
    expect(err).toContain(form);
    expect((await verify(at('point.cbor'), '--public-key', at('point.raw'))).exit).toBe(0);
  });

  it('says that text was compared as text, and nothing of a key that is another', async () => {
    writeFileSync(at('other.hex'), 'ab'.repeat(65));
    const text = await verify(at('point.cbor'), '--public-key', at('other.hex'));
    expect(text.err).toContain('the file is text, which was compared as such');
    const other = await verify(at('point.cbor'), '--public-key', at('root.der'));
    expect(other.err).toContain('refused PUBLIC_KEY_MISMATCH');
    expect(other.err).not.toContain('encoding');
    const none = await verify(at('debug.cbor'), '--allow-debug', '--public-key', at('key.pem'));
    expect(none.err).toContain('refused PUBLIC_KEY_MISMATCH');
    expect(none.err).not.toContain('encoding');
  });

  it('shows the registers of a NitroTPM as what they are, and warns where none says what was started', async () => {
    const tpm = ['--nitrotpm', '--at', 'document', '--root', at('root.pem')];
    const told = await run(['attestation', 'verify', at('tpm.cbor'), '--pcrs', at('tpm.json'), ...tpm]);
    expect(told.exit).toBe(0);
    expect(told.out).toMatch(/PCR4 .*matches +boot manager or Unified Kernel Image/);
    expect(told.out).toMatch(/PCR12 .*matches +overrides of the command line/);
    expect(told.out).not.toMatch(/parent instance|PCR17|WARNING/);
    const keys = await run(['attestation', 'verify', at('tpm.cbor'), '--pcrs', at('tpm-keys.json'), ...tpm]);
    expect(keys.exit).toBe(0);
    expect(keys.out).toContain('WARNING: pcr.json does not name PCR4');
    const diff = await run(['pcrs', 'diff', at('tpm.json'), at('tpm-keys.json'), '--nitrotpm']);
    expect(diff.out).toContain('The boot manager or Unified Kernel Image is no longer named (PCR4).');
    for (const file of ['tpm-empty.json', 'tpm-zero.json']) {
      const args = ['attestation', 'verify', at('tpm.cbor'), '--pcrs', at(file), ...tpm, '--json'];
      expect(JSON.parse((await run(args)).out)).toMatchObject({ error: { code: 'PCR_FILE_INCOMPLETE' } });
    }
  });

  it.each([
    [['--nonce', '0']],
    [['--nonce', '0x01']],
    [['--nonce', 'xx']],
    [['--max-age', '1.5']],
    [['--max-age', '-1']],
    [['--max-age', '5', '--at', 'document']],
    [['--at', 'yesterday']],
    [['--at', '2026-02-30']],
    [['--public-key', '/nowhere']],
  ])('takes %j for misuse', async (options) => {
    const args = [
      'attestation',
      'verify',
      at('doc.cbor'),
      '--pcrs',
      at('pcr.json'),
      '--root',
      at('root.pem'),
    ];
    expect((await run([...args, ...options])).exit).toBe(2);
  });

  it('wants a document and a pcr.json', async () => {
    expect((await run(['attestation', 'verify'])).exit).toBe(2);
    expect((await run(['attestation', 'verify', at('doc.cbor')])).exit).toBe(2);
  });
});

describe('holdfast attestation inspect', () => {
  it('says that nothing was verified', async () => {
    const text = await run(['attestation', 'inspect', at('debug.cbor')]);
    expect(text.exit).toBe(0);
    expect(text.out).toMatch(/^NOT VERIFIED/);
    expect(text.out).toMatch(/PCR0 +zero/);
    const json = await run(['attestation', 'inspect', at('doc.cbor'), '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ verified: false, moduleId: MODULE_ID, nonce: '010203' });
  });

  it('prints nothing that a terminal would obey', async () => {
    const { document } = forgeDocument((parts) => {
      parts.fields.module_id = cbor.text('\u001b[2J\u202e');
    });
    const { exit, out } = await run(['attestation', 'inspect', '-'], [document]);
    expect(exit).toBe(0);
    expect(out).not.toMatch(/[^\x20-\x7e\n…]/);
  });

  it('refuses what is no document', async () => {
    expect((await run(['attestation', 'inspect', at('root.der')])).exit).toBe(1);
  });
});

describe('holdfast pcrs diff', () => {
  it('says what changed', async () => {
    const { exit, out } = await run(['pcrs', 'diff', at('pcr.json'), at('other.json')]);
    expect(exit).toBe(0);
    expect(out).toContain('The application changed (PCR2).');
    expect(out).toContain('that cannot be');
  });

  it('says that nothing changed', async () => {
    const { out } = await run(['pcrs', 'diff', at('pcr.json'), at('pcr.json'), '--json']);
    expect(JSON.parse(out)).toMatchObject({ ok: true, same: true, changes: [] });
  });

  it('refuses a file that is none', async () => {
    expect((await run(['pcrs', 'diff', at('pcr.json'), at('prose.txt')])).exit).toBe(1);
  });
});
