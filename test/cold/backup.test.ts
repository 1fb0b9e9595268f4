import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeRecoveryKey } from '../../admin/recovery/index.ts';
import { verifyBackup, verifyColdBackup } from '../../audit/recovery/index.ts';
import { type ColdNode, type ColdNodeOptions, decideColdRequest, openColdNode } from '../../cold/index.ts';
import {
  type ColdOutcome,
  type ColdRequest,
  createColdRequest,
  openColdIdentity,
} from '../../shared/cold/index.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import { encodeBackup, encodeColdBackup, parseBackup } from '../../shared/recovery/index.ts';
import { makeSampleBackup, dealSample, PCRS, ROOT, sampleManifest } from '../audit/recovery/sample-backup.ts';
import { refusalIn, runHoldfast } from '../cli/in-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { coldConfiguration, coldOptions, makePair, MANIFEST, people, signCold } from './cold-files.ts';

const DAY = 86_400_000;
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const save = (name: string, content: string | Uint8Array) => {
  writeFileSync(at(name), content, { mode: 0o600 });
  return at(name);
};
const custodians = makeRecoveryKey([{ name: 'alice' }, { name: 'bob' }], 2, {
  random: randomBytes,
  now: Date.now(),
});
const keeper = makePair();
const leader = makePair();
/** The cold node's manifest, with a recovery key of custodians. */
const manifest = Buffer.from(
  JSON.stringify({
    ...(JSON.parse(Buffer.from(MANIFEST).toString()) as object),
    emergencyRecovery: { publicKey: custodians.custodians.publicKey },
  }),
);
const manifestDigest = Buffer.from(digestManifest(manifest)).toString('hex');

/** A configuration in which messages need a kept backup, which `treasury` may ask for and the keeper acknowledges. */
function configuration(): Uint8Array {
  const base = coldConfiguration(1) as unknown as {
    rules: object[];
    approvers: object[];
    approverGroups: object[];
  };
  const [template] = base.rules;
  return signCold(
    coldConfiguration(1, {
      manifest: manifestDigest,
      approvers: [
        ...base.approvers,
        { id: 'keeper', credentials: [{ type: 'ed25519', publicKey: keeper.publicKey }] },
      ],
      approverGroups: [...base.approverGroups, { id: 'keepers', approvers: ['keeper'] }],
      recovery: { required: ['messages'], keepers: 'keepers', maxUncovered: [], graceSeconds: 0 },
      rules: [
        ...base.rules,
        { ...template, id: 'backups', operations: ['backup'], keys: ['messages', 'ether'] },
      ],
    }),
  );
}

async function withNode<T>(options: ColdNodeOptions, act: (node: ColdNode) => Promise<T>): Promise<T> {
  const node = await openColdNode(options);
  try {
    return await act(node);
  } finally {
    await node.close();
  }
}

async function make(): Promise<{ options: ColdNodeOptions; identity: Uint8Array }> {
  const options = await coldOptions({ manifest, configuration: configuration() });
  const identity = await withNode({ ...options, isNew: true }, (node) => Promise.resolve(node.identity()));
  return { options, identity };
}

async function decide(options: ColdNodeOptions, ask: ColdRequest['ask']): Promise<ColdOutcome> {
  const created = Date.now();
  const envelope = createColdRequest(
    { manifest: manifestDigest, client: 'treasury', created, notAfter: created + DAY, checkpoint: null, ask },
    people.client.privateKey,
  );
  return (await withNode(options, (node) => decideColdRequest(node, envelope))).outcome;
}

const BACKUP: ColdRequest['ask'] = { type: 'backup', key: 'messages', nonce: '0a'.repeat(32) };
const MESSAGE: ColdRequest['ask'] = {
  type: 'sign',
  request: { key: 'messages', algorithm: 'ed25519', payload: { kind: 'message', message: '00' } },
};
const codeOf = (outcome: ColdOutcome) => (outcome.state === 'refused' ? outcome.code : outcome.state);

