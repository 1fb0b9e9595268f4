import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createVerifierKey,
  formatVerifierKey,
  type SigningKey,
  signCheckpoint,
} from '../../../audit/log/index.ts';
import { type LocalWitnesses, startWitnesses } from '../../../local/testbed/witnesses.ts';
import { assertNoRollback, findKnownSizes } from '../../../parent/identity/known-sizes.ts';
import { HOLDFAST } from '../../support/holdfast-command.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ORIGIN = 'node-1.example/log';
const noBucket = () => Promise.reject(new Error('there is no bucket'));

let folder: string;
let key: SigningKey & { readonly vkey: string };
let witnesses: LocalWitnesses;

const noteOf = (size: number) =>
  signCheckpoint({ origin: ORIGIN, size, root: new Uint8Array(32).fill(size) }, key).note;

function makeLogKey(): typeof key {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const verifier = createVerifierKey(ORIGIN, 'ed25519', new Uint8Array(Buffer.from(x, 'base64url')));
  return {
    key: verifier,
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
    vkey: formatVerifierKey(verifier),
  };
}

/** A folder of a log, whose checkpoint has so many entries. */
async function logFolder(size: number): Promise<string> {
  const directory = join(folder, `log-${size}`);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'checkpoint'), noteOf(size));
  return directory;
}

beforeAll(async () => {
  folder = temporaryFolder();
  key = makeLogKey();
  witnesses = await startWitnesses(HOLDFAST, join(folder, 'witnesses'), { origin: ORIGIN, key: key.vkey }, [
    'one',
  ]);
  const [witness] = witnesses.witnesses;
  const response = await fetch(`${witness?.url ?? ''}/add-checkpoint`, {
    method: 'POST',
    body: `old 0\n\n${noteOf(5)}`,
  });
  if (response.status !== 200) throw new Error('expected a cosignature of the first tree');
});
afterAll(() => witnesses.stop());

describe('what others know of a log', () => {
  it('says how far a witness has seen it, whatever this host has', async () => {
    const directory = await logFolder(3);
    const { known, unreached } = await findKnownSizes(
      { auditLog: { directory, witnesses: [...witnesses.witnesses] } },
      noBucket,
    );
    expect(known).toEqual([
      { source: 'the folder of the log', size: 3 },
      { source: 'the witness one.holdfast.internal', size: 5 },
    ]);
    expect(unreached).toEqual([]);
    expect(() => assertNoRollback(4, known)).toThrow(expect.objectContaining({ code: 'RESTORE_ROLLS_BACK' }));
    expect(() => assertNoRollback(5, known)).not.toThrow();
  });

  it('tells the witness nothing new', async () => {
    const directory = await logFolder(9);
    const ask = () =>
      findKnownSizes({ auditLog: { directory, witnesses: [...witnesses.witnesses] } }, noBucket);
    expect((await ask()).known[1]).toMatchObject({ size: 5 });
    expect((await ask()).known[1]).toMatchObject({ size: 5 });
  });

  it('names those that cannot be asked', async () => {
    const [witness] = witnesses.witnesses;
    const nobody = { url: 'http://127.0.0.1:1', key: witness?.key ?? '' };
    const empty = join(folder, 'empty');
    expect(await findKnownSizes({ auditLog: { directory: empty, witnesses: [nobody] } }, noBucket)).toEqual({
      known: [],
      unreached: ['the folder of the log', 'the witness one.holdfast.internal'],
    });
    const s3 = { bucket: 'bucket', prefix: '', mode: 'GOVERNANCE', days: 1 } as const;
    const read = (size: number) => () => Promise.resolve(() => Promise.resolve(Buffer.from(noteOf(size))));
    const { known } = await findKnownSizes(
      { auditLog: { directory: empty, witnesses: [nobody], s3 } },
      read(7),
    );
    expect(known).toEqual([{ source: 'the bucket bucket', size: 7 }]);
  });
});
