import { SampleLog, witnessRequest } from '../log/sample-log.ts';

/** What one witness gives where it departs from the specification. */
export interface Departures {
  readonly litewitness?: number;
  readonly omniwitness?: number;
}

/** Request to a witness that knows the log at 12, and what C2SP tlog-witness v1.0.0 says to it. */
export interface WitnessCase {
  readonly name: string;
  readonly body: string;
  /** Status by the specification; where it names none, ours. */
  readonly status: number;
  readonly departures?: Departures;
}

export const KNOWN_SIZE = 12;

/** A log of 12 entries, and the requests of a table that begin there. None that is to be refused changes the state. */
export async function makeWitnessTable(log: SampleLog): Promise<readonly WitnessCase[]> {
  const at12 = log.checkpoint().note;
  const grown = new SampleLog(log.origin);
  grown.append(KNOWN_SIZE);
  const proofless = grown.append(8);
  const proof = await grown.proveConsistency(KNOWN_SIZE);
  const note = grown.checkpoint().note;
  const fork = new SampleLog(log.origin);
  fork.append(KNOWN_SIZE, 'another');
  const stranger = new SampleLog('stranger.example/log');
  stranger.append(3);
  const impostor = new SampleLog(log.origin, 'another seed');
  impostor.append(20);
  const broken = note.replace(
    /(.)(.{6})\n$/,
    (_, letter: string, rest: string) => `${letter === 'A' ? 'B' : 'A'}${rest}\n`,
  );
  const extra = Buffer.from(proofless.root);
  const strangerLine = stranger.checkpoint().note.split('\n\n')[1] ?? '';
  return [
    { name: 'the same size again', body: witnessRequest(12, [], at12), status: 200 },
    {
      name: 'a good signature and one of a stranger',
      body: witnessRequest(12, [], at12 + strangerLine),
      status: 200,
    },
    {
      name: 'an old size that is not the known one',
      body: witnessRequest(5, await grown.proveConsistency(5), note),
      status: 409,
    },
    { name: 'an old size of 0', body: witnessRequest(0, [], note), status: 409 },
    { name: 'an old size above the checkpoint', body: witnessRequest(21, [], note), status: 400 },
    { name: 'no proof', body: witnessRequest(12, [], note), status: 422 },
    { name: 'a wrong proof', body: witnessRequest(12, proof.toReversed(), note), status: 422 },
    { name: 'a proof with a hash too many', body: witnessRequest(12, [...proof, extra], note), status: 422 },
    { name: 'a proof for the same size', body: witnessRequest(12, [extra], at12), status: 422 },
    {
      name: 'the same size with another root',
      body: witnessRequest(12, [], fork.checkpoint().note),
      status: 422,
    },
    {
      name: '64 proof lines',
      body: witnessRequest(
        12,
        Array.from({ length: 64 }, () => extra),
        note,
      ),
      status: 400,
      departures: { omniwitness: 422 },
    },
    {
      name: 'an unknown origin',
      body: witnessRequest(0, [], stranger.checkpoint().note),
      status: 404,
      departures: { omniwitness: 500 },
    },
    {
      name: 'only the signature of an unknown key',
      body: witnessRequest(12, [], impostor.checkpoint().note),
      status: 403,
      departures: { omniwitness: 500 },
    },
    {
      name: 'an invalid signature of the known key',
      body: witnessRequest(12, proof, broken),
      status: 403,
      departures: { omniwitness: 500 },
    },
    {
      name: 'a checkpoint whose size has a leading zero',
      body: witnessRequest(12, [], signAgain(log, '012')),
      status: 400,
      departures: { litewitness: 500, omniwitness: 200 },
    },
    {
      name: 'an old size with a leading zero',
      body: witnessRequest('012', [], at12),
      status: 400,
      departures: { litewitness: 200, omniwitness: 200 },
    },
    {
      name: 'CRLF',
      body: witnessRequest(12, [], at12).replaceAll('\n', '\r\n'),
      status: 400,
      departures: { omniwitness: 500 },
    },
    { name: 'no empty line', body: `old 12\n${at12.split('\n').slice(0, 3).join('\n')}\n`, status: 400 },
    {
      name: 'base64 for URLs',
      body: witnessRequest(
        12,
        [],
        at12
          .replaceAll('+', '-')
          .replaceAll('/', '_')
          .replace(/^[^\n]*/, log.origin),
      ),
      status: 400,
      departures: { litewitness: 500, omniwitness: 500 },
    },
    { name: 'nothing', body: '', status: 400 },
    { name: 'no old size', body: `\n${at12}`, status: 400 },
  ];
}

/** The checkpoint of a log with its size written otherwise, signed as it stands. */
function signAgain(log: SampleLog, size: string): string {
  const text = log.checkpoint().text.replace(`\n${log.size}\n`, `\n${size}\n`);
  const signature = log.signingKey.sign(Buffer.from(text));
  const id = Buffer.alloc(4);
  id.writeUInt32BE(log.signingKey.key.id);
  return `${text}\n— ${log.origin} ${Buffer.concat([id, signature]).toString('base64')}\n`;
}
