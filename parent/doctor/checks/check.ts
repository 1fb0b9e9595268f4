import { InternalError } from '../../../shared/errors.ts';
import type { ParentConfig } from '../../config/schema.ts';
import type { CheckResult } from './check-result.ts';
import type { Host } from './host.ts';
import type { Instance } from './instance-type.ts';

/** Headings of the report, in their order. */
export const PARTS = ['machine', 'enclave', 'service', 'files', 'time', 'AWS', 'network', 'room'] as const;
export type Part = (typeof PARTS)[number];

export interface CheckContext {
  readonly host: Host;
  /** Parsed configuration; undefined where there is none, or none that can be read. */
  readonly config: ParentConfig | undefined;
  readonly configPath: string;
  readonly instance: Instance;
  readonly offline: boolean;
  /** Signal that aborts at the check's deadline. */
  readonly signal: AbortSignal;
}

export interface Check {
  readonly part: Part;
  /** Name for people: `huge pages`. */
  readonly title: string;
  /** Conditions without which the check makes no sense; the runner then reports `skipped`. */
  readonly needs?: readonly ('config' | 'enclave-host' | 'network')[];
  /** Deadline in milliseconds; 5,000 when left out. */
  readonly deadlineMs?: number;
  run(context: CheckContext): Promise<readonly CheckResult[]>;
}

/** Configuration of a check that lists `config` among its needs. */
export function configOf({ config }: CheckContext): ParentConfig {
  if (config === undefined)
    throw new InternalError('expected "config" in the needs of a check that reads the configuration');
  return config;
}
