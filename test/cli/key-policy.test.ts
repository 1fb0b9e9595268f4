import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatPcrFile, computeManifestPcr } from '../../attestation/index.ts';
import { GATE_RECORD_TYPE } from '../../attestation/key-policy/index.ts';
import { nouns } from '../../cli/nouns.ts';
import { runCli } from '../../cli/run.ts';
import { createNsmClient } from '../../enclave/nsm/index.ts';
import { EmulatedNsm, NitroRoot } from '../../local/nsm/index.ts';
import {
  createEnvelope,
  ed25519PublicKeyHex,
  verifyEnvelope,
  parseEnvelope,
  signEnvelope,
} from '../../shared/dsse/index.ts';
import { collectOutput } from '../support/collect-output.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ACCOUNT = '111122223333';
const KEY = `arn:aws:kms:eu-central-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const NODE = `arn:aws:iam::${ACCOUNT}:role/node`;
const ADMIN = `arn:aws:iam::${ACCOUNT}:role/admin`;
const ROLES = ['--node-role', NODE, '--admin', ADMIN];
const NONCE = 'ab'.repeat(32);
const manifest = Buffer.from(
  JSON.stringify({
    format: 'holdfast-manifest/1',
    namespace: 'acme',
    environment: 'test',
    node: 1,
    quorum: { size: 3, threshold: 2 },
    kms: { keyArn: KEY, region: 'eu-central-1' },
    configurationAuthority: { threshold: 1, keys: ['11'.repeat(32)] },
    emergencyRecovery: { publicKey: '22'.repeat(32) },
  }),
);
const PCR16 = computeManifestPcr(manifest);
const image = (fill: number): Map<number, Uint8Array> =>
  new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(fill + index)]));

let folder: string;
const at = (name: string): string => join(folder, name);
const save = (name: string, content: string | Uint8Array): string => {
  writeFileSync(at(name), content, { mode: 0o600 });
  return at(name);
};

async function run(verb: string, args: readonly string[], stdin = '') {
  const [stdout, stderr] = [collectOutput(), collectOutput()];
  const io = {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: new AbortController().signal,
  };
  const exit = await runCli(['key-policy', verb, ...args], io, nouns);
  return { exit, out: stdout.text(), err: stderr.text() };
}
const render = async (...more: string[]) =>
  run('render', ['--pcrs', at('pcr.json'), '--manifest', at('manifest.json'), ...ROLES, ...more]);

beforeAll(async () => {
  folder = temporaryFolder();
  save('manifest.json', manifest);
  save('pcr.json', formatPcrFile(image(0x20)));
  save('old.json', formatPcrFile(image(0x10)));
  const root = await NitroRoot.create(Date.now());
  save('root.pem', root.toPem().certificate);
  const live = async (name: string, fill: number, nonce = NONCE): Promise<void> => {
    const measured = new Map([...image(fill), [16, PCR16]]);
    const nsm = createNsmClient(
      new EmulatedNsm({
        root,
        instanceId: 'i-0123456789abcdef0',
        moduleId: 'i-0123456789abcdef0-enc0123456789abcdef',
        measured,
        clock: Date.now,
      }),
    );
    await nsm.lockPcr(16);
    save(name, await nsm.attest({ nonce: new Uint8Array(Buffer.from(nonce, 'hex')) }));
  };
  await live('live.cbor', 0x20);
  await live('replayed.cbor', 0x20, 'cd'.repeat(32));
  await live('other.cbor', 0x30);
  const { privateKey } = generateKeyPairSync('ed25519');
  save('admin.pem', privateKey.export({ format: 'pem', type: 'pkcs8' }));
  save('policy.json', (await render()).out);
});

describe('holdfast key-policy render', () => {
  it('writes a policy that the linter has nothing against', async () => {
    const { exit, out } = await render();
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ Version: '2012-10-17' });
    expect(out).toContain(Buffer.from(PCR16).toString('hex'));
    const options = [
      '--manifest',
      at('manifest.json'),
      '--pcrs',
      at('pcr.json'),
      ...ROLES,
      '--fail-on',
      'low',
    ];
    expect(await run('lint', ['-', ...options], out)).toEqual({ exit: 0, out: 'no findings\n', err: '' });
  });

  it('has GenerateDataKey with --initialise alone', async () => {
    expect(JSON.stringify(JSON.parse((await render()).out).Statement[1].Action)).toBe('"kms:Decrypt"');
    expect(JSON.parse((await render('--initialise')).out).Statement[1].Action).toContain(
      'kms:GenerateDataKey',
    );
  });

  it('admits the images that are replaced until a time that has to be given', async () => {
    const { exit, out } = await render('--old-pcrs', at('old.json'), '--old-until', '2030-01-01T00:00:00Z');
    expect(exit).toBe(0);
    expect(out).toContain('"aws:CurrentTime": "2030-01-01T00:00:00Z"');
    expect((await render('--old-pcrs', at('old.json'))).exit).toBe(2);
    expect((await render('--old-pcrs', at('old.json'), '--old-until', 'soon')).exit).toBe(2);
    expect((await render('--old-pcrs', at('old.json'), '--old-until', '2020-01-01T00:00:00Z')).exit).toBe(2);
  });

  it('refuses a pcr.json of another manifest, and one of a debug image', async () => {
    save('wrong.json', formatPcrFile(new Map([...image(0x20), [16, new Uint8Array(48).fill(1)]])));
    const wrong = await run('render', [
      '--pcrs',
      at('wrong.json'),
      '--manifest',
      at('manifest.json'),
      ...ROLES,
      '--json',
    ]);
    expect(wrong.exit).toBe(1);
    expect(JSON.parse(wrong.out).error.code).toBe('MANIFEST_PCR_MISMATCH');
    save('debug.json', formatPcrFile(new Map([0, 1, 2].map((index) => [index, new Uint8Array(48)]))));
    const debug = await run('render', [
      '--pcrs',
      at('debug.json'),
      '--manifest',
      at('manifest.json'),
      ...ROLES,
      '--json',
    ]);
    expect(JSON.parse(debug.out).error.code).toBe('PCR_FILE_ZERO');
  });

  it('says what is missing as usage', async () => {
    expect((await run('render', ['--pcrs', at('pcr.json')])).exit).toBe(2);
    const args = ['--pcrs', at('pcr.json'), '--manifest', at('manifest.json'), '--node-role', NODE];
    expect((await run('render', [...args, '--admin', 'me'])).exit).toBe(2);
  });
});

describe('holdfast key-policy close', () => {
  it('writes a policy that the linter finds nothing in, and that nobody uses the key by', async () => {
    const { exit, out } = await run('close', ['--admin', ADMIN]);
    expect(exit).toBe(0);
    const closed = save('closed.json', out);
    const linted = await run('lint', [
      closed,
      '--manifest',
      at('manifest.json'),
      '--fail-on',
      'low',
      '--json',
    ]);
    expect(JSON.parse(linted.out)).toMatchObject({ ok: true, findings: [] });
    const open = save('open.json', (await render()).out);
    const diff = JSON.parse((await run('diff', [open, closed, '--key', KEY, '--json'])).out) as {
      gained: unknown[];
      lost: { action: string }[];
    };
    expect(diff.gained).toEqual([]);
    expect(diff.lost.map(({ action }) => action)).toContain('kms:Decrypt');
  });

  it('needs somebody who may change it', async () => {
    expect((await run('close', [])).exit).toBe(2);
    expect((await run('close', ['--admin', 'everybody'])).exit).toBe(2);
  });
});

describe('holdfast key-policy lint', () => {
  const open = JSON.stringify({
    Version: '2012-10-17',
    Statement: {
      Sid: 'all\u001b[2J',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  });

  it('refuses a policy that leaves everything to IAM, naming statement, reason and fix', async () => {
    const { exit, err } = await run('lint', ['-', '--key', KEY], open);
    expect(exit).toBe(1);
    expect(err).toContain('critical UNATTESTED_USE in statement 0');
    expect(err).toMatch(/\n {2}fix: /);
    expect(err).not.toContain('\u001b[2J');
  });

  it('reads what "aws kms get-key-policy" prints', async () => {
    const wrapped = JSON.stringify({ Policy: open, PolicyName: 'default' });
    const { exit, out } = await run('lint', ['-', '--key', KEY, '--json'], wrapped);
    expect(exit).toBe(1);
    const { ok, findings } = JSON.parse(out);
    expect(ok).toBe(false);
    expect(findings[0]).toMatchObject({
      code: 'UNATTESTED_USE',
      severity: 'critical',
      statement: { index: 0 },
    });
  });

  it('passes below the severity that was chosen', async () => {
    const { out } = await render('--initialise');
    const args = ['-', '--manifest', at('manifest.json')];
    expect((await run('lint', args, out)).exit).toBe(0);
    expect((await run('lint', [...args, '--fail-on', 'low'], out)).exit).toBe(1);
    expect((await run('lint', [...args, '--fail-on', 'grave'], out)).exit).toBe(2);
  });

  it('refuses what is no policy as data, not as usage', async () => {
    for (const text of ['', '{', '{"Statement":[]}', open.replace('"Effect"', '"Effect":"Deny","Effect"')]) {
      expect((await run('lint', ['-', '--key', KEY], text)).exit).toBe(1);
    }
    expect((await run('diff', ['-', at('policy.json')], open)).exit).toBe(2);
    expect((await run('lint', ['-', '--key', KEY.replace('key/', 'alias/')], open)).exit).toBe(2);
  });
});

describe('what lint reads', () => {
  const text = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { AWS: ADMIN }, Action: 'kms:PutKeyPolicy', Resource: '*' },
  });

  it('is taken for the policy of a key in the account that it names, which is said, when nobody says which', async () => {
    const { exit, out } = await run('lint', ['-'], text);
    expect(exit).toBe(0);
    expect(out).toMatch(
      /^assumed: the key is in account 111122223333 of partition aws, .*--key\nno findings\n$/,
    );
    const named = text.replace('"*"', JSON.stringify(KEY));
    expect((await run('lint', ['-'], named)).out).toContain(`assumed: the key is ${KEY}`);
    expect((await run('lint', ['-', '--key', KEY], text)).out).toBe('no findings\n');
  });

  it.each([
    ['a pattern', { Effect: 'Allow', Resource: KEY.replace(/.$/, '?') }],
    ['a pattern, for all but which nothing is open', { Effect: 'Deny', NotResource: KEY.replace(/.$/, '*') }],
    ['several keys', { Effect: 'Allow', Resource: [KEY.replace(/.$/, 'f'), KEY] }],
    ['a variable', { Effect: 'Allow', Resource: KEY.replace('eu-central-1', '${aws:RequestedRegion}') }],
  ])('is not called closed of a key that nobody named, when Resource has %s', async (_, statement) => {
    const policy = JSON.parse(text) as object;
    const open = { Principal: '*', Action: 'kms:Decrypt', ...statement };
    const told = JSON.stringify({ ...policy, Statement: [open] });
    const { exit, err } = await run('lint', ['-'], told);
    expect(exit).toBe(2);
    expect(err).toContain('--key');
    expect((await run('lint', ['-', '--key', KEY], told)).exit).toBe(statement.Effect === 'Allow' ? 1 : 0);
  });

  it('may be the second policy of a key, which is said; gate and diff are of the first alone', async () => {
    const wrapped = JSON.stringify({ Policy: text, PolicyName: 'AWS_RAM' });
    const { exit, out } = await run('lint', ['-', '--key', KEY], wrapped);
    expect(exit).toBe(0);
    expect(out).toMatch(/^policy: AWS_RAM, .*list-key-policies/);
    const asJson = JSON.parse((await run('lint', ['-', '--key', KEY, '--json'], wrapped)).out) as object;
    expect(asJson).toMatchObject({ policyName: 'AWS_RAM' });
    const diff = await run('diff', ['-', at('policy.json'), '--key', KEY, '--json'], wrapped);
    expect([diff.exit, JSON.parse(diff.out).error.code]).toEqual([1, 'POLICY_NAME']);
  });

  it('is no unresolved template', async () => {
    const template = text.replace(
      JSON.stringify(ADMIN),
      '{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"}]]}',
    );
    const { exit, err } = await run('lint', ['-'], template);
    expect(exit).toBe(1);
    expect(err).toMatch(/POLICY_UNRESOLVED: an unresolved template: render it first/);
  });
});

describe('holdfast key-policy diff', () => {
  it('says who can decrypt now that could not before', async () => {
    const rolled = await render('--old-pcrs', at('old.json'), '--old-until', '2030-01-01T00:00:00Z');
    save('rolled.json', rolled.out);
    const args = [at('policy.json'), at('rolled.json'), '--manifest', at('manifest.json')];
    const { exit, out } = await run('diff', args);
    expect(exit).toBe(0);
    expect(out).toContain(`+ kms:Decrypt by ${NODE}, attested (enclave), statement 2 (AttestedImageBefore1)`);
    expect(out).toContain('10'.repeat(48));
    expect((await run('diff', [...args, '--exit-code'])).exit).toBe(1);
    const same = [at('policy.json'), at('policy.json'), '--manifest', at('manifest.json'), '--exit-code'];
    expect(await run('diff', same)).toMatchObject({ exit: 0, out: 'both permit the same\n' });
  });
});

describe('holdfast key-policy gate', () => {
  const gate = (document: string, ...more: string[]) =>
    run('gate', [
      at('policy.json'),
      '--document',
      at(document),
      '--nonce',
      NONCE,
      '--pcrs',
      at('pcr.json'),
      '--manifest',
      at('manifest.json'),
      '--root',
      at('root.pem'),
      ...ROLES,
      ...more,
    ]);

  it('prints the policy for a live enclave, and signs what was decided', async () => {
    const { exit, out, err } = await gate(
      'live.cbor',
      '--sign',
      at('admin.pem'),
      '--record',
      at('record.json'),
    );
    expect(exit).toBe(0);
    expect(out).toBe(readFileSync(at('policy.json'), 'utf8'));
    expect(err).toContain('live: i-0123456789abcdef0');
    expect(err).toContain("NOT AWS's");
    const envelope = parseEnvelope(readFileSync(at('record.json')));
    const key = ed25519PublicKeyHex(createPublicKey(readFileSync(at('admin.pem'))));
    const { payload } = verifyEnvelope(envelope, {
      payloadType: GATE_RECORD_TYPE,
      keys: [key],
      threshold: 1,
    });
    expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({
      keyArn: KEY,
      document: { nonce: NONCE, root: { isAws: false } },
    });
  });

  it('says which of two policies cannot be read', async () => {
    const [good, bad] = [at('policy.json'), save('bad-policy.json', '{"Version": "2012-10-17"}')];
    for (const files of [
      [good, bad],
      [bad, good],
    ]) {
      const { out } = await run('diff', [...files, '--key', KEY, '--json']);
      expect(JSON.parse(out)).toMatchObject({ error: { code: 'POLICY_MALFORMED', file: bad } });
    }
  });

  describe('the record of a decision', () => {
    const signer = () => ed25519PublicKeyHex(createPublicKey(readFileSync(at('admin.pem'))));
    const verifyRecord = (...args: string[]) =>
      run('verify-record', [at('record.json'), '--signer', signer(), '--root', at('root.pem'), ...args]);
    const codeOf = async (...args: string[]) => {
      const { out } = await verifyRecord(...args, '--json');
      const { ok, error } = JSON.parse(out) as {
        ok: boolean;
        error?: { code: string; details: { field?: string } };
      };
      return ok ? 'TAKEN' : [error?.code, error?.details.field].join(' ').trim();
    };

    it('is verified, with the policy and the document that it is about', async () => {
      const { exit, out } = await verifyRecord('--policy', at('policy.json'), '--document', at('live.cbor'));
      expect(exit).toBe(0);
      for (const part of [signer(), "NOT AWS's", KEY, NONCE, 'as given']) expect(out).toContain(part);
      expect(JSON.parse((await verifyRecord('--json')).out)).toMatchObject({
        ok: true,
        verified: true,
        signers: [signer()],
        compared: ['root'],
        record: { keyArn: KEY, document: { root: { isAws: false } } },
      });
    });

    it('is refused for another policy, document or root, and by default for any root but AWS’s', async () => {
      save(
        'another-policy.json',
        readFileSync(at('policy.json'), 'utf8').replace('2012-10-17', '2008-10-17'),
      );
      expect(await codeOf('--policy', at('another-policy.json'))).toBe('RECORD_MISMATCH policySha256');
      expect(await codeOf('--document', at('other.cbor'))).toBe('RECORD_MISMATCH document.sha256');
      const { out } = await run('verify-record', [at('record.json'), '--signer', signer(), '--json']);
      expect(JSON.parse(out)).toMatchObject({
        error: { code: 'RECORD_MISMATCH', details: { field: 'document.root.sha256' } },
      });
    });

    it('is refused when another key signed it, or not all that must have', async () => {
      const other = generateKeyPairSync('ed25519');
      const key = ed25519PublicKeyHex(other.publicKey);
      const { out } = await run('verify-record', [at('record.json'), '--signer', key, '--json']);
      expect(JSON.parse(out)).toMatchObject({
        error: { code: 'DSSE_UNDER_SIGNED', file: at('record.json') },
      });
      expect(await codeOf('--signer', key)).toBe('DSSE_UNDER_SIGNED');
    });

    it('is refused when it was altered, is none, or is of another kind', async () => {
      const envelope = JSON.parse(readFileSync(at('record.json'), 'utf8')) as { payload: string };
      const payload = Buffer.from(envelope.payload, 'base64').toString();
      const forged = {
        ...envelope,
        payload: Buffer.from(payload.replace('"findings":[', '"findings": [')).toString('base64'),
      };
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const sign = (text: string, type = GATE_RECORD_TYPE) =>
        JSON.stringify(signEnvelope(createEnvelope(type, Buffer.from(text)), privateKey));
      const key = ed25519PublicKeyHex(publicKey);
      for (const [content, signedBy, code] of [
        [JSON.stringify(forged), signer(), 'DSSE_UNDER_SIGNED'],
        ['{}', signer(), 'DSSE_MALFORMED'],
        [sign(payload, 'application/other'), key, 'DSSE_MALFORMED'],
        [sign('{}'), key, 'RECORD_MALFORMED'],
        [sign('no JSON'), key, 'RECORD_MALFORMED'],
        [sign(payload.replace('decision/1', 'decision/2')), key, 'RECORD_MALFORMED'],
      ] as const) {
        const { exit, out } = await run('verify-record', [
          save('odd.json', content),
          '--signer',
          signedBy,
          '--json',
        ]);
        expect([exit, JSON.parse(out)]).toEqual([
          1,
          expect.objectContaining({ error: expect.objectContaining({ code }) }),
        ]);
      }
    });

    it('says of the root what the root is, whatever the record claims of it', async () => {
      const envelope = JSON.parse(readFileSync(at('record.json'), 'utf8')) as { payload: string };
      const payload = Buffer.from(envelope.payload, 'base64').toString();
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const claims = payload.replace('"isAws":false', '"isAws":true');
      const path = save(
        'claims.json',
        JSON.stringify(signEnvelope(createEnvelope(GATE_RECORD_TYPE, Buffer.from(claims)), privateKey)),
      );
      const { exit, out, err } = await run('verify-record', [
        path,
        '--signer',
        ed25519PublicKeyHex(publicKey),
        '--root',
        at('root.pem'),
      ]);
      expect(out + err).not.toContain("AWS's, G1");
      expect(exit).toBe(1);
      expect(err).toContain('RECORD_MISMATCH');
    });

    it('needs to know who must have signed', async () => {
      for (const args of [[], ['--signer', 'ab'], ['--signer', signer(), '--signer', signer()]]) {
        expect((await run('verify-record', [at('record.json'), ...args])).exit).toBe(2);
      }
    });
  });

  it.each([
    ['other.cbor', 'PCR_MISMATCH'],
    ['replayed.cbor', 'NONCE_MISMATCH'],
    ['pcr.json', 'DOCUMENT_ENCODING'],
  ])('prints nothing for %s, and signs nothing', async (document, code) => {
    const { exit, out } = await gate(
      document,
      '--sign',
      at('admin.pem'),
      '--record',
      at('none.json'),
      '--json',
    );
    expect(exit).toBe(1);
    expect(JSON.parse(out).error.code).toBe(code);
    expect(out).not.toContain('AttestedImage');
    expect(existsSync(at('none.json'))).toBe(false);
  });

  it('shows the findings that stop it as lint does, a line each, and to programs as data', async () => {
    const policy = save('policy.json', (await render('--initialise')).out);
    const refused = await gate('live.cbor', '--fail-on', 'low');
    const asJson = await gate('live.cbor', '--fail-on', 'low', '--json');
    save('policy.json', (await render()).out);
    expect([refused.exit, refused.out, policy]).toEqual([1, '', at('policy.json')]);
    expect(refused.err).toContain('refused GATE_FINDINGS');
    expect(refused.err).toContain('\nlow INITIALISE_OPEN in statement 1 (AttestedImage)\n');
    expect(refused.err).not.toContain('{"');
    expect(asJson.exit).toBe(1);
    expect(JSON.parse(asJson.out)).toMatchObject({
      ok: false,
      error: { code: 'GATE_FINDINGS', details: { findings: [{ code: 'INITIALISE_OPEN' }] } },
    });
  });

  it('lets a statement pass that render does not write only for a reason, which it shows and records', async () => {
    const rendered = JSON.parse((await render()).out) as { Statement: object[] };
    const extra = {
      Sid: 'Rotate',
      Effect: 'Allow',
      Principal: { AWS: ADMIN },
      Action: 'kms:RotateKeyOnDemand',
      Resource: '*',
    };
    rendered.Statement.push(extra);
    save('policy.json', JSON.stringify(rendered));
    const refused = await gate('live.cbor');
    const asJson = await gate('live.cbor', '--json');
    const passed = await gate(
      'live.cbor',
      '--except',
      'Rotate=once a year',
      '--sign',
      at('admin.pem'),
      '--record',
      at('excepted.json'),
    );
    const usage = await gate('live.cbor', '--except', 'Rotate');
    save('policy.json', (await render()).out);
    expect(refused.exit).toBe(1);
    expect(refused.err).toMatch(/^refused GATE_UNPROVEN: .*\n(?:.*\n)*.*Rotate/);
    expect(refused.err).not.toContain('[object');
    expect(JSON.parse(asJson.out).error).toMatchObject({
      code: 'GATE_UNPROVEN',
      details: { unproven: [{ sid: 'Rotate' }], missing: [] },
    });
    expect(passed.exit).toBe(0);
    expect(passed.err).toContain('excepted: statement 5 (Rotate): once a year');
    const { payload } = JSON.parse(readFileSync(at('excepted.json'), 'utf8')) as { payload: string };
    expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({
      exceptions: [{ reason: 'once a year' }],
    });
    expect(usage.exit).toBe(2);
  });

  it('wants the date of the images that stay, as render does', async () => {
    const old = ['--old-pcrs', at('old.json')];
    const until = ['--old-until', '2030-01-01T00:00:00Z'];
    save('policy.json', (await render(...old, ...until)).out);
    const [passed, none, other] = [
      await gate('live.cbor', ...old, ...until),
      await gate('live.cbor', ...old),
      await gate('live.cbor', ...old, '--old-until', '2031-01-01T00:00:00Z', '--json'),
    ];
    save('policy.json', (await render()).out);
    expect([passed.exit, none.exit, other.exit]).toEqual([0, 2, 1]);
    expect(JSON.parse(other.out).error.code).toBe('GATE_UNPROVEN');
  });

  it('takes the JSON in which a node answers', async () => {
    const document = readFileSync(at('live.cbor')).toString('base64');
    save('answer.json', JSON.stringify({ document }));
    expect((await gate('answer.json')).exit).toBe(0);
  });

  it('refuses an enclave of the stand-in under AWS’s own root', async () => {
    const { exit, out } = await run('gate', [
      at('policy.json'),
      '--document',
      at('live.cbor'),
      '--nonce',
      NONCE,
      '--pcrs',
      at('pcr.json'),
      '--manifest',
      at('manifest.json'),
      ...ROLES,
      '--json',
    ]);
    expect(exit).toBe(1);
    expect(JSON.parse(out).error.code).toMatch(/ROOT/);
  });

  it('wants a nonce of length, and a key with a record', async () => {
    expect((await gate('live.cbor', '--nonce', 'abcd')).exit).toBe(2);
    expect((await gate('live.cbor', '--sign', at('admin.pem'))).exit).toBe(2);
  });
});
