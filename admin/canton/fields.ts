import * as z from 'zod';

/** Name of a Kubernetes object that becomes part of a host name (RFC 1123, section 2.1). */
export const label = z
  .string()
  .max(63)
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, {
    error: 'expected a name of lower-case letters, digits and hyphens',
  });

/** Name of a Kubernetes object: labels with dots between them. */
export const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, { error: 'expected the name of a Kubernetes object' });

/** Name of an entry in a Secret. */
export const entryName = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9._-]+$/);

/** Name of a node in Canton's configuration, which stands in a path of HOCON without quotes. */
export const nodeName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z][A-Za-z0-9_-]*$/, { error: 'expected the name of a node: letters, digits, hyphens' });

export const region = z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d{1,2}$/, {
  error: 'expected a Region such as eu-central-1',
});
export const account = z.string().regex(/^\d{12}$/, { error: 'expected an account: 12 digits, in quotes' });

/**
 * Id of a KMS key as Canton keeps it for ever: the bare id or the ARN of a key, at most 300 characters. An alias, which
 * Canton would take too, can lead to another key tomorrow.
 */
export const keyId = z
  .string()
  .max(300)
  .regex(/^(?:arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/)?[A-Za-z0-9-]+$/, {
    error: 'expected the id or the ARN of a KMS key, no alias',
  });

export const roleArn = z.string().regex(/^arn:[a-z-]+:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, {
  error: 'expected the ARN of an IAM role',
});

/** Reference of a container image: with a tag or, better, a digest. */
export const imageReference = z
  .string()
  .max(512)
  .regex(/^[a-z0-9][\w.-]*(?::\d{1,5})?(?:\/[\w.-]+)*(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?$/i, {
    error: 'expected the reference of an image',
  });

export const port = z.int().min(1024).max(65_535);

/** Span of time as Canton's configuration has it: a whole number and ms, s, m or h. */
export const duration = z.string().regex(/^[1-9]\d{0,8}(?:ms|s|m|h)$/, {
  error: 'expected a span of time such as 500ms or 10s',
});

/**
 * URL of a host in the characters of host names alone. Parsers of URLs drop line ends and blanks, and take a `$(NAME)`,
 * which Kubernetes would replace by the variable: a secret in the name of a host.
 */
const PLAIN_URL = /^https?:\/\/(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?\/?$/;

/** Endpoint of KMS or of a door: https, or http on loopback; no credentials, path or query. */
export const endpoint = z.string().max(2048).refine(isEndpoint, {
  error: 'expected an https URL without path, or an http one of this machine',
});

function isEndpoint(text: string): boolean {
  if (!PLAIN_URL.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash, hostname } = new URL(text);
  if (username !== '' || password !== '' || pathname !== '/' || search !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

/** Tells whether a host of a URL is this machine: the names and addresses of loopback (RFC 1122, RFC 4291). */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
