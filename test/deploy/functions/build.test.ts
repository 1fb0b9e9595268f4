import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildFunction } from '../../../deploy/functions/build.ts';
import { writeZip } from '../../../deploy/functions/zip.ts';
import { readConsoleTemplate, readFunction, readTemplate } from '../../../deploy/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { readStack } from '../stacks/read-stack.ts';

const ROOT = join(import.meta.dirname, '../../..');
const NAMES = ['config-signing', 'populate-secret'] as const;
/** CloudFormation takes a template of 1 MB from S3, which the console makes of a file; a ZipFile of 4 MB. */
const MAX_TEMPLATE_BYTES = 1_000_000;

describe('a function', () => {
  it.each(NAMES)('is the same bytes twice: %s', async (name) => {
    const [first, second] = await Promise.all([readFunction(name), readFunction(name)]);
    expect(second.source).toBe(first.source);
    expect(Buffer.from(second.zip).equals(first.zip)).toBe(true);
    expect(first.key).toBe(`functions/${createHash('sha256').update(first.zip).digest('hex')}.zip`);
  });

  it('is the same bytes in another folder', async () => {
    const copy = temporaryFolder();
    for (const folder of ['admin', 'audit', 'attestation', 'deploy', 'policy', 'shared'])
      cpSync(join(ROOT, folder), join(copy, folder), { recursive: true });
    for (const file of ['package.json', 'tsconfig.json']) cpSync(join(ROOT, file), join(copy, file));
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const script =
      "import { buildFunction } from './deploy/functions/build.ts'; process.stdout.write(await buildFunction(process.argv[1]));";
    for (const name of NAMES) {
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, name], {
        cwd: copy,
        encoding: 'utf8',
        maxBuffer: 16 * 1024 * 1024,
      });
      expect(stderr).toBe('');
      expect(stdout).toBe(await buildFunction(name));
    }
  });

  it.each(NAMES)('has nothing outside but Node and the AWS SDK of the runtime: %s', async (name) => {
    const { source } = await readFunction(name);
    const outside = [...source.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, module = '']) => module);
    expect(outside.length).toBeGreaterThan(1);
    expect(outside.filter((module) => !/^(node:|@aws-sdk\/client-)/.test(module))).toEqual([]);
    expect(source).not.toMatch(/[^\n\x20-\x7e\t]/);
    // One file, 120 characters a line where its tokens let it: fit for a template, and to be compared.
    expect(source).not.toContain(ROOT);
  });

  it.each(NAMES)('is loaded from its archive as Lambda does, and exports its handler: %s', async (name) => {
    const { zip } = await readFunction(name);
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'function.zip'), zip);
    mkdirSync(join(folder, 'task'));
    // Python's own reader of archives.
    const unzipped = spawnSync('python3', [
      '-m',
      'zipfile',
      '-e',
      join(folder, 'function.zip'),
      join(folder, 'task'),
    ]);
    if (unzipped.error !== undefined) {
      process.stderr.write('SKIPPED: archives were not shown to another reader: no python3\n');
      return;
    }
    expect(unzipped.status).toBe(0);
    const load =
      "const { handler } = require('./index'); process.stdout.write(typeof handler + handler.length);";
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', load], {
      cwd: join(folder, 'task'),
      encoding: 'utf8',
      env: {
        NODE_PATH: join(ROOT, 'node_modules'),
        AWS_REGION: 'eu-central-1',
        HOLDFAST_NAMESPACE: 'acme',
        HOLDFAST_ENVIRONMENT: 'production',
        HOLDFAST_NODE: '1',
        HOLDFAST_KEY_ARN: 'arn',
        HOLDFAST_SIGNING_KEY_ARN: 'arn',
        HOLDFAST_BUCKET: 'bucket',
      },
    });
    expect(stderr).toBe('');
    // Without a third parameter, which Node 24 of Lambda refuses.
    expect(stdout).toBe('function2');
  });
});

describe('a template', () => {
  it('holds the very source of the functions', async () => {
    const populate = (await readFunction('populate-secret')).source;
    const signing = (await readFunction('config-signing')).source;
    const codeOf = (template: string, id: string) =>
      (readStack(template).Resources[id]?.Properties['Code'] as { ZipFile?: string }).ZipFile?.trimEnd();
    const small = await readTemplate('node');
    const whole = await readConsoleTemplate();
    for (const template of [small, whole])
      expect(codeOf(template, 'PopulateSecretFunction')).toBe(populate.trimEnd());
    expect(codeOf(small, 'ConfigSigningFunction')).toBeUndefined();
    expect(codeOf(whole, 'ConfigSigningFunction')).toBe(signing.trimEnd());
    expect(Buffer.byteLength(whole)).toBeLessThan(MAX_TEMPLATE_BYTES);
    expect(readStack(whole).Parameters['ConfigSigningCode']).toMatchObject({ Default: 'inline' });
    expect(small + whole).not.toContain('holdfast:function');
  });
});

describe('an archive', () => {
  it('is read by others, name, content and mode', () => {
    const folder = temporaryFolder();
    const entries = [
      { name: 'index.js', content: Buffer.from('exports.handler = () => 1;\n') },
      { name: 'empty', content: Buffer.alloc(0) },
    ];
    writeFileSync(join(folder, 'a.zip'), writeZip(entries));
    const script =
      'import json,sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n' +
      'print(json.dumps([[i.filename, z.read(i).decode(), oct(i.external_attr>>16), i.date_time[0]] for i in z.infolist()]))';
    const { stdout, status, error } = spawnSync('python3', ['-c', script, join(folder, 'a.zip')], {
      encoding: 'utf8',
    });
    if (error !== undefined) {
      process.stderr.write('SKIPPED: archives were not shown to another reader: no python3\n');
      return;
    }
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      ['index.js', 'exports.handler = () => 1;\n', '0o100644', 1980],
      ['empty', '', '0o100644', 1980],
    ]);
  });
});
