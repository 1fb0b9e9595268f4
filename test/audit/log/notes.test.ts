import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  collectCosignatures,
  cosignCheckpoint,
  formatVerifierKey,
  hashLeaf,
  LOG_KEY_TYPES,
  LogError,
  openCheckpoint,
  parseCheckpointText,
  parseSignatureLines,
  parseSignedNote,
  parseTlogProof,
  parseVerifierKey,
  formatTlogProof,
  verifyCosignatures,
  verifyTlogProof,
  WITNESS_KEY_TYPES,
} from '../../../audit/log/index.ts';
import { signingKeyFromSeed, verifyByNode } from '../../../audit/log/node-signatures.ts';
import { SampleLog } from './sample-log.ts';

const seedOf = (text: string) => createHash('sha256').update(text).digest();
const refusal = (code: string) => expect.objectContaining({ constructor: LogError, code });
const witness = (name: string, seed = name) =>
  signingKeyFromSeed(`witness.example/${name}`, 'cosignature-ed25519', seedOf(seed));
const pq = signingKeyFromSeed('witness.example/pq', 'cosignature-ml-dsa-44', seedOf('pq'));

const log = new SampleLog();
const append = log.append(5);
const { text, note } = log.checkpoint();
const trusted = { origin: log.origin, keys: [log.signingKey.key] };
const open = (bytes: string) => openCheckpoint(Buffer.from(bytes), trusted, verifyByNode);

describe('a verifier key', () => {
  const vkey = log.vkey;
  it.each([
    ['a witness’s type where a log’s is wanted', formatVerifierKey(witness('w1').key), LOG_KEY_TYPES],
    ['a log’s type where a witness’s is wanted', vkey, WITNESS_KEY_TYPES],
    ['another id', vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+'), LOG_KEY_TYPES],
    ['another name', vkey.replace('node1', 'node2'), LOG_KEY_TYPES],
    ['a short key', vkey.slice(0, -4), LOG_KEY_TYPES],
    ['an id in capitals', vkey.replace(/\+([0-9a-f]{8})\+/, (whole) => whole.toUpperCase()), LOG_KEY_TYPES],
    ['no padding', 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2', LOG_KEY_TYPES],
    ['a space in the name', vkey.replace('node1', 'node 1'), LOG_KEY_TYPES],
    ['nothing', '', LOG_KEY_TYPES],
    ['too many characters', vkey + 'A'.repeat(3_000), LOG_KEY_TYPES],
  ] as const)('is refused with %s', (_, text, types) => {
    expect(() => parseVerifierKey(text, types)).toThrow(refusal('VERIFIER_KEY_MALFORMED'));
  });

  it('is taken as it was written, of each type', () => {
    for (const key of [log.signingKey.key, witness('w1').key, pq.key]) {
      const types = [...LOG_KEY_TYPES, ...WITNESS_KEY_TYPES];
      expect(parseVerifierKey(formatVerifierKey(key), types)).toEqual(key);
    }
  });
});

describe('a signed note', () => {
  it('is refused at every length but its own', () => {
    const bytes = Buffer.from(note);
    for (let length = 0; length < bytes.length; length += 1)
      expect(() => openCheckpoint(bytes.subarray(0, length), trusted, verifyByNode)).toThrow(LogError);
    expect(open(note).size).toBe(5);
  });

  it('is refused with any bit of it turned over', () => {
    const bytes = Buffer.from(note);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const turned = Buffer.from(bytes);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => openCheckpoint(turned, trusted, verifyByNode)).toThrow(LogError);
    }
  });

  it.each([
    ['CRLF', note.replaceAll('\n', '\r\n')],
    ['a tab', note.replace('5\n', '5\t\n')],
    ['no signature', `${text}\n`],
    ['no empty line', text],
    ['a hyphen for the dash', note.replace('— ', '- ')],
    ['two spaces', note.replace('— ', '—  ')],
    ['a word after the signature', note.replace(/\n$/, ' x\n')],
    ['a mark of byte order', `\uFEFF${note}`],
    ['no line feed at the end', note.slice(0, -1)],
    ['65 lines', note + (note.split('\n\n')[1] ?? '').repeat(64)],
    ['more than its maximum', note + 'x'.repeat(140_000)],
  ])('is refused with %s', (_, altered) => {
    expect(() => open(altered)).toThrow(LogError);
  });

  it('is refused as no UTF-8', () => {
    expect(() => parseSignedNote(Buffer.concat([Buffer.from([0xff]), Buffer.from(note)]))).toThrow(
      refusal('NOTE_MALFORMED'),
    );
  });

  it('has its text up to the last empty line', () => {
    expect(parseSignedNote(Buffer.from(`a\n\nb\n\n${note.split('\n\n')[1] ?? ''}`)).text).toBe('a\n\nb\n');
  });
});

