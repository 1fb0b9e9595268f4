import type { VaultDocument } from '../document.ts';
import { postgresOf } from '../parts.ts';
import type { OpenFinding } from './finding.ts';
import { areOverlapping, sizeOf } from './networks.ts';
import { isOpenValue } from './placeholders.ts';

/** Bits of a range that is as large as the largest that is private (10.0.0.0/8). */
const LARGEST_BITS = 8;

/** Finds hosts that can run no enclave, and networks that are open to everybody. */
export function checkHosts(document: VaultDocument): OpenFinding[] {
  return [
    ...checkHostType(document),
    ...checkOpenNetworks(document),
    ...checkOverlap(document),
    ...checkServers(document),
  ];
}

function checkHostType({ infrastructure: { host } }: VaultDocument): OpenFinding[] {
  const findings: OpenFinding[] = [];
  const reason = whyUnfit(host.instanceType);
  if (reason !== undefined) {
    findings.push({
      code: 'HOST_TYPE_UNFIT',
      severity: 'error',
      roles: ['infrastructure'],
      path: ['infrastructure', 'host', 'instanceType'],
      text: `${host.instanceType} ${reason}`,
      advice: 'Take a type of Nitro with 4 vCPUs and x86_64, such as m6i.xlarge.',
    });
  }
  return findings;
}

function checkOpenNetworks({ infrastructure: { network } }: VaultDocument): OpenFinding[] {
  return (['clientCidr', 'peerCidr'] as const).flatMap<OpenFinding>((member) => {
    if (sizeOf(network[member]) >= LARGEST_BITS) return [];
    return [
      {
        code: 'CLIENTS_FROM_ANYWHERE',
        severity: 'warning',
        roles: ['infrastructure'],
        path: ['infrastructure', 'network', member],
        text: `${network[member]} lets in networks that are not yours: the node still refuses strangers, and its parent has to bear them`,
        advice:
          member === 'clientCidr'
            ? 'Name the range of the subnet that wallet backends and owners come from.'
            : 'Name the range of the subnet of the hosts, which they are all in.',
      },
    ];
  });
}

/** Finds clients who would come through the rule that is for hosts, and hosts through that for clients. */
function checkOverlap({ infrastructure: { network }, nodes, parts }: VaultDocument): OpenFinding[] {
  const { clientCidr, peerCidr } = network;
  const hasRule = nodes.length > 1 && (parts.nats === null || parts.peerWitnesses !== null);
  if (!hasRule || isOpenValue(clientCidr) || isOpenValue(peerCidr)) return [];
  if (!areOverlapping(clientCidr, peerCidr)) return [];
  return [
    {
      code: 'NETWORKS_OVERLAP',
      severity: 'warning',
      roles: ['infrastructure'],
      path: ['infrastructure', 'network', 'peerCidr'],
      text: `clientCidr ${clientCidr} and peerCidr ${peerCidr} overlap: clients there reach the ports at which hosts talk to each other, and whoever takes over a host reaches the clients' port of the others`,
      advice:
        'Give hosts a subnet of their own, in which no client is, and name its range as peerCidr and that of the clients as clientCidr.',
    },
  ];
}

/** Finds parts whose servers could be anywhere: what is said of their addresses is what hosts may reach. */
function checkServers({ parts }: VaultDocument): OpenFinding[] {
  const postgres = postgresOf(parts);
  const ranges = [
    { cidr: postgres?.cidr, path: ['parts', 'store', 'postgres', 'cidr'] },
    { cidr: parts.nats?.cidr, path: ['parts', 'nats', 'cidr'] },
    { cidr: parts.witnesses?.cidr ?? undefined, path: ['parts', 'witnesses', 'cidr'] },
  ];
  return ranges.flatMap<OpenFinding>(({ cidr, path }) =>
    cidr === undefined || sizeOf(cidr) >= LARGEST_BITS
      ? []
      : [
          {
            code: 'SERVERS_ANYWHERE',
            severity: 'warning',
            roles: ['infrastructure'],
            path,
            text: `${cidr} lets every host reach that port of networks that are not yours`,
            advice: 'Name the range of the subnet that these servers are in.',
          },
        ],
  );
}

/** Says why a type of instance runs no enclave with the image of a node; undefined where nothing is known against it. */
function whyUnfit(type: string): string | undefined {
  const [family = '', size = ''] = type.split('.');
  if (/^t\d/.test(family)) return 'is of a T family, which has no enclaves';
  if (size.startsWith('metal')) return 'is bare metal, which has no enclaves';
  if (/^(?:a1|[a-z]+\d+g[a-z]*)$/.test(family)) return 'is not x86_64, for which the image is built';
  if (/^(?:nano|micro|small|medium|large)$/.test(size)) {
    return 'has fewer than 4 vCPUs: one core stays with the parent, one is the enclave';
  }
  return undefined;
}
