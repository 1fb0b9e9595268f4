import type { Configuration, Peer, Quorum } from '../../shared/documents/configuration.ts';
import {
  BOTH,
  change,
  compareLists,
  compareMaxima,
  compareNames,
  type ConfigurationChange,
  type Difference,
  GRANTS,
  joinDifferences,
  NEUTRAL,
  REVOKES,
} from './change.ts';

const NONE: Quorum = { peers: [], servesAlone: [], refreshHours: null };

/**
 * Compares what a node takes of the other nodes of its quorum. A further peer, or a further image of one, is another
 * enclave that takes part in ceremonies and signing: it grants.
 */
export function compareQuorums(
  { quorum: before = NONE }: Configuration,
  { quorum: after = NONE }: Configuration,
): ConfigurationChange[] {
  const peers = compareLists('peer', [before.peers.map(nameOf), after.peers.map(nameOf)], {
    describe: ({ peer }) => `manifest ${peer.manifest}, images ${imagesOf(peer).join(', ')}`,
    compare: ({ peer: old }, { peer: next }) => comparePeers(old, next),
    added: () => GRANTS,
    removed: () => REVOKES,
  });
  const rest = joinDifferences([
    compareNames('serves alone', [before.servesAlone, after.servesAlone]),
    compareRefresh(before, after),
    comparePeerWitnesses(before.witnesses, after.witnesses),
  ]);
  return rest === undefined ? peers : [...peers, change('quorum', 'quorum', 'changed', rest)];
}

const nameOf = (peer: Peer) => ({ id: `node-${peer.node}`, peer });

const imagesOf = ({ images }: Peer) =>
  images.map(
    ({ pcrs, notAfter }) =>
      `${pcrs[0]}/${pcrs[1]}/${pcrs[2]}${pcrs[8] === undefined ? '' : `/${pcrs[8]}`} until ${notAfter ?? 'any time'}`,
  );

function comparePeers(before: Peer, after: Peer): Difference | undefined {
  return joinDifferences([
    before.manifest === after.manifest
      ? undefined
      : { text: `manifest ${before.manifest} is now ${after.manifest}`, ...BOTH },
    compareNames('images', [imagesOf(before), imagesOf(after)]),
    ...(['log', 'witness'] as const).map((name) =>
      before[name] === after[name]
        ? undefined
        : { text: `${name} key ${before[name] ?? 'none'} is now ${after[name] ?? 'none'}`, ...BOTH },
    ),
  ]);
}

function compareRefresh(before: Quorum, after: Quorum): Difference | undefined {
  if (before.refreshHours === after.refreshHours) return undefined;
  const say = ({ refreshHours }: Quorum) =>
    refreshHours === null ? 'on demand alone' : `every ${refreshHours} hours`;
  return { text: `shares are refreshed ${say(after)}, not ${say(before)}`, ...NEUTRAL };
}

type PeerWitnesses = Quorum['witnesses'];

/** Compares how many peers must cosign: fewer, more time without them, or a start without them lets more out. */
function comparePeerWitnesses(before: PeerWitnesses, after: PeerWitnesses): Difference | undefined {
  if (before === undefined || after === undefined) {
    if (before === after) return undefined;
    return after === undefined
      ? { text: 'no peer has to cosign any more', ...GRANTS }
      : { text: `${after.threshold} peers must cosign`, ...REVOKES };
  }
  return joinDifferences([
    compareMaxima('peers that must cosign', [BigInt(before.threshold), BigInt(after.threshold)], REVOKES),
    compareMaxima('seconds without cosignatures of peers', [
      BigInt(before.maxUncosignedSeconds),
      BigInt(after.maxUncosignedSeconds),
    ]),
    compareNames('may start without peers', [describeRestart(before), describeRestart(after)]),
  ]);
}

const describeRestart = ({ restart }: NonNullable<PeerWitnesses>): string[] =>
  restart === undefined
    ? []
    : [`from ${restart.size} entries with root ${restart.root} until ${restart.notAfter}`];
