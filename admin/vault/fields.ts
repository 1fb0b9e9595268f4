import * as z from 'zod';
import { CERTIFICATES_PEM, MAX_CERTIFICATES_PEM } from '../../shared/x509/pem.ts';

/** Namespace or environment, as in a manifest: they become parts of the names of stacks, roles and hosts. */
export const label = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
  error: 'expected a name of lower-case letters, digits and hyphens',
});

/** Error of a text that YAML reads as a number without quotes; of a field that is missing, the parser says that. */
const quoted = (text: string) => ({
  error: ({ input }: { readonly input?: unknown }) => (input === undefined ? undefined : text),
});

/** AWS account. YAML reads twelve digits without quotes as a number, which drops zeros in front. */
export const account = z.string(quoted('expected an account: 12 digits, in quotes')).regex(/^[0-9]{12}$/, {
  error: 'expected an account: 12 digits, in quotes',
});

export const region = z
  .string()
  .max(32)
  .regex(/^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}$/, { error: 'expected a Region such as eu-central-1' });

/**
 * IAM role or user of a person. Sessions (`assumed-role`), roots and patterns are other things: a key policy that names
 * one of them names nobody, or everybody.
 */
export const principalArn = z
  .string()
  .max(600)
  .regex(/^arn:aws[a-z-]*:iam::[0-9]{12}:(?:role|user)\/[\w+=,.@/-]{1,512}$/, {
    error: 'expected the ARN of an IAM role, such as arn:aws:iam::111122223333:role/node-admin',
  });

/** Public key of Ed25519 or X25519. YAML reads some such texts as numbers. */
export const publicKey = z
  .string(quoted('expected 64 hex digits of a public key, in quotes'))
  .regex(/^[0-9a-f]{64}$/, { error: 'expected 64 hex digits of a public key, lower case' });

/** Range of IPv4 addresses (RFC 4632). */
export const cidr = z.cidrv4({ error: 'expected a range of addresses such as 10.0.0.0/16' });

/** Port of TCP. */
export const port = z.int().min(1).max(65_535);

/** Host name (RFC 1123). */
export const hostName = z
  .string()
  .max(253)
  .regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
    error: 'expected a host name in lower case',
  });

export const vpcId = z
  .string()
  .regex(/^vpc-[0-9a-f]{8,17}$/, { error: 'expected vpc- and 8 to 17 hex digits' });
export const subnetId = z
  .string()
  .regex(/^subnet-[0-9a-f]{8,17}$/, { error: 'expected subnet- and 8 to 17 hex digits' });
export const imageId = z
  .string()
  .regex(/^ami-[0-9a-f]{8,17}$/, { error: 'expected ami- and 8 to 17 hex digits' });
export const instanceType = z
  .string()
  .max(32)
  .regex(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/, { error: 'expected an instance type such as m6i.xlarge' });

/** Version of a release (Semantic Versioning 2.0.0): a tag such as `latest` names another one tomorrow. */
export const releaseVersion = z
  .string(quoted('expected a version such as 1.4.0, in quotes'))
  .max(64)
  .regex(/^(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)(?:-[0-9A-Za-z.-]+)?$/, {
    error: 'expected a version such as 1.4.0',
  });

/** Place of releases: a bucket, an OCI repository, or a folder beside vault.yaml. */
export const releaseSource = z
  .string()
  .max(512)
  .regex(
    /^(?:s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[\w./-]+)?|oci:\/\/[\w.-]+(?::[0-9]{1,5})?\/[\w./-]+|\.{0,2}\/[\w./-]+)$/,
    {
      error: 'expected s3://bucket/prefix, oci://registry/repository or ./folder',
    },
  );

/** Public key in PEM (RFC 7468). */
export const publicKeyPem = z
  .string()
  .max(2048)
  .regex(/^-----BEGIN PUBLIC KEY-----\r?\n[A-Za-z0-9+/=\r\n]+-----END PUBLIC KEY-----\s*$/, {
    error: 'expected a public key in PEM, such as cosign.pub',
  });

/** Certificates in PEM (RFC 7468) and nothing between them: authorities, which are public. */
export const certificatesPem = z
  .string()
  .max(MAX_CERTIFICATES_PEM)
  .regex(CERTIFICATES_PEM, { error: 'expected certificates in PEM, and nothing between them' });
