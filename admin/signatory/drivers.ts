import * as z from 'zod';

/** A scalar: Go's YAML reader takes a number where a text is expected. */
const scalar = z.union([z.string(), z.number(), z.boolean()]).nullish();
const fields = <Name extends string>(...names: Name[]) =>
  z
    .strictObject(Object.fromEntries(names.map((name) => [name, scalar])) as Record<Name, typeof scalar>)
    .nullish();

const AWS = ['access_key_id', 'secret_access_key', 'session_token', 'region'] as const;
const GOOGLE = ['application_credentials_data', 'application_credentials'] as const;
const AZURE = [
  'tenant_id',
  'client_id',
  'client_secret',
  'client_pkcs12_certificate',
  'client_certificate',
  'client_certificate_thumbprint',
  'client_private_key',
  'decrypt_password',
  'vault',
  'subscription_id',
  'resource_group',
] as const;

const anything = z.unknown();
const object = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).nullish();
const shapeOf = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, scalar]));
const storage = object({ driver: scalar, config: anything.optional() });
const keyConfig = fields('label', 'id');

/** Fields of each kind of vault, by the name of its driver. */
export const VAULT_DRIVERS: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['file', fields('file')],
  ['mem', anything],
  ['awskms', fields(...AWS)],
  ['azure', fields(...AZURE)],
  ['cloudkms', fields(...GOOGLE, 'project', 'location', 'key_ring', 'timeout', 'max_retries')],
  [
    'hashicorpvault',
    object({
      ...shapeOf('address', 'roleID', 'secretID', 'tlsCaCert', 'tlsClientCert', 'tlsClientKey'),
      transitConfig: fields('mountPoint'),
    }),
  ],
  ['yubihsm', fields('address', 'password', 'auth_key_id', 'key_import_domains')],
  ['ledger', object({ ...shapeOf('id', 'close_after', 'transport'), keys: z.array(scalar).nullish() })],
  [
    'pkcs11',
    object({
      ...shapeOf('library_path', 'slot', 'pin'),
      keys: z
        .array(
          z.strictObject({
            private: keyConfig,
            public: keyConfig,
            ...shapeOf('extended_private', 'public_value'),
          }),
        )
        .nullish(),
      public_keys_search_options: fields('match_label', 'match_id', 'extended_private'),
    }),
  ],
  [
    'nitro',
    object({
      ...shapeOf(
        'enclave_cid',
        'enclave_port',
        'encryption_key_id',
        'proxy_local_port',
        'proxy_remote_address',
      ),
      storage,
      credentials: fields(...AWS),
    }),
  ],
  [
    'confidentialspace',
    object({ ...shapeOf('host', 'port', 'wip_provider_path', 'encryption_key_path'), storage }),
  ],
]);

/** Fields of each kind of memory of watermarks, by the name of its driver. */
export const WATERMARK_DRIVERS: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['file', anything],
  ['mem', anything],
  ['ignore', anything],
  ['aws', fields(...AWS, 'table')],
  ['gcp', fields(...GOOGLE, 'project', 'database', 'collection')],
]);
