import type { VaultDocument } from '../document.ts';
import type { OpenFinding } from './finding.ts';

/** Finds hosts that can run no enclave, and networks that are open to everybody. */
export function checkHosts({ infrastructure: { host, network } }: VaultDocument): OpenFinding[] {
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
  for (const member of ['clientCidr', 'peerCidr'] as const) {
    const bits = Number(network[member].split('/')[1]);
    if (bits >= 8) continue;
    findings.push({
      code: 'CLIENTS_FROM_ANYWHERE',
      severity: 'warning',
      roles: ['infrastructure'],
      path: ['infrastructure', 'network', member],
      text: `${network[member]} lets in networks that are not yours: the node still refuses strangers, and its parent has to bear them`,
      advice: 'Name the range of the wallet backends, or of the other hosts.',
    });
  }
  return findings;
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
