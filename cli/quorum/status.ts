import type { Ceremony, PeerStatus, QuorumKey, QuorumStatus } from '../../client/index.ts';
import { printable } from '../common/printable.ts';

/** Describes a quorum as one of its nodes sees it. */
export function describeStatus(
  { node, size, threshold, configuration, peers, keys }: QuorumStatus,
  ceremonies: readonly Ceremony[],
): string {
  const connected = peers.filter(({ state }) => state === 'connected').length;
  const running = ceremonies.filter(({ state }) => state === 'running');
  return [
    `node ${node} of ${size}, ${threshold} sign; configuration ${configuration.version}; ${connected} of ${peers.length} other nodes connected`,
    ...peers.map((peer) => describePeer(peer, configuration.version)),
    '',
    describeKeys(keys),
    ...(running.length === 0 ? [] : ['', ...running.map(describeCeremony)]),
  ].join('\n');
}

/** Describes the keys that nodes share. */
export function describeKeys(keys: readonly QuorumKey[]): string {
  return keys.length === 0 ? 'no key is shared' : keys.map(describeKey).join('\n');
}

function describePeer(
  { node, state, code, theirCode, since, lastSeen, session, configuration }: PeerStatus,
  ours: number,
): string {
  const parts = [
    code === null ? state : `${state} ${code}`,
    ...(theirCode === null ? [] : [`it refuses this node: ${theirCode}`]),
    `since ${new Date(since).toISOString()}`,
    ...(lastSeen === null ? ['never heard'] : [`heard ${new Date(lastSeen).toISOString()}`]),
    ...(session === null ? [] : [`session ${session.slice(0, 8)}`]),
    ...(configuration === null || configuration.version === ours
      ? []
      : [`its configuration is ${configuration.version}`]),
  ];
  return printable(`  node ${node}  ${parts.join(', ')}`);
}

function describeKey({
  id,
  type,
  publicKey,
  share,
  superseded,
  pending,
  nextRefresh,
  nonces,
}: QuorumKey): string {
  const held =
    share === null
      ? publicKey === null
        ? 'neither generated nor imported yet'
        : `this node has no share${superseded === null ? '' : `; epoch ${superseded} is in force`}`
      : `epoch ${share.epoch}, ${share.threshold} of ${share.participants.join(', ')}`;
  return [
    `${id}  ${type}  ${held}`,
    ...(publicKey === null ? [] : [`  public key  ${publicKey}`]),
    ...(pending === null
      ? []
      : [`  pending     epoch ${pending.epoch}, confirmed by this node in ceremony ${pending.ceremony}`]),
    ...(nextRefresh === null
      ? []
      : [`  refreshed   ${new Date(nextRefresh).toISOString()}, by configuration`]),
    ...(nonces.length === 0
      ? []
      : [`  nonces      ${nonces.map(({ node, count }) => `${count} of node ${node}`).join(', ')}`]),
  ]
    .map(printable)
    .join('\n');
}

function describeCeremony({ id, kind, key, step, waitingFor }: Ceremony): string {
  return printable(`${id}  ${kind} of ${key}: ${step}, waiting for ${waitingFor.join(', ') || 'nobody'}`);
}
