import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyProgram } from '../nitro-host/index.ts';
import type { HoldfastCommand } from '../testbed/holdfast-command.ts';
import type { Scenario } from '../testbed/scenario.ts';
import {
  type DecidedTransfer,
  decideTransfers,
  startWitnessed,
  type StoryOptions,
  type WitnessedNode,
} from './decide.ts';
import { playDoor } from './door.ts';
import { connect, playNode, provision, stop } from './node.ts';
import { harmWitnessed, proveDecisions } from './prove.ts';
import { playQuorum } from './quorum.ts';
import {
  DEMO_STORIES,
  type DemoPart,
  type DemoStep,
  type DemoStory,
  type Running,
  type Step,
  type StepResult,
} from './steps.ts';
import { playVault } from './vault.ts';

export interface DemoOptions {
  readonly onStep: (step: DemoStep) => void;
  /** Command that people of the demonstration run as processes of their own. */
  readonly holdfast: HoldfastCommand;
  /** What signs a release as scripts/make-release does. */
  readonly makeRelease: HoldfastCommand;
  /** Stories to play, in the order of {@link DEMO_STORIES}; all when left out. */
  readonly stories?: readonly DemoStory[];
  readonly signal: AbortSignal;
}

interface Stage {
  readonly directory: string;
  readonly running: Running;
  readonly step: Step;
  readonly holdfast: HoldfastCommand;
}

/** Plays the life of a policy node, of a quorum and of a vault on this machine, the attacks included; returns every step. */
export async function runDemo(options: DemoOptions): Promise<readonly DemoStep[]> {
  const { onStep, holdfast, signal } = options;
  const steps: DemoStep[] = [];
  async function step(part: DemoPart, title: string, act: () => Promise<StepResult>): Promise<void> {
    signal.throwIfAborted();
    const start = performance.now();
    const result = await act();
    const milliseconds = Math.round(performance.now() - start);
    steps.push({ part, title, milliseconds, ...result });
    onStep({ part, title, milliseconds, ...result });
  }
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-demo-'));
  const running: Running = new Set();
  try {
    await play({ directory, running, step, holdfast }, options);
  } finally {
    for (const each of running) await each.stop();
    await rm(directory, { recursive: true, force: true });
  }
  return steps;
}

async function play(
  stage: Stage,
  { stories = DEMO_STORIES, makeRelease, signal }: DemoOptions,
): Promise<void> {
  const { directory, running, step, holdfast } = stage;
  const isPlayed = (story: DemoStory) => stories.includes(story);
  const program = isPlayed('node') || isPlayed('decisions') ? await playOneNode(stage, isPlayed) : undefined;
  if (isPlayed('quorum')) {
    const own = program ?? (await copyProgram());
    if (program === undefined) running.add({ stop: () => own.remove() });
    await playQuorum({ directory: join(directory, 'quorum'), program: own, running, step });
  }
  if (isPlayed('vault'))
    await playVault({ directory: join(directory, 'vault'), holdfast, makeRelease, running, step, signal });
}

/** Plays the stories of one node. @returns its program */
async function playOneNode(
  stage: Stage,
  isPlayed: (story: DemoStory) => boolean,
): Promise<Scenario['program']> {
  const { directory, running, step } = stage;
  const scenario = await provision(directory, running, step);
  const log = isPlayed('node') ? await playNode(scenario, running, step) : await startOnce(scenario);
  if (isPlayed('decisions')) await playDecisions({ ...stage, scenario, version: 3 }, log);
  return scenario.program;
}

/** Starts a node for the first time. @returns the key of its log, which witnesses have to know */
export async function startOnce(scenario: Scenario): Promise<WitnessedNode['log']> {
  const node = await scenario.start();
  try {
    const client = await connect(scenario, node);
    const { binding } = await client.attest();
    client.close();
    if (!('log' in binding)) throw new Error('expected a document that names the log');
    return binding.log;
  } finally {
    await node.stop();
  }
}

/** Has transactions decided under rules of format 2, proves what was decided, and harms the store whose log is witnessed. */
export async function playDecisions(
  stage: Stage & Pick<StoryOptions, 'scenario' | 'version'>,
  log: WitnessedNode['log'],
): Promise<readonly DecidedTransfer[]> {
  const options: StoryOptions = { ...stage, connect: (node) => connect(stage.scenario, node) };
  const witnessed = await startWitnessed(options, log);
  const decided = await decideTransfers(options, witnessed);
  await proveDecisions(options, witnessed, decided);
  await playDoor(options, witnessed);
  witnessed.client.close();
  await stop(witnessed.node, stage.running);
  await harmWitnessed(options, witnessed);
  return decided;
}
