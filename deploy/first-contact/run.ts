import { setTimeout as sleep } from 'node:timers/promises';
import { ASSUMPTIONS, type AssumptionId } from './assumptions.ts';
import { DoesNotHold, type Probe, type ProbeContext } from './probe.ts';
import { ACCOUNT_PROBES } from './probes/accounts.ts';
import { KMS_PROBES } from './probes/kms.ts';
import { S3_PROBES } from './probes/s3.ts';
import { STACK_PROBES } from './probes/stacks.ts';

/** Probes in their order: what a later one needs is made by an earlier one. */
export const PROBES: readonly Probe[] = [...ACCOUNT_PROBES, ...KMS_PROBES, ...S3_PROBES, ...STACK_PROBES];

/** How long one probe may take, in milliseconds: a stack takes minutes. */
const PROBE_MS = 15 * 60_000;
/** How often what is to be torn down is tried: a stack's buckets may be busy still. */
const END_ATTEMPTS = 5;
const END_PAUSE_MS = 5_000;

/** What was seen of an assumption. */
export interface Finding {
  readonly id: AssumptionId;
  readonly statement: string;
  /** `failed`: something stood in the way of looking; `not looked`: it needs what this run had not. */
  readonly outcome: 'holds' | 'does not hold' | 'failed' | 'not looked';
  readonly seen: string;
}

/** Report of a run. */
export interface Report {
  readonly format: 'holdfast-first-contact/1';
  readonly region: string;
  readonly started: string;
  readonly ended: string;
  readonly findings: readonly Finding[];
  /** What could not be torn down, in words: somebody has to. */
  readonly left: readonly string[];
}

export interface RunOptions extends Omit<ProbeContext, 'endLater' | 'kept' | 'signal'> {
  readonly signal: AbortSignal;
  /** Called before a probe and with its finding. */
  readonly onProgress?: (done: number, of: number, finding: Finding | AssumptionId) => void;
  readonly probes?: readonly Probe[];
  /** Milliseconds between attempts to tear down; 5,000 when left out. */
  readonly pauseMs?: number;
}

/**
 * Looks at every assumption that the two accounts can show, one after the other, and tears down what it has made,
 * whatever happens: an abort ends the looking and not the tearing down.
 */
export async function runFirstContact(options: RunOptions): Promise<Report> {
  const { probes = PROBES, signal, onProgress, pauseMs = END_PAUSE_MS, ...shared } = options;
  const started = new Date().toISOString();
  const endings: { readonly what: string; readonly end: () => Promise<unknown> }[] = [];
  const kept = new Map<string, string>();
  const findings: Finding[] = [];
  const endLater: ProbeContext['endLater'] = (what, end) => void endings.unshift({ what, end });
  for (const [index, { assumption, look }] of probes.entries()) {
    onProgress?.(index, probes.length, assumption);
    const limited = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
    const finding = await seeOne(assumption, signal, () =>
      look({ ...shared, endLater, kept, signal: limited }),
    );
    findings.push(finding);
    onProgress?.(index + 1, probes.length, finding);
  }
  const looked = new Set(findings.map(({ id }) => id));
  for (const id of Object.keys(ASSUMPTIONS) as AssumptionId[]) {
    const { statement, seenWith } = ASSUMPTIONS[id];
    if (looked.has(id)) continue;
    const seen = seenWith === 'host' ? 'needs an instance with an enclave' : 'no probe was run';
    findings.push({ id, statement, outcome: 'not looked', seen });
  }
  const left: string[] = [];
  for (const { what, end } of endings) {
    const reason = await tearDown(end, pauseMs);
    if (reason !== undefined) left.push(`${what}: ${reason}`);
  }
  return {
    format: 'holdfast-first-contact/1',
    region: shared.region,
    started,
    ended: new Date().toISOString(),
    findings,
    left,
  };
}

async function seeOne(id: AssumptionId, signal: AbortSignal, look: () => Promise<string>): Promise<Finding> {
  const { statement } = ASSUMPTIONS[id];
  if (signal.aborted) return { id, statement, outcome: 'not looked', seen: 'interrupted' };
  try {
    return { id, statement, outcome: 'holds', seen: await look() };
  } catch (error) {
    const outcome = error instanceof DoesNotHold ? 'does not hold' : 'failed';
    return { id, statement, outcome, seen: describe(error) };
  }
}

/** @returns why something could not be torn down; undefined where it was, or was gone */
async function tearDown(end: () => Promise<unknown>, pauseMs: number): Promise<string | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await end();
      return undefined;
    } catch (error) {
      if (isGone(error)) return undefined;
      if (attempt === END_ATTEMPTS) return describe(error);
      await sleep(pauseMs);
    }
  }
}

/** Names of errors that say that a thing is not there, or goes already. */
const GONE = new Set([
  'NoSuchBucket',
  'NotFoundException',
  'KMSInvalidStateException',
  'ResourceNotFoundException',
]);
const isGone = (error: unknown) => error instanceof Error && GONE.has(error.name);

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error';
  return error instanceof DoesNotHold ? error.message : `${error.name}: ${error.message}`.slice(0, 500);
}

/** Writes a report for people: Markdown. */
export function formatReport({ region, started, ended, findings, left }: Report): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  return [
    '# First contact with AWS',
    '',
    `${region}, from ${started} to ${ended}. ${countBy(findings)}.`,
    '',
    '| assumption | outcome | seen | expected |',
    '| --- | --- | --- | --- |',
    ...findings.map(
      ({ id, outcome, seen, statement }) => `| \`${id}\` | ${outcome} | ${cell(seen)} | ${cell(statement)} |`,
    ),
    '',
    left.length === 0
      ? 'Everything was torn down; keys wait thirty days for their end.'
      : '**Left behind, to be removed by hand:**',
    ...left.map((what) => `- ${what}`),
    '',
  ].join('\n');
}

function countBy(findings: readonly Finding[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of findings) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}