/** The backup in an outcome, as `cold open` writes it. */
function fileOf(outcome: ColdOutcome): Uint8Array {
  if (outcome.state !== 'backed-up') throw new TypeError(`expected a backup, found ${codeOf(outcome)}`);
  const bytes = (text: string) => Buffer.from(text, 'base64');
  return encodeColdBackup({
    statementBytes: bytes(outcome.statement),
    document: bytes(outcome.signed),
    ciphertexts: outcome.ciphertexts.map(bytes),
    receipt: outcome.receipt,
  });
}

/** Files of a node's backup, and the words that say that a cold node is meant. */
async function makeFiles() {
  const { options, identity } = await make();
  const file = fileOf(await decide(options, BACKUP));
  const told = ['--cold-identity', save('identity.json', identity)];
  const words = ['--backup', save('cold.messages.json', file), '--manifest', save('cold.json', manifest)];
  const shares = custodians.shares.flatMap(({ words: text }, index) => [
    '--share',
    save(`${index}.words`, text ?? ''),
  ]);
  return { options, identity, file, words, told, shares };
}

describe('a backup of a cold node', () => {
  it('is no backup of an attested node, whatever its members are called', async () => {
    const { file, words } = await makeFiles();
    const backup = parseBackup(file);
    expect(backup.statement.format).toBe('holdfast-cold-backup-statement/1');
    const trust = { root: ROOT.certificate, pcrs: [PCRS], manifests: [manifest] };
    const refused = expect.objectContaining({ code: 'BACKUP_NOT_ATTESTED' }) as Error;
    expect(() => verifyBackup(backup, trust)).toThrow(refused);
    const ciphertexts = backup.entries.map(({ ciphertext }) => ciphertext);
    const renamed = encodeBackup({ ...backup, ciphertexts });
    expect(() => parseBackup(renamed)).toThrow(expect.objectContaining({ code: 'BACKUP_MALFORMED' }));
    const dealt = await makeSampleBackup(dealSample(), 1, sampleManifest(1, custodians.custodians.publicKey));
    const attested = parseBackup(dealt);
    const disguised = encodeColdBackup({
      ...attested,
      ciphertexts: attested.entries.map(({ ciphertext }) => ciphertext),
    });
    expect(() => parseBackup(disguised)).toThrow(expect.objectContaining({ code: 'BACKUP_MALFORMED' }));
    // Nor is it taken by a verb that nobody has told of a cold node.
    const pcrs = ['--pcrs', save('pcr.json', JSON.stringify(pcrFile()))];
    const said = await runHoldfast(['ers', 'verify', ...words, ...pcrs, '--json']);
    expect(refusalIn(said)).toMatchObject({ exit: 1, code: 'BACKUP_NOT_ATTESTED' });
  });

  it('is of the node of the identity, of its manifest, and of the statement that it has signed', async () => {
    const { file, identity } = await makeFiles();
    const other = await make();
    const trust = { manifests: [manifest as Uint8Array], identities: [openColdIdentity(identity)] };
    const backup = parseBackup(file);
    expect(verifyColdBackup(backup, trust).kind).toBe('cold');
    const refusal = (changes: Partial<typeof trust>, changed = backup) => {
      try {
        verifyColdBackup(changed, { ...trust, ...changes });
        return 'TAKEN';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(refusal({ identities: [openColdIdentity(other.identity)] })).toBe('DSSE_UNDER_SIGNED');
    expect(refusal({ identities: [] })).toBe('BACKUP_IDENTITY_MISSING');
    expect(refusal({ manifests: [MANIFEST] })).toBe('BACKUP_MANIFEST_MISSING');
    const second = parseBackup(fileOf(await decide((await makeFiles()).options, BACKUP)));
    expect(refusal({}, { ...backup, document: second.document })).toBe('DSSE_UNDER_SIGNED');
    expect(refusal({}, { ...backup, statementBytes: Buffer.from('{}') })).toBe('BACKUP_PROOF_MISMATCH');
    expect(() => verifyColdBackup(backup, { ...trust, nonce: '0b'.repeat(32) })).toThrow(
      expect.objectContaining({ code: 'BACKUP_PROOF_MISMATCH' }),
    );
  });

  it('is told as such by verify, drill and recover, which take it once they are told of the node', async () => {
    const { options, words, told, shares } = await makeFiles();
    const call = (verb: string[], ...rest: string[]) =>
      runHoldfast(['ers', ...verb, ...words, ...told, ...rest]);
    const verified = await call(['verify']);
    expect([verified.exit, verified.out]).toEqual([
      0,
      expect.stringMatching(/^signed: messages of .* COLD node 1, WHICH NOTHING ATTESTS/),
    ]);
    expect(verified.out).not.toContain('proven');
    const drill = at('drill.json');
    const signer = ['--signer', save('leader.pem', leader.pem), '--output', drill];
    const held = await call(['drill'], ...shares, ...signer);
    expect([held.exit, held.out]).toEqual([0, expect.stringContaining('WHICH NOTHING ATTESTS')]);
    const record = await call(['verify'], '--drill', drill, '--leader', leader.publicKey);
    expect(record.out).toMatch(/drill of .*messages from COLD nodes, WHICH NOTHING ATTESTS/);
    const recovered = at('recovered.pem');
    const said = await call(['recover', 'messages'], ...shares, '--output', recovered);
    expect([said.exit, said.out]).toEqual([0, expect.stringContaining('WHICH NOTHING ATTESTS')]);
    const [known] = await withNode(options, ({ pipeline }) => Promise.resolve(pipeline.listKeys()));
    const publicKey = createPublicKey({
      key: {
        kty: 'OKP',
        crv: 'Ed25519',
        x: Buffer.from(known?.publicKey ?? '', 'hex').toString('base64url'),
      },
      format: 'jwk',
    });
    const signature = sign(null, Buffer.from('m'), createPrivateKey(readFileSync(recovered)));
    expect(verify(null, Buffer.from('m'), publicKey, signature)).toBe(true);
  });

  it('is decided by the rules, and is asked for by nobody whom they do not name', async () => {
    const { options } = await make();
    const outcome = await decide(options, { ...BACKUP, key: 'nothing' });
    expect(outcome).toMatchObject({ state: 'refused', code: 'UNKNOWN_KEY' });
    const bare = await coldOptions({
      manifest,
      configuration: signCold(coldConfiguration(1, { manifest: manifestDigest })),
    });
    await withNode({ ...bare, isNew: true }, () => Promise.resolve());
    expect(codeOf(await decide(bare, BACKUP))).toBe('POLICY_DENIED');
  });

  it('counts once a keeper has said that it is kept, and from one start to the next', async () => {
    const { options, words, told } = await makeFiles();
    expect(codeOf(await decide(options, MESSAGE))).toBe('BACKUP_MISSING');
    const acknowledge = async (by: ReturnType<typeof makePair>): Promise<ColdRequest['ask']> => {
      const output = at('messages.acknowledgement');
      const signer = ['--signer', save('keeper.pem', by.pem), '--output', output];
      expect((await runHoldfast(['ers', 'acknowledge', ...words, ...told, ...signer])).exit).toBe(0);
      return {
        type: 'acknowledge',
        key: 'messages',
        acknowledgement: readFileSync(output).toString('base64'),
      };
    };
    const stranger = await acknowledge(makePair());
    expect(codeOf(await decide(options, stranger))).toBe('ACKNOWLEDGEMENT_INVALID');
    const word = await acknowledge(keeper);
    expect(codeOf(await decide(options, word))).toBe('acknowledged');
    expect(codeOf(await decide(options, MESSAGE))).toBe('signed');
  });

  it('leaves the node with no secret but in the ciphertext', async () => {
    const { file, words, told, shares } = await makeFiles();
    const recovered = at('secret.pem');
    await runHoldfast(['ers', 'recover', 'messages', ...words, ...told, ...shares, '--output', recovered]);
    const { d = '' } = createPrivateKey(readFileSync(recovered)).export({ format: 'jwk' });
    const secret = Buffer.from(d, 'base64url');
    for (const form of [secret.toString('hex'), secret.toString('base64'), d])
      expect(Buffer.from(file).toString()).not.toContain(form);
  });
});

function pcrFile(): object {
  const entries = [...PCRS].map(([index, value]) => [`PCR${index}`, Buffer.from(value).toString('hex')]);
  return { Measurements: { HashAlgorithm: 'Sha384 { ... }', ...(Object.fromEntries(entries) as object) } };
}
