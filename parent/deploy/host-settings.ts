import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { parse } from 'yaml';
import { z } from 'zod';
import { path, port } from '../config/fields.ts';
import { DeployError } from './errors.ts';

const MAX_HOST_FILE_BYTES = 64 * 1024;
const DEFAULT_CID = 16;
const DEFAULT_SNAPSHOTS = 5;

const address = z.string().refine((value) => isIP(value) !== 0, { error: 'an IP address is expected' });

const hostSchema = z.strictObject({
  /** Address that takes the place of 0.0.0.0 in what a deployment listens at. */
  address: address.optional(),
  /** Address and port of the status page. */
  status: z.string().default('127.0.0.1:9464'),
  cid: z.int().min(4).max(0xffff_fffe).default(DEFAULT_CID),
  transport: z.union([z.literal('vsock'), z.strictObject({ unix: path })]).default('vsock'),
  /** Blocks in which every target may lie besides public addresses: subnets of VPC endpoints. */
  networks: z.array(z.string()).max(64).default([]),
  /** Where a host of the allow-list is reached, in place of a look-up. */
  connectTo: z
    .array(z.strictObject({ host: z.string(), port, address, to: port }))
    .max(64)
    .default([]),
  /** Number of snapshots of the store that are kept. */
  snapshots: z.int().min(1).max(1_000).default(DEFAULT_SNAPSHOTS),
});

/** Settings of one host: host.yaml. No deployment changes them. */
export type HostSettings = z.infer<typeof hostSchema>;

/** Parses host.yaml. @throws DeployError DEPLOYMENT_SETTINGS_INVALID */
export function parseHostSettings(text: string): HostSettings {
  let value: unknown;
  try {
    value = parse(text, { version: '1.2', strict: true, uniqueKeys: true, maxAliasCount: 0 }) as unknown;
  } catch (error) {
    throw new DeployError('DEPLOYMENT_SETTINGS_INVALID', 'host.yaml is not YAML 1.2', {}, error);
  }
  const parsed = hostSchema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.slice(0, 8).map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new DeployError('DEPLOYMENT_SETTINGS_INVALID', 'host.yaml has unknown or malformed fields', {
    fields,
  });
}

/** Reads host.yaml; a host without one has the defaults. @throws DeployError DEPLOYMENT_SETTINGS_INVALID */
export async function readHostSettings(file: string): Promise<HostSettings> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new DeployError('DEPLOYMENT_SETTINGS_INVALID', 'host.yaml cannot be read', { file }, error);
  });
  if (Buffer.byteLength(text) > MAX_HOST_FILE_BYTES) {
    throw new DeployError('DEPLOYMENT_SETTINGS_INVALID', 'host.yaml is longer than its maximum', { file });
  }
  return parseHostSettings(text);
}
