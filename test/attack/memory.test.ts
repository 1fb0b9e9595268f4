import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENCLAVE_PORT } from '../../shared/transport/ports.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import {
  type Dial,
  type HostileShape,
  httpShapes,
  openTcp,
  TLS_SHAPES,
} from '../support/memory/hostile-shapes.ts';
import { MeasuredChild } from '../support/memory/measured-child.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CONNECTIONS = 40;
const MB = 1e6;
const SETTLE_MS = 200;
/** What is kept once garbage is collected: a body of each connection, and what TLS takes. */
const MAX_HELD_MB = 8;
/** The most that the process took at any time, garbage included. */
const MAX_PEAK_MB = 64;

/** Of connections that wait: they have no TLS and no parser. */
const MAX_WAITING_MB = 2;
/** It looks at no HTTP: what matters is the pieces. */
const INGRESS_SHAPE = 'sends a body byte by byte';

type Target = MeasuredChild<{ readonly port: number }>;

let directory: string;
let child: Target;

/** One process for the tests of a block, which put its peak back to where it is. */
function beforeAllStart(name: string, ...args: readonly string[]): void {
  beforeAll(async () => {
    directory = temporaryFolder();
    const module = new URL(`../support/memory/${name}-process.ts`, import.meta.url);
    child = await MeasuredChild.start(module, directory, ...args);
  });
  afterAll(async () => {
    await child.end();
  });
}

const dialTcp: Dial = () => openTcp(child.ready.port);

interface Growth {
  readonly held: number;
  readonly peak: number;
}

/** What the process grows by, in MB, under so many connections of a shape. */
async function measureGrowth(dial: Dial, { attack }: HostileShape): Promise<Growth> {
  child.resetPeak();
  const before = await child.measure();
  const open: Duplex[] = [];
  try {
    open.push(...(await Promise.all(Array.from({ length: CONNECTIONS }, () => attack(dial)))));
    // What was sent last has still to be read.
    await sleep(SETTLE_MS);
    const { held } = await child.measure();
    return { held: (held - before.held) / MB, peak: (child.peak - before.resident) / MB };
  } finally {
    for (const stream of open) stream.destroy();
  }
}

const isSmall = ({ held, peak }: Growth) => held < MAX_HELD_MB && peak < MAX_PEAK_MB;
const isSmaller = ({ held, peak }: Growth) => held < MAX_WAITING_MB && peak < MAX_PEAK_MB;

describe('the enclave does not grow by a stranger who', () => {
  const dial = async () => {
    const client = createUnixTransport({ directory, cid: 3 });
    return await client.connect({ cid: 16, port: ENCLAVE_PORT.api }, { timeoutMs: 30_000 });
  };
  const shapes = [...httpShapes({ target: '/slow', lines: [], isTls: true }), ...TLS_SHAPES];
  beforeAllStart('enclave');
  it.each(shapes)('$what', async (shape) => {
    expect(await measureGrowth(dial, shape)).toSatisfy(isSmall);
  });
});

describe('the status page of the parent does not grow by a stranger who', () => {
  beforeAllStart('status');
  const shapes = httpShapes({ target: '/status', lines: [], isTls: false });
  it.each(shapes)('$what', async (shape) => {
    expect(await measureGrowth(dialTcp, shape)).toSatisfy(isSmall);
  });
});

describe('the stand-in of KMS does not grow by a stranger who', () => {
  const lines = ['x-amz-target: TrentService.Decrypt', 'content-type: application/x-amz-json-1.1'];
  const shapes = [...httpShapes({ target: '/', lines, isTls: true }), ...TLS_SHAPES];
  beforeAllStart('aws');
  it.each(shapes)('$what', async (shape) => {
    expect(await measureGrowth(dialTcp, shape)).toSatisfy(isSmall);
  });
});

describe.each([
  ['while the enclave does not accept', ''],
  ['in place of a PROXY header', 'proxy-protocol'],
])('the ingress of the parent does not grow by a stranger %s who', (_, proxyProtocol) => {
  beforeAllStart('ingress', proxyProtocol);
  const shapes = httpShapes({ target: '/', lines: [], isTls: false });
  it.each(shapes.filter(({ what }) => what === INGRESS_SHAPE))('$what', async (shape) => {
    expect(await measureGrowth(dialTcp, shape)).toSatisfy(isSmaller);
  });
});
