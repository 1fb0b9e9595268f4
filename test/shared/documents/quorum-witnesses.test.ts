import { describe, expect, it } from 'vitest';
import { parseConfiguration, readConfiguration } from '../../../shared/documents/configuration.ts';
import { makeConfiguration2 } from './sample-rules.ts';

const vkey = (name: string, key = name) => `${name}+01234567+${Buffer.from(key).toString('base64')}`;
const OUTSIDE = vkey('witness.example/w1');
const peer = (node: number, changes: object = {}) => ({
  node,
  manifest: `0${node}`.repeat(48),
  images: [{ pcrs: { 0: 'aa'.repeat(48), 1: 'bb'.repeat(48), 2: 'cc'.repeat(48) }, notAfter: null }],
  log: vkey(`node-${node}/log`),
  witness: vkey(`node-${node}/witness`),
  ...changes,
});
const restart = { size: 12, root: 'ab'.repeat(32), notAfter: '2027-01-01T00:00:00Z' };

const document = (quorum: object, peers: object[] = [peer(2), peer(3)]) =>
  makeConfiguration2({
    witnesses: { threshold: 1, keys: [OUTSIDE], maxUncosignedSeconds: 0 },
    quorum: { peers, servesAlone: [], refreshHours: null, ...quorum } as never,
  });
const parse = (value: object) => parseConfiguration(Buffer.from(JSON.stringify(value)));

describe('peers as witnesses in a configuration', () => {
  it('are read', () => {
    const value = document({ witnesses: { threshold: 2, maxUncosignedSeconds: 60, restart } });
    expect(parse(value)).toEqual(readConfiguration(value));
    expect(parse(value).quorum?.witnesses?.restart).toEqual(restart);
    expect(parse(document({}, [peer(2, { log: undefined, witness: undefined })])).quorum?.witnesses).toBe(
      undefined,
    );
  });

  it.each<[string, object, object[]?]>([
    ['more than there are', { witnesses: { threshold: 3, maxUncosignedSeconds: 0 } }],
    [
      'more than have a key',
      { witnesses: { threshold: 2, maxUncosignedSeconds: 0 } },
      [peer(2), peer(3, { witness: undefined })],
    ],
    ['none', { witnesses: { threshold: 0, maxUncosignedSeconds: 0 } }],
    ['without a word on time without them', { witnesses: { threshold: 1 } }],
    [
      'with a restart without an end',
      { witnesses: { threshold: 1, maxUncosignedSeconds: 0, restart: { size: 1, root: restart.root } } },
    ],
    [
      'with a restart from a root in base64',
      { witnesses: { threshold: 1, maxUncosignedSeconds: 0, restart: { ...restart, root: 'A'.repeat(43) } } },
    ],
    ['with an unknown member', { witnesses: { threshold: 1, maxUncosignedSeconds: 0, keys: [] } }],
    ['with one key for two', {}, [peer(2), peer(3, { witness: vkey('node-3/witness', 'node-2/witness') })]],
    ['with one name for two', {}, [peer(2), peer(3, { witness: vkey('node-2/witness', 'other') })]],
    ['with one log for two', {}, [peer(2), peer(3, { log: vkey('node-2/log', 'other') })]],
    ['with an outside witness among them', {}, [peer(2, { witness: OUTSIDE })]],
    ["with an outside witness's key among them", {}, [peer(2, { witness: vkey('x', 'witness.example/w1') })]],
    [
      "with an outside witness's name among them",
      {},
      [peer(2, { witness: vkey('witness.example/w1', 'x') })],
    ],
    ['with what is no verifier key', {}, [peer(2, { log: 'aa'.repeat(32) })]],
  ])('are refused: %s', (_, quorum, peers) => {
    expect(() => parse(document(quorum, peers))).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }),
    );
  });
});
