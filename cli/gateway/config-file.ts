import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import * as z from 'zod';
import {
  type GatewayClient,
  gatewayFields,
  type GatewayListen,
  type ListenConfig,
  parseGatewayConfig,
} from '../../client/gateway/index.ts';
import { ethereumSectionSchema } from '../../client/gateway/ethereum/config.ts';
import { tezosSectionSchema } from '../../client/gateway/tezos/config.ts';
import { kmsSectionSchema } from '../../client/gateway/kms/config.ts';
import { UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { inFile } from '../common/in-file.ts';
import { readOwnFile } from '../common/own-file.ts';
import { describeSystemError } from '../common/system-error.ts';
import { readSecret, type SecretPlace } from './secret.ts';

const MAX_CONFIG_BYTES = 256 * 1024;

/** The whole of gateway.yaml: what doors share, and a section for each. */
const gatewaySchema = z.strictObject({
  ...gatewayFields,
  kms: kmsSectionSchema.optional(),
  tezos: tezosSectionSchema.optional(),
  ethereum: ethereumSectionSchema.optional(),
});
export type GatewayConfig = z.infer<typeof gatewaySchema>;

/**
 * Reads gateway.yaml, which names whom the door believes: a file that others may write is refused.
 *
 * @throws UsageError when there is no such file; GatewayError GATEWAY_CONFIG_MALFORMED; CliError GATEWAY_CONFIG_EXPOSED,
 *   GATEWAY_CONFIG_UNREADABLE
 */
export async function readGatewayFile(path: string): Promise<GatewayConfig> {
  const text = await readOwnFile(path, {
    what: 'configuration',
    maxBytes: MAX_CONFIG_BYTES,
    exposed: 'GATEWAY_CONFIG_EXPOSED',
    malformed: 'GATEWAY_CONFIG_UNREADABLE',
    isNamed: true,
  }).catch((error: unknown) => {
    if (error instanceof CliError) throw error;
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
  });
  if (text === undefined) throw new UsageError(`cannot read ${path}: there is no such file`);
  return inFile(path, () => parseGatewayConfig(gatewaySchema, parseYaml(text, path)));
}

function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text, { version: '1.2', strict: true, uniqueKeys: true, maxAliasCount: 0 }) as unknown;
  } catch (error) {
    const [start] = error instanceof YAMLParseError ? (error.linePos ?? []) : [];
    throw new CliError('GATEWAY_CONFIG_UNREADABLE', 'the configuration is not YAML', {
      path,
      ...(start === undefined ? {} : { line: start.line, column: start.col }),
    });
  }
}

/** Where the files of a configuration lie. */
export function placeOf(path: string, env: SecretPlace['env']): SecretPlace {
  return { folder: dirname(resolve(path)), env };
}

/** Reads the request keys of the door's clients. @throws CliError KEY_FILE_MALFORMED, and what reading a secret throws */
export async function readClients(
  clients: GatewayConfig['clients'],
  place: SecretPlace,
): Promise<readonly GatewayClient[]> {
  return await Promise.all(
    clients.map(async ({ id, key }) => {
      const pem = await readSecret(key, place);
      return { id, privateKey: parseSigningKey(pem, id) };
    }),
  );
}

function parseSigningKey(pem: Buffer, client: string): KeyObject {
  try {
    const key = createPrivateKey({ key: pem, format: 'pem' });
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // The cause is left out: OpenSSL may quote what it could not read.
  } finally {
    pem.fill(0);
  }
  throw new CliError('KEY_FILE_MALFORMED', 'expected an Ed25519 private key in PEM without a password', {
    client,
  });
}

/** Reads the files of a listener. @throws UsageError, CliError KEY_FILE_EXPOSED, GATEWAY_SECRET_MISSING */
export async function readListen(
  { host, port, unix, tls }: ListenConfig,
  place: SecretPlace,
): Promise<GatewayListen> {
  if (unix !== undefined) return { unix: resolve(place.folder, unix) };
  return {
    host,
    port: port ?? 0,
    ...(tls === undefined
      ? {}
      : {
          tls: {
            certificate: await readPublicFile(tls.certificate, place),
            key: await readSecret(tls.key, place),
            ...(tls.clients === undefined ? {} : { clients: await readPublicFile(tls.clients, place) }),
          },
        }),
  };
}

async function readPublicFile(path: string, { folder }: SecretPlace): Promise<Buffer> {
  const full = resolve(folder, path);
  return await readFile(full).catch((error: unknown) => {
    throw new UsageError(`cannot read ${full}: ${describeSystemError(error)}`);
  });
}
