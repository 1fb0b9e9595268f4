import { InternalError } from '../../shared/errors.ts';
import type { ParentConfig } from '../config/schema.ts';
import type { CheckResult } from './check-result.ts';
import type { Host } from './host.ts';
import type { Instance } from './instance.ts';

/** Headings of the report, in its order. */
export const PARTS = ['machine', 'enclave', 'service', 'files', 'time', 'AWS', 'network', 'room'] as const;
export type Part = (typeof PARTS)[number];

export interface CheckContext {
  readonly host: Host;
  /** Undefined where there is no configuration, or none that can be read. */
  readonly config: ParentConfig | undefined;
  readonly configPath: string;
  readonly instance: Instance;
  readonly offline: boolean;
  /** Aborted at the check's deadline. */
  readonly signal: AbortSignal;
}

export interface Check {
  readonly part: Part;
  /** Names it for people: `huge pages`. */
  readonly title: string;
  /** What has to be there for it to make sense; the runner says `skipped` otherwise. */
  readonly needs?: readonly ('config' | 'enclave-host' | 'network')[];
  /** Milliseconds; 5,000 when left out. */
  readonly deadlineMs?: number;
  run(context: CheckContext): Promise<readonly CheckResult[]>;
}

/** The configuration, for checks that need one. */
export function configOf({ config }: CheckContext): ParentConfig {
  if (config === undefined) throw new InternalError('a check without "config" in its needs reads it');
  return config;
}