describe('the text of a checkpoint', () => {
  const [origin = '', size = '', root = ''] = text.split('\n');
  it.each([
    ['a size with a leading zero', [origin, '05', root]],
    ['a size with a sign', [origin, '+5', root]],
    ['a size beyond 2^53 - 1', [origin, '9007199254740992', root]],
    ['a size of 17 digits', [origin, '10000000000000000', root]],
    ['no size', [origin, '', root]],
    ['no origin', ['', size, root]],
    ['a short root', [origin, size, root.slice(4)]],
    ['a root whose unused bits are set', [origin, size, root.replace(/.=$/, 'B=')]],
    ['a root of two lines', [origin, size, root.slice(0, 20), root.slice(20)]],
    ['an empty extension line', [origin, size, root, '', 'x']],
  ])('is refused with %s', (_, lines) => {
    const altered = `${lines.join('\n')}\n`;
    expect(() => parseCheckpointText(altered)).toThrow(refusal('CHECKPOINT_MALFORMED'));
  });

  it('may have extension lines, which a tlog-proof of ours may not', () => {
    const extended = `${text}a nonce\n`;
    expect(parseCheckpointText(extended).extensions).toEqual(['a nonce']);
    const signature = log.signingKey.sign(Buffer.from(extended));
    const id = Buffer.alloc(4);
    id.writeUInt32BE(log.signingKey.key.id);
    const line = `— ${log.origin} ${Buffer.concat([id, signature]).toString('base64')}\n`;
    // The cosignature of the text without the nonce is one of the text with it: ML-DSA-44 does not cover the line.
    const checkpoint = `${extended}\n${line}${cosignCheckpoint(pq, text, 9)}`;
    const opened = open(checkpoint);
    const keys = [pq.key];
    expect(
      verifyCosignatures(opened.text, opened.signatures, { keys, threshold: 1 }, verifyByNode),
    ).toHaveLength(1);
    const proof = { index: 1, inclusion: append.proveInclusion(1), checkpoint };
    const policy = { ...trusted, witnesses: { keys, threshold: 1 } };
    const leaf = hashLeaf(Buffer.from('entry 1'));
    expect(() => verifyTlogProof(proof, leaf, policy, verifyByNode)).toThrow(refusal('CHECKPOINT_MALFORMED'));
    const plain = note + cosignCheckpoint(pq, text, 9);
    expect(verifyTlogProof({ ...proof, checkpoint: plain }, leaf, policy, verifyByNode).index).toBe(1);
  });
});

