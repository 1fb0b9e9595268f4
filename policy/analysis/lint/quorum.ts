import { isShareType } from '../../../shared/algorithms.ts';
import type { Configuration, PeerImage } from '../../../shared/documents/configuration.ts';
import type { Manifest } from '../../../shared/documents/manifest.ts';
import type { ConfigurationFinding } from './finding.ts';

/**
 * Finds peers that are too few, images that stay accepted, and keys that no node serves alone.
 *
 * @param now milliseconds since 1970
 * @param size nodes of the quorum and how many of them sign, as the manifest says; left out: not compared
 */
export function lintQuorum(
  { quorum, keys }: Configuration,
  now: number,
  size?: Manifest['quorum'],
): ConfigurationFinding[] {
  if (quorum === undefined) return [];
  const shares = new Set(keys.filter(({ type }) => isShareType(type)).map(({ id }) => id));
  const findings = quorum.peers.flatMap(({ node, images }) => lintImages(`node ${node}`, images, now));
  for (const id of quorum.servesAlone.filter((each) => shares.has(each))) {
    const text = `${id} is a share: no node signs with it alone`;
    findings.push({ code: 'SERVES_SHARE_ALONE', severity: 'error', subject: 'quorum', text });
  }
  const nodes = quorum.peers.length + 1;
  if (size === undefined || nodes === size.size) return findings;
  const text = `${nodes} nodes with this one, where the manifest says ${size.threshold} of ${size.size}`;
  const severity = nodes < size.threshold ? 'error' : 'warning';
  return [...findings, { code: 'PEERS_TOO_FEW', severity, subject: 'quorum', text }];
}

function lintImages(subject: string, images: readonly PeerImage[], now: number): ConfigurationFinding[] {
  const findings: ConfigurationFinding[] = [];
  const isOver = ({ notAfter }: PeerImage) => notAfter !== null && Date.parse(notAfter) < now;
  const endless = images.filter(({ notAfter }) => notAfter === null);
  if (images.every(isOver)) {
    const text = 'none of its images is accepted any more: it is no peer';
    findings.push({ code: 'PEER_SHUT_OUT', severity: 'error', subject, text });
  } else if (images.some(isOver)) {
    const text = 'one of its images is accepted no more; take it out';
    findings.push({ code: 'PEER_IMAGE_OVER', severity: 'note', subject, text });
  }
  if (endless.length > 1) {
    const text = `${endless.length} of its images have no end: after an upgrade the old one is still accepted`;
    findings.push({ code: 'PEER_IMAGE_ENDLESS', severity: 'warning', subject, text });
  }
  const signed = images.filter(({ pcrs }) => pcrs[8] !== undefined).length;
  if (signed > 0 && signed < images.length) {
    const text = `PCR8 is asked for of ${signed} of its ${images.length} images`;
    findings.push({ code: 'PEER_IMAGE_UNSIGNED', severity: 'warning', subject, text });
  }
  return findings;
}
