import type { Manifest } from '../../../shared/documents/manifest.ts';

/** File in the image of quorum-node.ts. */
export interface QuorumNodeFile {
  /** PEM of the authorities that may speak for KMS. */
  readonly kmsRoots: readonly string[];
  /** Authorities of the NSM's certificate, in base64 of DER, the root first. */
  readonly cabundle: readonly string[];
  /** Certificate of the key that signs documents, in base64 of DER. */
  readonly certificate: string;
  /** Key that signs documents, P-384, PKCS #8 in PEM. */
  readonly privateKey: string;
}

/** File in the ramdisk of quorum-parent.ts. */
export interface QuorumParentFile {
  /** CID of the enclave. */
  readonly cid: number;
  readonly node: number;
  readonly manifest: Manifest;
  /** Credentials of the instance's role. */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
    readonly expiration: string;
  };
  /** Port of the stand-in for AWS at CID 2. */
  readonly aws: number;
  /** Parents of the other nodes, and the port of each at CID 2. */
  readonly others: readonly { readonly node: number; readonly port: number }[];
}

/** Ports of guest 3 that CID 2 connects to. */
export const GUEST_PORT = Object.freeze({
  /** The node's HTTPS. */
  api: 8443,
  /** The parent's port for the parents of other nodes. */
  peers: 7443,
});
