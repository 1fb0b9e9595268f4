import { MANIFEST_PCR } from '../../attestation/index.ts';
import type { ConfigurationDocument2 } from '../../shared/documents/configuration.ts';
import { verifierKeyName } from '../../shared/documents/configuration/witnesses.ts';
import type { Manifest } from '../../shared/documents/manifest.ts';
import { AdminError } from '../errors.ts';

type Quorum = NonNullable<ConfigurationDocument2['quorum']>;

/** Manifest of one node, parsed and measured. */
export interface NodeManifest {
  readonly manifest: Manifest;
  /** SHA-384 of the manifest's bytes, hex. */
  readonly digest: string;
  /** PCR16, hex. */
  readonly pcr16: string;
}

/** Image that nodes may run: of one node alone where its measurements name that node's PCR16. */
export interface PlannedImage {
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** End of its acceptance, RFC 3339 in UTC; null: none. */
  readonly notAfter: string | null;
}

export interface QuorumSettings {
  /** Keys that a node serves even where fewer nodes than the threshold are reachable. */
  readonly servesAlone: readonly string[];
  /** Hours after which shares are refreshed; null: on demand alone. */
  readonly refreshHours: number | null;
  /** Verifier keys that nodes attest, of their logs and their cosignatures; of every node both, or none. Default: none. */
  readonly keys?: readonly string[];
  /** How many of the others must cosign what leaves a node; left out: none has to. */
  readonly witnesses?: Quorum['witnesses'];
}

/** The `quorum` of the configuration of one node. */
export interface PlannedNode {
  readonly node: number;
  /** SHA-384 of the node's manifest, hex: the configuration's `manifest`. */
  readonly manifest: string;
  readonly quorum: Quorum;
}

/**
 * Plans a quorum: what the configuration of each node says of all others.
 *
 * @param manifests one of each node
 * @param images images that nodes may run; one whose PCRs name a PCR16 is that node's alone
 * @throws AdminError QUORUM_MANIFESTS_DIFFER, QUORUM_INCOMPLETE, QUORUM_KEYS_MISSING, MANIFEST_PCR_MISMATCH
 */
export function planQuorum(
  manifests: readonly NodeManifest[],
  images: readonly PlannedImage[],
  { servesAlone, refreshHours, keys = [], witnesses }: QuorumSettings,
): readonly PlannedNode[] {
  const ordered = manifests.toSorted((a, b) => a.manifest.node - b.manifest.node);
  assertOneQuorum(ordered);
  const imagesOf = assignImages(ordered, images);
  const keysOf = assignKeys(ordered, keys);
  return ordered.map(({ manifest: { node }, digest }) => ({
    node,
    manifest: digest,
    quorum: {
      peers: ordered
        .filter((other) => other.manifest.node !== node)
        .map((other) => ({
          node: other.manifest.node,
          manifest: other.digest,
          images: imagesOf(other).map(({ pcrs, notAfter }) => ({ pcrs: describeImagePcrs(pcrs), notAfter })),
          ...keysOf(other),
        })),
      servesAlone: [...servesAlone],
      refreshHours,
      ...(witnesses === undefined ? {} : { witnesses }),
    },
  }));
}

/** Asserts that manifests are those of all nodes of one quorum, each once. */
function assertOneQuorum(ordered: readonly NodeManifest[]): void {
  const [first] = ordered;
  if (first === undefined) throw new RangeError('expected at least one manifest');
  const { namespace, environment, quorum } = first.manifest;
  for (const { manifest } of ordered) {
    const found = {
      namespace: manifest.namespace,
      environment: manifest.environment,
      size: manifest.quorum.size,
      threshold: manifest.quorum.threshold,
    };
    const expected = { namespace, environment, size: quorum.size, threshold: quorum.threshold };
    const field = (Object.keys(expected) as (keyof typeof expected)[]).find(
      (name) => found[name] !== expected[name],
    );
    if (field === undefined) continue;
    throw new AdminError('QUORUM_MANIFESTS_DIFFER', `the manifests name different values of ${field}`, {
      field,
      nodes: [first.manifest.node, manifest.node],
      expected: expected[field],
      actual: found[field],
    });
  }
  const expected = Array.from({ length: quorum.size }, (_, index) => index + 1);
  const actual = ordered.map(({ manifest }) => manifest.node);
  if (String(actual) === String(expected)) return;
  throw new AdminError('QUORUM_INCOMPLETE', 'expected the manifest of each node of the quorum, once', {
    expected,
    actual,
  });
}

/** Finds which images each node may run. @throws AdminError MANIFEST_PCR_MISMATCH */
function assignImages(
  manifests: readonly NodeManifest[],
  images: readonly PlannedImage[],
): (node: NodeManifest) => readonly PlannedImage[] {
  const named = images.map((image) => {
    const pcr16 = image.pcrs.get(MANIFEST_PCR);
    return { image, pcr16: pcr16 === undefined ? undefined : Buffer.from(pcr16).toString('hex') };
  });
  const known = new Set(manifests.map(({ pcr16 }) => pcr16));
  for (const { pcr16 } of named) {
    if (pcr16 === undefined || known.has(pcr16)) continue;
    throw new AdminError('MANIFEST_PCR_MISMATCH', 'a pcr.json names the PCR16 of none of the manifests', {
      actual: pcr16,
    });
  }
  return (node) => {
    const own = named.filter(({ pcr16 }) => pcr16 === undefined || pcr16 === node.pcr16);
    if (own.length > 0) return own.map(({ image }) => image);
    throw new AdminError('QUORUM_INCOMPLETE', 'no pcr.json is of an image that this node may run', {
      node: node.manifest.node,
    });
  };
}

/**
 * Finds the keys of each node by the names in them, which say whose they are.
 *
 * @throws AdminError QUORUM_KEYS_MISSING for keys of some nodes alone, given twice, or of none of them
 */
function assignKeys(
  manifests: readonly NodeManifest[],
  keys: readonly string[],
): (node: NodeManifest) => Pick<Quorum['peers'][number], 'log' | 'witness'> {
  if (keys.length === 0) return () => ({});
  const byName = new Map(keys.map((key) => [verifierKeyName(key), key]));
  const expected = manifests.flatMap((node) => Object.values(namesOf(node)));
  const actual = keys.map(verifierKeyName);
  if (String(actual.toSorted()) !== String(expected.toSorted())) {
    throw new AdminError(
      'QUORUM_KEYS_MISSING',
      'expected the log key and the witness key of each node, once',
      {
        expected,
        actual,
      },
    );
  }
  return (node) => {
    const { log, witness } = namesOf(node);
    return { log: byName.get(log), witness: byName.get(witness) };
  };
}

/** Names the keys of a node, as it attests them. */
function namesOf({ manifest: { node, environment, namespace } }: NodeManifest) {
  const name = `node-${node}.${environment}.${namespace}.holdfast.internal`;
  return { log: `${name}/log`, witness: `${name}/witness` };
}

/** Writes the PCRs of an image as configurations name them, in hex. */
export function describeImagePcrs(
  pcrs: ReadonlyMap<number, Uint8Array>,
): Quorum['peers'][number]['images'][number]['pcrs'] {
  const hexOf = (index: number) => Buffer.from(pcrs.get(index) ?? []).toString('hex');
  return {
    0: hexOf(0),
    1: hexOf(1),
    2: hexOf(2),
    // Zero where the image is not signed.
    ...(pcrs.get(8)?.some((byte) => byte !== 0) === true ? { 8: hexOf(8) } : {}),
  };
}
