import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../cli/common/command.ts';
import { ROOT } from './image/lock.ts';
import { runScript } from './image/run-script.ts';
import { makeRelease } from './release/make.ts';
import { createCosignSigner, createKeySigner, readPrivateKey } from './release/sign.ts';

const USAGE = `Makes a release of what was built, and signs it: what "holdfast vault fetch" fetches and verifies.

Usage: scripts/make-release --parent FILE --key KEY [--image DIR] [--out DIR] [--version V] [--cosign PROGRAM]

  --image DIR       what scripts/build-eif has written                     (build/image)
  --parent FILE     the bundle for the parents' hosts, as "npm pack" makes it
  --key KEY         signs: a private key in PEM without a password, ECDSA over P-256 or P-384
  --cosign PROGRAM  has cosign sign instead, so that --key is whatever cosign takes: its own key file (password in
                    COSIGN_PASSWORD), awskms:///…; nothing goes into a public log
  --out DIR         folder of releases                                     (build/releases)
  --version V       the release's version                                  (that of package.json)
  --commit HEX      the commit that was built                              (that of this working copy)
  --released TIME   RFC 3339                                               (time of the commit)

Result: DIR/VERSION with the artifacts, release.json (their index) and release.sigstore.json (its signature). The same
input gives the same bytes but for signatures.
`;

const STRING = { type: 'string' } as const;

function takeArguments() {
  try {
    const { values } = parseArgs({
      options: {
        image: { type: 'string', default: join(ROOT, 'build/image') },
        parent: STRING,
        key: STRING,
        cosign: STRING,
        out: { type: 'string', default: join(ROOT, 'build/releases') },
        version: STRING,
        commit: STRING,
        released: STRING,
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

const git = (...words: string[]) => execFileSync('git', ['-C', ROOT, ...words], { encoding: 'utf8' }).trim();

process.exitCode = await runScript(USAGE, () => {
  const values = takeArguments();
  if (values.help) {
    console.log(USAGE);
    return Promise.resolve(0);
  }
  const { parent, key, cosign } = values;
  if (parent === undefined || key === undefined) throw new UsageError('--parent and --key are required');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const released = new Date(values.released ?? git('show', '--no-patch', '--format=%cI', 'HEAD'));
  if (Number.isNaN(released.getTime()))
    throw new UsageError('--released is a time such as 2026-11-01T00:00:00Z');
  const place = makeRelease(
    {
      image: resolve(values.image),
      parent: resolve(parent),
      lock: readFileSync(join(ROOT, 'package-lock.json'), 'utf8'),
      version: values.version ?? version,
      commit: values.commit ?? git('rev-parse', 'HEAD'),
      released,
      out: resolve(values.out),
    },
    cosign === undefined ? createKeySigner(readPrivateKey(key)) : createCosignSigner(cosign, key),
  );
  console.log(place);
  return Promise.resolve(0);
});
