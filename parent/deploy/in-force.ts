import { link, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../common/whole-file.ts';
import { type FetchedDocument, readInstalled } from './fetch.ts';
import type { HostLayout } from './layout.ts';
import { readMark } from './parent-file.ts';

const ID = /^[0-9a-f]{64}$/;
/** Copy of a parent.yaml that a person wrote, kept by the first deployment. */
const BY_HAND = 'parent.yaml.by-hand';

/** What a host runs by the names on its disk. */
export interface InForce {
  /** Text of parent.yaml; undefined where there is none. */
  readonly text: string | undefined;
  /** Deployment that has made it; undefined for a file that a person wrote. */
  readonly document: FetchedDocument | undefined;
  /** Id of the deployment that was started last, and came to rest. */
  readonly settled: string | undefined;
}

export async function readInForce(layout: HostLayout): Promise<InForce> {
  const text = await readOptional(layout.parentFile);
  const id = text === undefined ? undefined : readMark(text);
  return {
    text,
    document: id === undefined ? undefined : await readInstalled(layout, id),
    settled: await readId(join(layout.own, 'settled')),
  };
}

/** Reads the id of the deployment before the one in force. */
export async function readFormer(layout: HostLayout): Promise<string | undefined> {
  return await readId(join(layout.own, 'former'));
}

/** Puts a deployment in force: by one rename, after the former one was noted. */
export async function switchTo(layout: HostLayout, id: string, text: string, former: InForce): Promise<void> {
  if (former.document !== undefined && former.document.id !== id) {
    await writeWhole(join(layout.own, 'former'), `${former.document.id}\n`, 0o600);
  }
  if (former.text !== undefined && readMark(former.text) === undefined) {
    await link(layout.parentFile, join(layout.etc, BY_HAND)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  await writeWhole(layout.parentFile, text, 0o644);
}

/** Notes that a deployment was started and came to rest. */
export async function noteSettled(layout: HostLayout, id: string): Promise<void> {
  await writeWhole(join(layout.own, 'settled'), `${id}\n`, 0o600);
}

/** Notes that a deployment is about to be started, so that a run that is cut off is repeated. */
export async function forgetSettled(layout: HostLayout): Promise<void> {
  await rm(join(layout.own, 'settled'), { force: true });
}

/** Reads the newest format of a store that a deployment on this host has written; 0 before the first. */
export async function readStoreFormat(layout: HostLayout): Promise<number> {
  return Number((await readOptional(join(layout.own, 'store-format'))) ?? 0);
}

export async function noteStoreFormat(layout: HostLayout, format: number): Promise<void> {
  if (format > (await readStoreFormat(layout))) {
    await writeWhole(join(layout.own, 'store-format'), `${format}\n`, 0o600);
  }
}

/** Removes deployments other than those named. */
export async function removeOthers(layout: HostLayout, keep: readonly (string | undefined)[]): Promise<void> {
  for (const name of await readdir(layout.deployments)) {
    if (!ID.test(name) || keep.includes(name)) continue;
    await rm(join(layout.deployments, name), { recursive: true, force: true });
  }
}

async function readId(path: string): Promise<string | undefined> {
  const text = (await readOptional(path))?.trim() ?? '';
  return ID.test(text) ? text : undefined;
}

async function readOptional(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
