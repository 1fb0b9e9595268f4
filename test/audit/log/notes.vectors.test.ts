import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  appendLeaves,
  cosignCheckpoint,
  EMPTY_FRONTIER,
  formatTlogProof,
  formatVerifierKey,
  hashLeaf,
  LOG_KEY_TYPES,
  LogError,
  openCheckpoint,
  parseSignedNote,
  parseTlogProof,
  parseVerifierKey,
  signCheckpoint,
  verifyCosignatures,
  verifyTlogProof,
  WITNESS_KEY_TYPES,
} from '../../../audit/log/index.ts';
import { signingKeyFromSeed, verifyByNode } from '../../../audit/log/node-signatures.ts';
import { numberedEntries } from './reference-tree.ts';

/** Made with golang.org/x/mod/sumdb/note and filippo.io/torchwood, and opened by both. */
const ORIGIN = 'node1.enclave.example/audit';
const LOG_VKEY = `${ORIGIN}+3f5a2e59+AefACK+VuezI+Ka4LG1B/uBy96mChtTAJdSF2lYAULTW`;
const WITNESS_VKEY = 'witness.example/w1+dace1a7f+BFzjW8iz0KEurnwcla0BVc2P4F1oyQjfKO6JP1/BU4cy';
const LEAF_0 = '773885a613489e24ce2cf76199d6a423f042e4bbf12d7eecee912ef276c65701';
const NOTE = `${ORIGIN}
3
lPvQ3YNvUDAWkubQ6t5yjuGexSv/8WBu2AfIV11aqhk=

— ${ORIGIN} P1ouWQawR3QhxY2uor9VwYFixk7mrfBk2nH2FC4rYKXk5tw72AsaxMO9UeHkOllw841b2WNXoqjoXlFbnQ+gCZ5g6QU=
`;
const COSIGNATURE =
  '— witness.example/w1 2s4afwAAAABlU/EAd1skRPMldSdi4csI7bRuCCjSJgyCrBhKURHrtfbjrBC/vaPW3Symy9VDVlM2aC8FrM9Djfcp9lt/AYXLVuh7Dw==\n';
/** Of C2SP signed-note. */
const EXAMPLE_VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';

const seedOf = (text: string) => createHash('sha256').update(text).digest();
const log = signingKeyFromSeed(ORIGIN, 'ed25519', seedOf('tlog vector log'));
const witness = signingKeyFromSeed(
  'witness.example/w1',
  'cosignature-ed25519',
  seedOf('tlog vector witness'),
);
const pqWitness = signingKeyFromSeed('witness.example/pq', 'cosignature-ml-dsa-44', seedOf('pq'));
const append = appendLeaves(EMPTY_FRONTIER, numberedEntries(3).map(hashLeaf));
const refusal = (code: string) => expect.objectContaining({ constructor: LogError, code });

describe('the vectors of Go’s programs', () => {
  it('are the keys, the leaf, the checkpoint and the cosignature that these make', () => {
    expect(formatVerifierKey(log.key)).toBe(LOG_VKEY);
    expect(formatVerifierKey(witness.key)).toBe(WITNESS_VKEY);
    expect(Buffer.from(hashLeaf(Buffer.from('entry 0'))).toString('hex')).toBe(LEAF_0);
    const { text, note } = signCheckpoint({ origin: ORIGIN, size: 3, root: append.root }, log);
    expect(note).toBe(NOTE);
    expect(cosignCheckpoint(witness, text, 1_700_000_000)).toBe(COSIGNATURE);
  });

  it('are taken', () => {
    const keys = [parseVerifierKey(LOG_VKEY, LOG_KEY_TYPES)];
    const checkpoint = openCheckpoint(
      Buffer.from(NOTE + COSIGNATURE),
      { origin: ORIGIN, keys },
      verifyByNode,
    );
    expect(checkpoint).toMatchObject({ origin: ORIGIN, size: 3, extensions: [] });
    const witnesses = { keys: [parseVerifierKey(WITNESS_VKEY, WITNESS_KEY_TYPES)], threshold: 1 };
    const [found] = verifyCosignatures(checkpoint.text, checkpoint.signatures, witnesses, verifyByNode);
    expect(found).toMatchObject({ time: 1_700_000_000, line: COSIGNATURE });
  });

  it('has the example of signed-note', () => {
    const note = parseSignedNote(
      Buffer.from(
        'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
      ),
    );
    const key = parseVerifierKey(EXAMPLE_VKEY, LOG_KEY_TYPES);
    const [line] = note.signatures;
    expect(line).toMatchObject({ name: key.name, id: key.id });
    expect(verifyByNode(key, Buffer.from(note.text), line?.signature ?? Buffer.alloc(0))).toBe(true);
  });
});

describe('a tlog-proof', () => {
  const { text, note } = signCheckpoint({ origin: ORIGIN, size: 3, root: append.root }, log);
  const lines = [witness, pqWitness].map((key) => cosignCheckpoint(key, text, 1_700_000_000));
  const proof = { index: 1, inclusion: append.proveInclusion(1), checkpoint: note + lines.join('') };
  const policy = {
    origin: ORIGIN,
    keys: [log.key],
    witnesses: { keys: [witness.key, pqWitness.key], threshold: 2 },
  };
  const leaf = hashLeaf(Buffer.from('entry 1'));

  it('is read as it was written, and verifies', () => {
    for (const extra of [{}, { extra: Buffer.from('beside') }]) {
      const parsed = parseTlogProof(Buffer.from(formatTlogProof({ ...proof, ...extra })));
      expect(formatTlogProof(parsed)).toBe(formatTlogProof({ ...proof, ...extra }));
      const verified = verifyTlogProof(parsed, leaf, policy, verifyByNode);
      expect(verified).toMatchObject({ index: 1, checkpoint: { size: 3 } });
      expect(verified.cosignatures).toHaveLength(2);
    }
  });

  it('of another entry, place or log is refused', () => {
    const verify =
      (change: object, changedPolicy: object = {}) =>
      () =>
        verifyTlogProof({ ...proof, ...change }, leaf, { ...policy, ...changedPolicy }, verifyByNode);
    expect(verify({ index: 0 })).toThrow(refusal('INCLUSION_PROOF_INVALID'));
    expect(verify({ index: 3 })).toThrow(refusal('INCLUSION_PROOF_INVALID'));
    expect(verify({ inclusion: [] })).toThrow(refusal('INCLUSION_PROOF_INVALID'));
    expect(verify({}, { origin: 'another.example' })).toThrow(refusal('CHECKPOINT_ORIGIN'));
    expect(verify({}, { keys: [] })).toThrow(refusal('CHECKPOINT_UNSIGNED'));
    expect(verify({ checkpoint: note })).toThrow(refusal('CHECKPOINT_UNDER_COSIGNED'));
    expect(verify({ checkpoint: note + lines[0] + lines[0] })).toThrow(refusal('CHECKPOINT_UNDER_COSIGNED'));
    expect(() => verifyTlogProof(proof, hashLeaf(Buffer.from('entry 2')), policy, verifyByNode)).toThrow(
      refusal('INCLUSION_PROOF_INVALID'),
    );
  });
});
