import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WitnessClient } from '../../../parent/log/witness-client.ts';
import { makeWitness } from '../../enclave/log/fixtures.ts';

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
}

const SIZE = 'text/x.tlog.size';
const TEXT = `log.example/1\n9\n${Buffer.alloc(32, 1).toString('base64')}\n`;
const NOTE = `${TEXT}\n— log.example/1 AAAA\n`;
const witness = makeWitness('w.example/1');
const LINE: Answer = { status: 200, body: witness.cosign(TEXT) };

/** A witness that answers as a test says, in turn; the last answer is repeated. */
async function startServer(answers: readonly Answer[]) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const {
        status,
        type = 'text/plain',
        body = '',
      } = answers[Math.min(bodies.length, answers.length - 1)] ?? LINE;
      bodies.push(Buffer.concat(parts).toString());
      response.writeHead(status, { 'content-type': type }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const client = new WitnessClient({ url: `http://127.0.0.1:${port}/prefix/`, key: witness.vkey });
  const proofs: number[] = [];
  const cosign = (size = 9) =>
    client.cosign({
      size,
      text: TEXT,
      note: NOTE,
      proveConsistency: (older) => {
        proofs.push(older);
        return Promise.resolve(older === 0 || older === size ? [] : [new Uint8Array(32).fill(older)]);
      },
    });
  return { client, cosign, bodies, proofs };
}

describe('the client of a witness', () => {
  it('shows the checkpoint it means, by the size that it believes the witness to know', async () => {
    const { cosign, bodies } = await startServer([{ status: 409, type: SIZE, body: '4\n' }, LINE]);
    expect(await cosign()).toEqual({ line: witness.cosign(TEXT) });
    const proof = Buffer.alloc(32, 4).toString('base64');
    expect(bodies).toEqual([`old 0\n\n${NOTE}`, `old 4\n${proof}\n\n${NOTE}`]);
    await cosign();
    expect(bodies[2]).toBe(`old 9\n\n${NOTE}`);
  });

  it.each<[string, readonly Answer[], string]>([
    ['a larger tree', [{ status: 409, type: SIZE, body: '10\n' }], 'LARGER_TREE'],
    ['another root of the same size', [{ status: 422 }], 'OTHER_TREE'],
    ['an unknown log', [{ status: 404 }], 'UNKNOWN_LOG'],
    ['an unknown key', [{ status: 403 }], 'UNKNOWN_LOG'],
    ['a failure that stays', [{ status: 500 }], 'FAILED'],
    ['a malformed request', [{ status: 400 }], 'FAILED'],
    ['a size that is none', [{ status: 409, type: SIZE, body: '010\n' }], 'FAILED'],
    ['lines that are none', [{ status: 200, body: 'nonsense' }], 'FAILED'],
    ['a cosignature of another tree', [{ status: 200, body: witness.cosign(`x${TEXT}`) }], 'FAILED'],
    [
      'a cosignature of another witness',
      [{ status: 200, body: makeWitness('w.example/2').cosign(TEXT) }],
      'FAILED',
    ],
    ['more than a response may be', [{ status: 200, body: 'x'.repeat(70_000) }], 'UNREACHABLE'],
    ['a way elsewhere', [{ status: 302 }], 'UNREACHABLE'],
  ])('says what is wrong with %s', async (_, answers, code) => {
    const { cosign, client } = await startServer(answers);
    expect(await cosign()).toMatchObject({ code });
    expect(client.status.refusal).toBe(code);
  });

  it.each([[429], [500], [503]])(
    'asks again after %i, by the size that the witness then says',
    async (status) => {
      // The failed request had been carried out: the witness knows the tree already.
      const { cosign, bodies } = await startServer([
        { status },
        { status: 409, type: SIZE, body: '9\n' },
        LINE,
      ]);
      expect(await cosign()).toMatchObject({ line: witness.cosign(TEXT) });
      expect(bodies.map((body) => body.split('\n')[0])).toEqual(['old 0', 'old 0', 'old 9']);
    },
  );

  it('says UNREACHABLE where nobody listens', async () => {
    const client = new WitnessClient({ url: 'http://127.0.0.1:9', key: witness.vkey });
    const tree = { size: 1, text: TEXT, note: NOTE, proveConsistency: () => Promise.resolve([]) };
    expect(await client.cosign(tree)).toEqual({ code: 'UNREACHABLE' });
  });

  it('never shows an old size beyond the tree: a rolled-back store is told the size that the witness knows', async () => {
    const { cosign, bodies } = await startServer([LINE, { status: 409, type: SIZE, body: '9\n' }]);
    await cosign(9);
    expect(await cosign(5)).toMatchObject({ code: 'LARGER_TREE' });
    expect(bodies[1]?.split('\n')[0]).toBe('old 5');
  });
});
