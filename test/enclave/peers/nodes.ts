import { createHash } from 'node:crypto';
import { createNsmClient } from '../../../enclave/nsm/index.ts';
import type { AttestationFields } from '../../../enclave/nsm/client.ts';
import type { Carrier } from '../../../enclave/peers/carrier.ts';
import { openPeerNetwork, type OpenPeerNetwork } from '../../../enclave/peers/index.ts';
import { EmulatedNsm, NitroRoot } from '../../../local/nsm/index.ts';
import type { Peer } from '../../../shared/documents/configuration.ts';
import { VirtualTime } from './virtual-time.ts';

/** A moment at which nothing in particular happens. */
export const START = Date.UTC(2026, 0, 15, 12);
const INSTANCE = 'i-0123456789abcdef0';

const sha384 = (text: string) => createHash('sha384').update(text).digest('hex');

/** The manifest of a node, as far as a channel knows it: its digest, in hex. */
export const manifestOf = (node: number) => sha384(`manifest of node ${node}`);

/** PCR0, PCR1 and PCR2 of an image, and PCR8 where it is signed. */
export const pcrsOf = (image: string, signer?: string) => ({
  0: sha384(`${image} 0`),
  1: sha384(`${image} 1`),
  2: sha384(`${image} 2`),
  ...(signer === undefined ? {} : { 8: sha384(signer) }),
});

/** A peer as a configuration names it. */
export const peerOf = (node: number, change: Partial<Peer> = {}): Peer => ({
  node,
  manifest: manifestOf(node),
  images: [{ pcrs: pcrsOf('image'), notAfter: null }],
  ...change,
});

/** What becomes of a datagram: each delivery after some milliseconds. */
export type Fate = (
  from: number,
  to: number,
  datagram: Uint8Array,
) => readonly {
  readonly after: number;
  readonly bytes: Uint8Array;
  readonly from?: number;
  readonly to?: number;
}[];

const FAITHFUL: Fate = (_from, _to, bytes) => [{ after: 1, bytes }];

export interface NodeOptions {
  readonly peers: readonly Peer[];
  readonly image?: Readonly<Record<number, string>>;
  /** Digest of the manifest that is measured; that of the node when left out. */
  readonly manifest?: string;
  readonly version?: number;
  readonly session?: string;
  readonly root?: NitroRoot;
  /** Milliseconds that the clock of the NSM is ahead. */
  readonly ahead?: number;
  /** Stands between node and NSM. */
  readonly attest?: (
    fields: AttestationFields,
    real: (fields: AttestationFields) => Promise<Uint8Array>,
  ) => Promise<Uint8Array>;
}

/** Nodes with real NSM stand-ins, whose datagrams go through a carrier that a test may make hostile. */
export class Nodes {
  readonly time = new VirtualTime();
  readonly root: NitroRoot;
  fate: Fate = FAITHFUL;
  /** Every datagram that was handed to the carrier. */
  readonly sent: { readonly from: number; readonly to: number; readonly bytes: Uint8Array }[] = [];
  readonly #listeners = new Map<number, (from: number, datagram: Uint8Array) => void>();
  readonly #open: OpenPeerNetwork[] = [];
  #boots = 0;

  private constructor(root: NitroRoot) {
    this.root = root;
  }

  static async create(): Promise<Nodes> {
    return new Nodes(await NitroRoot.create(START));
  }

  now = (): number => START + this.time.now();

  async open(node: number, options: NodeOptions): Promise<OpenPeerNetwork> {
    this.#boots += 1;
    const { ahead = 0, manifest = manifestOf(node), image = pcrsOf('image') } = options;
    const device = new EmulatedNsm({
      root: options.root ?? this.root,
      instanceId: INSTANCE,
      moduleId: `${INSTANCE}-enc0123456789abcde${this.#boots % 10}`,
      measured: new Map(
        Object.entries(image).map(([index, value]) => [
          Number(index),
          new Uint8Array(Buffer.from(value, 'hex')),
        ]),
      ),
      clock: () => this.now() + ahead,
    });
    const nsm = createNsmClient(device);
    await nsm.extendPcr(16, Buffer.from(manifest, 'hex'));
    await nsm.lockPcr(16);
    // The chain of certificates is made with the first document, by another thread, for which no virtual time waits.
    await nsm.attest({});
    const { attest = (fields, real) => real(fields) } = options;
    const network = openPeerNetwork({
      binding: {
        node,
        session: options.session ?? this.#boots.toString(16).padStart(32, '0'),
        configuration: { version: options.version ?? 7, digest: sha384('configuration') },
        receiptKey: createHash('sha256').update(`receipts of ${node}`).digest('hex'),
      },
      manifest: Buffer.from(manifest, 'hex'),
      peers: options.peers,
      nsm: { attest: (fields) => attest(fields, (changed) => nsm.attest(changed)) },
      root: this.root.certificate,
      carrier: this.#carrierOf(node),
      now: this.now,
      timers: this.time,
    });
    this.#open.push(network);
    return network;
  }

  /** Hands a datagram to a node, as its parent would. */
  deliver(from: number, to: number, bytes: Uint8Array): void {
    this.#listeners.get(to)?.(from, bytes);
  }

  /** Ends a node without a word, as a kill does. */
  kill(node: number): void {
    this.#listeners.delete(node);
  }

  close(): void {
    for (const network of this.#open) network.close();
  }

  #carrierOf(node: number): Carrier {
    let listener: ((from: number, datagram: Uint8Array) => void) | undefined;
    return {
      send: (to, datagram) => {
        if (this.#listeners.get(node) !== listener) return;
        this.sent.push({ from: node, to, bytes: datagram });
        for (const each of this.fate(node, to, datagram)) {
          const [target, source] = [each.to ?? to, each.from ?? node];
          this.time.after(each.after, () => this.#listeners.get(target)?.(source, each.bytes));
        }
      },
      onDatagram: (next) => {
        listener = next;
        this.#listeners.set(node, next);
      },
      report: () => undefined,
      close: () => {
        if (this.#listeners.get(node) === listener) this.#listeners.delete(node);
      },
    };
  }
}
