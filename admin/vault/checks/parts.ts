import { X509Certificate } from 'node:crypto';
import { LogError, parseVerifierKey, WITNESS_KEY_TYPES } from '../../../audit/log/index.ts';
import type { VaultDocument } from '../document.ts';
import { postgresOf, witnessPortsOf } from '../parts.ts';
import type { OpenFinding } from './finding.ts';

const DAY_MS = 86_400_000;
/** Time before the end of an authority's certificate from which on somebody should know, in milliseconds. */
const SOON_MS = 90 * DAY_MS;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Finds optional parts that could not come about as they are described. What is found here is refused, and never left out
 * in silence.
 *
 * @param now milliseconds since 1970: certificates that have ended are found
 */
export function checkParts(document: VaultDocument, now: number): OpenFinding[] {
  const { parts } = document;
  const postgres = postgresOf(parts);
  return [
    ...(postgres === null ? [] : checkAuthorities(postgres.ca, ['parts', 'store', 'postgres', 'ca'], now)),
    ...(parts.nats === null ? [] : checkAuthorities(parts.nats.ca, ['parts', 'nats', 'ca'], now)),
    ...checkNats(document),
    ...checkWitnesses(document),
  ];
}

function checkAuthorities(pem: string, path: OpenFinding['path'], now: number): OpenFinding[] {
  const unusable = (text: string): OpenFinding[] => [
    {
      code: 'PART_CERTIFICATE_UNUSABLE',
      severity: 'error',
      path,
      text,
      advice: 'Take the certificates of the authorities that have issued those of the servers, in PEM.',
    },
  ];
  const blocks = pem.match(CERTIFICATE) ?? [];
  const certificates = blocks.flatMap((block) => readCertificate(block) ?? []);
  if (certificates.length < blocks.length) return unusable('a certificate cannot be read');
  const ends = Math.max(...certificates.map(({ validToDate }) => validToDate.getTime()));
  if (ends <= now) return unusable('every certificate has ended');
  if (ends - now > SOON_MS) return [];
  return [
    {
      code: 'PART_CERTIFICATE_ENDS',
      severity: 'warning',
      path,
      text: `the last of the authorities ends in ${Math.floor((ends - now) / DAY_MS)} days, and hosts reach no server from then on`,
      advice: 'Name the next authority beside it.',
    },
  ];
}

function readCertificate(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}

function checkNats({ nodes, parts: { nats } }: VaultDocument): OpenFinding[] {
  if (nats === null) return [];
  if (nodes.length === 1) {
    return [
      {
        code: 'NATS_WITHOUT_PEERS',
        severity: 'error',
        path: ['parts', 'nats'],
        text: 'NATS carries what nodes tell each other, and there is one node alone',
        advice: 'Leave the part out.',
      },
    ];
  }
  if (nats.replicas <= nats.servers.length) return [];
  return [
    {
      code: 'NATS_REPLICAS_UNMET',
      severity: 'error',
      path: ['parts', 'nats', 'replicas'],
      text: `${nats.replicas} servers should keep each datagram, and ${nats.servers.length} are named`,
      advice: 'Name all servers of the cluster, or take fewer replicas.',
    },
  ];
}

function checkWitnesses({ parts }: VaultDocument): OpenFinding[] {
  return [
    ...checkReach(parts),
    ...(parts.witnesses?.servers ?? []).flatMap(({ key }, index) => checkKey(key, index)),
  ];
}

/** Holds addresses against what hosts may reach: port 443 of everybody, and one other port of a range that is named. */
function checkReach(parts: VaultDocument['parts']): OpenFinding[] {
  const { cidr, servers } = parts.witnesses ?? { cidr: null, servers: [] };
  const ports = witnessPortsOf(parts);
  const isOpen = cidr !== null && ports.length === 1;
  return servers.flatMap<OpenFinding>(({ url }, index) => {
    const { protocol, port, username, search, hash } = new URL(url);
    const isPlain = username === '' && search === '' && hash === '';
    const isHttps = protocol === 'https:' && (port === '' || port === '443');
    if (isPlain && (isHttps || isOpen)) return [];
    return [
      {
        code: 'WITNESS_OUT_OF_REACH',
        severity: 'error',
        path: ['parts', 'witnesses', 'servers', index, 'url'],
        text: isPlain
          ? 'hosts reach port 443 by https, and one other port at the addresses of parts.witnesses.cidr'
          : 'the address of a witness has a user, a query or a fragment',
        advice:
          'Put the witness behind TLS at port 443, or name its addresses, and one port of all such witnesses.',
      },
    ];
  });
}

function checkKey(key: string, index: number): OpenFinding[] {
  try {
    parseVerifierKey(key, WITNESS_KEY_TYPES);
    return [];
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return [
      {
        code: 'WITNESS_KEY_UNUSABLE',
        severity: 'error',
        path: ['parts', 'witnesses', 'servers', index, 'key'],
        text: `no verifier key of a witness: ${error.message}`,
        advice: 'Take it whole as the operator of the witness names it: name, id and key, with + between.',
      },
    ];
  }
}
