import { createHash } from 'node:crypto';
import {
  appendLeaves,
  createHashReader,
  EMPTY_FRONTIER,
  formatVerifierKey,
  type Frontier,
  frontierRoot,
  hashLeaf,
  listTileGains,
  proveConsistency,
  signCheckpoint,
} from '../../../audit/log/index.ts';
import { signingKeyFromSeed } from '../../../audit/log/node-signatures.ts';

/** Log in memory, of entries "entry 0", "entry 1", …, as a node and its parent keep it between them. */
export class SampleLog {
  readonly origin: string;
  readonly vkey: string;
  readonly signingKey;
  readonly entries: Buffer[] = [];
  /** Full tiles, or as far as they have come, by level and index. */
  readonly tiles = new Map<string, Buffer>();
  frontier: Frontier = EMPTY_FRONTIER;

  constructor(origin = 'node1.enclave.example/audit', seed = origin) {
    this.origin = origin;
    this.signingKey = signingKeyFromSeed(origin, 'ed25519', createHash('sha256').update(seed).digest());
    this.vkey = formatVerifierKey(this.signingKey.key);
  }

  /** Appends one batch of numbered entries; another fork's differ by their word. */
  append(count: number, word = 'entry') {
    const from = this.frontier.size;
    return this.appendEntries(
      Array.from({ length: count }, (_, index) => Buffer.from(`${word} ${from + index}`)),
    );
  }

  /** Appends one batch. */
  appendEntries(entries: readonly Buffer[]) {
    this.entries.push(...entries);
    const append = appendLeaves(this.frontier, entries.map(hashLeaf));
    for (const { level, index, hashes } of listTileGains(append.completed)) {
      const key = `${level}/${index}`;
      this.tiles.set(key, Buffer.concat([this.tiles.get(key) ?? Buffer.alloc(0), ...hashes]));
    }
    this.frontier = append.frontier;
    return append;
  }

  get size(): number {
    return this.frontier.size;
  }

  get root(): Uint8Array {
    return frontierRoot(this.frontier);
  }

  checkpoint(): { text: string; note: string } {
    return signCheckpoint({ origin: this.origin, size: this.size, root: this.root }, this.signingKey);
  }

  readHash(size = this.size) {
    return createHashReader(size, ({ level, index, width }) => {
      const tile = this.tiles.get(`${level}/${index}`)?.subarray(0, width * 32);
      return Promise.resolve(tile ?? Buffer.alloc(0));
    });
  }

  proveConsistency(older: number): Promise<Uint8Array[]> {
    return proveConsistency(older, this.size, this.readHash());
  }

  /** Body of add-checkpoint for the newest checkpoint, C2SP tlog-witness. */
  async request(older: number): Promise<string> {
    const proof = await this.proveConsistency(older);
    return witnessRequest(older, proof, this.checkpoint().note);
  }
}

/** Body of add-checkpoint. */
export function witnessRequest(older: number | string, proof: readonly Uint8Array[], note: string): string {
  const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  return `old ${older}\n${lines.join('')}\n${note}`;
}

/** Response of a witness. */
export interface WitnessResponse {
  readonly status: number;
  readonly body: string;
  readonly type: string | null;
}

/** Asks a witness for its cosignature. */
export async function submit(url: string, body: string | Uint8Array): Promise<WitnessResponse> {
  const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: Buffer.from(body) });
  return {
    status: response.status,
    body: await response.text(),
    type: response.headers.get('content-type'),
  };
}
