import type { DirectLimits } from '../options.ts';

/** Times that fit two parents in different Regions. */
export const DIRECT_LIMITS: DirectLimits = Object.freeze({
  connectTimeoutMs: 5_000,
  greetingTimeoutMs: 5_000,
  keepaliveMs: 10_000,
  idleTimeoutMs: 30_000,
  writeTimeoutMs: 10_000,
  minBackoffMs: 250,
  maxBackoffMs: 15_000,
});

/** The most connections that others may have opened, whoever they say they are. */
export const MAX_ACCEPTED = 128;
/** The most of them that have not greeted yet, in all and from one address. */
export const MAX_GREETING = 32;
export const MAX_GREETING_PER_SOURCE = 8;
/** The most connections of one node: some of them may be dead without anybody knowing it yet. */
export const MAX_ACCEPTED_PER_NODE = 4;