describe('cosignatures', () => {
  const collect = (lines: string, keys: readonly ReturnType<typeof witness>[]) =>
    collectCosignatures(
      text,
      parseSignatureLines(lines),
      keys.map(({ key }) => key),
      verifyByNode,
    );

  it('of one key under two names count once', () => {
    const [one, other] = [witness('w1'), witness('w2', 'w1')];
    const lines = [one, other].map((key) => cosignCheckpoint(key, text, 5)).join('');
    expect(collect(lines, [one, other]).cosignatures).toHaveLength(1);
    const keys = [one.key, other.key];
    expect(() =>
      verifyCosignatures(text, parseSignatureLines(lines), { keys, threshold: 2 }, verifyByNode),
    ).toThrow(refusal('CHECKPOINT_UNDER_COSIGNED'));
  });

  it('of one witness at several times count once', () => {
    const lines = [5, 6, 7].map((time) => cosignCheckpoint(witness('w1'), text, time)).join('');
    expect(collect(lines, [witness('w1')]).cosignatures).toHaveLength(1);
  });

  it('at time 0, or beyond exact integers, are not valid', () => {
    const signingKey = witness('w1');
    const { key } = signingKey;
    const timestamped = (time: bigint) => {
      const prefix = Buffer.alloc(12);
      prefix.writeUInt32BE(key.id);
      prefix.writeBigUInt64BE(time, 4);
      const signature = signingKey.sign(Buffer.from(`cosignature/v1\ntime ${time}\n${text}`));
      return `— ${key.name} ${Buffer.concat([prefix, signature]).toString('base64')}\n`;
    };
    expect(collect(timestamped(1n), [witness('w1')]).cosignatures).toHaveLength(1);
    for (const time of [0n, 2n ** 53n, 2n ** 64n - 1n])
      expect(collect(timestamped(time), [witness('w1')]).cosignatures).toEqual([]);
    expect(() => cosignCheckpoint(witness('w1'), text, 0)).toThrow(RangeError);
  });

  it('over another size, root or origin are not valid, of either type', () => {
    for (const key of [witness('w1'), pq]) {
      const other = new SampleLog('another.example');
      other.append(5);
      const longer = new SampleLog();
      longer.append(6);
      for (const { text: changed } of [other.checkpoint(), longer.checkpoint()]) {
        const { cosignatures, invalid } = collect(cosignCheckpoint(key, changed, 5), [key]);
        expect([cosignatures.length, invalid.length]).toEqual([0, 1]);
      }
    }
  });

  it('of nobody are passed over, and the log’s own line is none', () => {
    expect(collect(cosignCheckpoint(witness('w9'), text, 5), [witness('w1')])).toEqual({
      cosignatures: [],
      invalid: [],
    });
    const lines = note.split('\n\n')[1] ?? '';
    expect(collect(lines, [witness('w1')]).cosignatures).toEqual([]);
  });

  it('of one cosigner’s name do not serve under another with ML-DSA-44', () => {
    const renamed = signingKeyFromSeed('witness.example/other', 'cosignature-ml-dsa-44', seedOf('pq'));
    const [, , encoded = ''] = cosignCheckpoint(pq, text, 5).trimEnd().split(' ');
    const bytes = Buffer.from(encoded, 'base64');
    bytes.writeUInt32BE(renamed.key.id);
    const { cosignatures, invalid } = collect(`— ${renamed.key.name} ${bytes.toString('base64')}\n`, [
      renamed,
    ]);
    expect([cosignatures.length, invalid.length]).toEqual([0, 1]);
  });
});

describe('the bytes of a tlog-proof', () => {
  const proof = { index: 3, inclusion: append.proveInclusion(3), checkpoint: note };
  const written = formatTlogProof(proof);

  it.each([
    ['another header', written.replace('@v1', '@v2')],
    ['a leading zero', written.replace('index 3', 'index 03')],
    ['no index', written.replace('index 3\n', '')],
    ['extra data after the index', written.replace('index 3\n', 'index 3\nextra AA==\n')],
    ['extra data that are not base64', written.replace('index', 'extra A\nindex')],
    ['a short hash', written.replace(/\n[A-Za-z0-9+/]{43}=/, (line) => line.slice(0, 41))],
    ['64 hashes', written.replace('index 3\n', `index 3\n${`${'A'.repeat(43)}=\n`.repeat(64)}`)],
    ['no empty line', written.replaceAll('\n\n', '\n')],
  ])('are refused with %s', (_, altered) => {
    expect(() => parseTlogProof(Buffer.from(altered))).toThrow(refusal('TLOG_PROOF_MALFORMED'));
  });

  it('verify at no length but their own', () => {
    const leaf = hashLeaf(Buffer.from('entry 3'));
    const policy = { ...trusted, witnesses: { keys: [], threshold: 0 } };
    const verify = (bytes: Uint8Array) => verifyTlogProof(parseTlogProof(bytes), leaf, policy, verifyByNode);
    expect(verify(Buffer.from(written)).index).toBe(3);
    for (let length = 0; length < written.length; length += 1)
      expect(() => verify(Buffer.from(written).subarray(0, length))).toThrow(LogError);
  });
});
