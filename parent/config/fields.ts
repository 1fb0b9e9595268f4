import { isIP } from 'node:net';
import { z } from 'zod';
import { CERTIFICATES_PEM, MAX_CERTIFICATES_PEM } from '../../shared/x509/pem.ts';

export const path = z.string().startsWith('/').max(4_096);
export const port = z.int().min(1).max(65_535);

/** Endpoint as `ADDRESS:PORT`, an IPv6 address in brackets. */
export const endpoint = z.string().transform((value, context) => {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(value);
  const host = match?.[1] ?? match?.[2] ?? '';
  const number = Number(match?.[3]);
  if (isIP(host) === 0 || !(number >= 0 && number <= 65_535)) {
    context.addIssue({ code: 'custom', message: 'ADDRESS:PORT is expected' });
    return z.NEVER;
  }
  return { host, port: number };
});

/** Name of a machine (RFC 1123). */
export const HOST =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*$/i;

/**
 * Secret of AWS Secrets Manager that the parent reads by itself, each time that it needs it: `secretsmanager:NAME`, or with
 * an ARN in place of the name where it is in another Region than `region`.
 */
export const secretReference = z
  .string()
  .regex(/^secretsmanager:[A-Za-z0-9/_+=.@:-]{1,512}$/, { error: 'secretsmanager:NAME is expected' })
  .transform((url) => ({ type: 'secrets-manager' as const, name: url.slice('secretsmanager:'.length) }));

/** Certificates of authorities as they are, in PEM (RFC 7468). */
export const certificates = z
  .string()
  .max(MAX_CERTIFICATES_PEM)
  .regex(CERTIFICATES_PEM, { error: 'certificates in PEM are expected' });
