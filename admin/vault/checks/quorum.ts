import type { VaultDocument } from '../document.ts';
import { roleOfNode } from '../roles.ts';
import type { OpenFinding } from './finding.ts';

/** Finds thresholds that cannot be met, or that bear less than people expect of them. */
export function checkThresholds(document: VaultDocument): OpenFinding[] {
  return [
    ...checkQuorum(document),
    ...document.nodes.flatMap((node, index) => checkAuthorities(node, index)),
    ...checkPeerWitnesses(document),
  ];
}

function checkQuorum({ threshold, nodes }: VaultDocument): OpenFinding[] {
  const size = nodes.length;
  const at = { path: ['threshold'] };
  if (threshold > size) {
    return [
      {
        ...at,
        code: 'THRESHOLD_ABOVE_NODES',
        severity: 'error',
        text: `${threshold} nodes should sign together, and there are ${size}`,
        advice: 'Name more nodes, or a lower threshold.',
      },
    ];
  }
  if (size === 1) return [];
  const findings: OpenFinding[] = [];
  if (threshold === 1) {
    findings.push({
      ...at,
      code: 'THRESHOLD_OF_ONE',
      severity: 'error',
      text: 'one node could sign alone, and no key of a quorum has such a threshold',
      advice: 'Take 2 at least.',
    });
  } else if (threshold * 2 <= size) {
    findings.push({
      ...at,
      code: 'THRESHOLD_BELOW_MAJORITY',
      severity: 'warning',
      text: `two groups of ${threshold} nodes could sign without each other: each counts limits by itself`,
      advice: `Take ${Math.floor(size / 2) + 1} of ${size}, or divide limits by how many such groups there are.`,
    });
  }
  if (threshold === size) {
    findings.push({
      ...at,
      code: 'THRESHOLD_BEARS_NO_LOSS',
      severity: 'warning',
      text: `all ${size} nodes are needed: while one is away nothing is signed, and its loss is that of the key`,
      advice: `Add a node, or see that backups of all ${size} nodes and the custodians are at hand.`,
    });
  }
  return findings;
}

function checkAuthorities(
  {
    node,
    configurationAuthority: { threshold, keys, function: hasFunction },
  }: VaultDocument['nodes'][number],
  index: number,
): OpenFinding[] {
  const count = keys.length + (hasFunction ? 1 : 0);
  const at = { roles: [roleOfNode(node)], path: ['nodes', index, 'configurationAuthority', 'threshold'] };
  if (threshold > count) {
    return [
      {
        ...at,
        code: 'AUTHORITY_THRESHOLD_UNMET',
        severity: 'error',
        text: `${threshold} authorities should sign the configurations of node ${node}, and there are ${count}`,
        advice: 'Name more keys, or a lower threshold.',
      },
    ];
  }
  if (!hasFunction || threshold > 1) return [];
  return [
    {
      ...at,
      code: 'AUTHORITY_FUNCTION_ALONE',
      severity: 'warning',
      text: `the function in the node admin's account alone configures node ${node}: whoever may call it decides what the node allows`,
      advice: 'Name a key of a person beside it, and a threshold of 2.',
    },
  ];
}

/** Finds cosignatures of the other nodes that cannot be had, or that two histories can have. */
function checkPeerWitnesses(document: VaultDocument): OpenFinding[] {
  const {
    parts: { peerWitnesses, witnesses },
    nodes,
  } = document;
  if (peerWitnesses === null) return [];
  const path = ['parts', 'peerWitnesses', 'threshold'];
  const [{ threshold, maxUncosignedSeconds }, others] = [peerWitnesses, nodes.length - 1];
  if (threshold > others) {
    return [
      {
        code: 'PEER_WITNESSES_UNMET',
        severity: 'error',
        path,
        text: `${threshold} other nodes should cosign, and each node has ${others}`,
        advice: 'Take a lower threshold.',
      },
    ];
  }
  const findings: OpenFinding[] = [];
  const [borne, bearable] = [others - threshold, nodes.length - document.threshold];
  const size = nodes.length;
  if (borne < bearable) {
    findings.push({
      code: 'PEER_WITNESSES_BEAR_LESS',
      severity: 'warning',
      path,
      text: `while ${describeCount(borne + 1, size)} away, the others lack cosignatures: ${maxUncosignedSeconds === 0 ? 'they sign nothing more' : `${maxUncosignedSeconds} seconds later they sign nothing more`}, and none of them can be restarted. The threshold alone would bear the loss of ${bearable}`,
      advice: adviseOnPeers(document),
    });
  }
  if (threshold * 2 > others) return findings;
  return [
    ...findings,
    {
      code: 'PEER_WITNESSES_UNSOUND',
      severity: witnesses === null ? 'error' : 'warning',
      path,
      text: `${threshold} of ${others} other nodes should cosign: two histories of a node can each find as many`,
      advice: `Take ${Math.floor(others / 2) + 1}, and maxUncosignedSeconds for the time in which one of them may be away.`,
    },
  ];
}

function describeCount(count: number, size: number): string {
  return count === 1 ? `one of ${size} nodes is` : `${count} of ${size} nodes are`;
}

/** Says with how many nodes a sound threshold of cosignatures bears as many losses as the quorum does, or what to do instead. */
function adviseOnPeers({ nodes, threshold }: VaultDocument): string {
  const spare = nodes.length - threshold;
  // More than half of the others cosign, and as many may be away as the quorum bears: others - spare > others / 2.
  const size = 2 * spare + 2;
  return `Take outside witnesses (parts.witnesses) instead; or ${size} nodes, of which ${size - spare} sign and ${spare + 1} cosign; or set maxUncosignedSeconds for the time in which you bring a node back, and know that until then nothing else may fail.`;
}
