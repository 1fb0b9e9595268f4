import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askSession, sendRaw } from '../../local/attacks/raw-request.ts';
import { makeRequest, type ServingNode } from '../../local/attacks/request-attacks.ts';
import { Scenario } from '../../local/testbed/scenario.ts';
import { type Dial, httpShapes, openTcp, TLS_SHAPES } from '../support/memory/hostile-shapes.ts';
import { readPeak } from '../support/memory/measured-child.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CONNECTIONS = 60;
const MB = 1e6;
/** With all pieces and requests kept, 60 connections took 1,600 MB. */
const MAX_GROWTH_MB = 100;

let directory: string;
let scenario: Scenario;
let node: ServingNode & { readonly pid: number; stop(): Promise<void> };

beforeAll(async () => {
  directory = temporaryFolder();
  scenario = await Scenario.open(directory);
  const started = await scenario.start();
  node = {
    testNode: scenario.testNode,
    url: started.url,
    session: await askSession(started.url),
    pid: started.enclave.pid,
    stop: () => started.stop(),
  };
});
afterAll(async () => {
  await node.stop();
  await scenario.close();
});

const dial: Dial = () => openTcp(Number(new URL(node.url).port));

describe('a node serves on after 60 connections without any key', () => {
  // What each shape costs by itself, memory.test.ts says.
  const shapes = [
    ...httpShapes({ target: '/v1/attestation', lines: [], isTls: true }).filter(
      ({ what }) => what.startsWith('pipelines') || what.startsWith('sends'),
    ),
    ...TLS_SHAPES,
  ];
  it('whatever they send, with bounded memory', async () => {
    const before = readPeak(node.pid);
    for (const { what, attack } of shapes) {
      const open = await Promise.all(Array.from({ length: CONNECTIONS }, () => attack(dial)));
      const answer = await sendRaw(node.url, makeRequest(node));
      expect({ what, ...answer }).toMatchObject({ what, status: 200 });
      const grown = (readPeak(node.pid) - before) / MB;
      expect({ what, grown }).toSatisfy(() => grown < MAX_GROWTH_MB);
      for (const stream of open) stream.destroy();
      await sleep(20);
    }
  });
});
