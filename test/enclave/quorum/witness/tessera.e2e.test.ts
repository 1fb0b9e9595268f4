import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  openCheckpoint,
  parseVerifierKey,
  verifyCosignatures,
  WITNESS_KEY_TYPES,
} from '../../../../audit/log/index.ts';
import { verifyByNode } from '../../../../audit/log/node-signatures.ts';
import { askPeers } from '../../../../local/testbed/log-peers.ts';
import { SampleLog } from '../../../audit/log/sample-log.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { findLogPeers } from '../../../support/witnesses.ts';
import { TestNode } from './nodes.ts';

const PEERS = findLogPeers('nodes were not asked for cosignatures by tessera');

describe.skipIf(PEERS === undefined)('a witness client that shares nothing with ours', () => {
  it('gets the cosignatures of two nodes for every checkpoint of its log', async () => {
    const tessera = new SampleLog('tessera.example/log');
    const [first, second] = (await TestNode.make(2)) as [TestNode, TestNode];
    await using nodes = new AsyncDisposableStack();
    for (const node of [first, second]) {
      nodes.use(node);
      expect(await node.start({ follows: [tessera.vkey] })).toBe('SERVING');
    }
    const seed = createHash('sha256').update(tessera.origin).digest();
    const [name, id] = tessera.vkey.split('+');
    const report = (await askPeers(PEERS ?? '', 'tessera', {
      folder: join(temporaryFolder(), 'tessera'),
      signingKey: `PRIVATE+KEY+${name}+${id}+${Buffer.concat([Buffer.of(1), seed]).toString('base64')}`,
      entries: 300,
      witnesses: [first, second].map(({ witnessKey, url }) => ({ vkey: witnessKey, url })),
    })) as { refusal: string; checkpoint: string };
    expect(report.refusal).toBe('');
    const opened = openCheckpoint(
      Buffer.from(report.checkpoint),
      { origin: tessera.origin, keys: [tessera.signingKey.key] },
      verifyByNode,
    );
    expect(opened.size).toBe(300);
    const keys = [first, second].map(({ witnessKey }) => parseVerifierKey(witnessKey, WITNESS_KEY_TYPES));
    verifyCosignatures(opened.text, opened.signatures, { keys, threshold: 2 }, verifyByNode);
    expect(
      first.entries.filter(({ predicate }) => predicate['origin'] === tessera.origin).at(-1)?.predicate,
    ).toMatchObject({ size: 300, root: Buffer.from(opened.root).toString('hex') });
  });
});
