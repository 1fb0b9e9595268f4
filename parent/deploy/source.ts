import type { Readable } from 'node:stream';

/** Place from which a deployment's files are fetched. */
export interface DeploymentSource {
  /** Id that the source's address names; undefined for a folder, whose name says nothing. */
  readonly id: string | undefined;
  /**
   * Opens a file for reading; null where there is none.
   * @param signal aborts the reading
   * @throws DeployError DEPLOYMENT_SOURCE_UNAVAILABLE
   */
  open(name: string, signal: AbortSignal): Promise<Readable | null>;
  close(): void;
}
