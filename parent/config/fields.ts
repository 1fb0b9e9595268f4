import { isIP } from 'node:net';
import { z } from 'zod';

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
