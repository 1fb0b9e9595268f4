import type { Duplex } from 'node:stream';
import { FrameError, FrameStream } from '../../../shared/frames/index.ts';
import { PeerLinkError } from '../errors.ts';
import { greetingSchema, type GreetingRefusal, helloOf, helloSchema, MAX_GREETING_BYTES } from './wire.ts';

/** Greets a parent that was dialled. @throws PeerLinkError GREETING_FAILED, WRONG_NODE, or the code of its refusal */
export async function greetDialled(
  stream: Duplex,
  { self, node, timeoutMs }: { readonly self: number; readonly node: number; readonly timeoutMs: number },
): Promise<void> {
  const frames = new FrameStream(stream, { maxBytes: MAX_GREETING_BYTES });
  const greeting = await orGreetingFailed(async () => {
    await frames.write(helloOf(self, node), { timeoutMs });
    return await frames.read(greetingSchema, { timeoutMs });
  });
  frames.release();
  if (greeting.type === 'refused') {
    throw new PeerLinkError(greeting.code, 'the other parent has refused the greeting', { node });
  }
  if (greeting.from !== node || greeting.to !== self) {
    throw new PeerLinkError('WRONG_NODE', 'the parent of another node answers there', {
      expected: node,
      actual: greeting.from,
    });
  }
}

/**
 * Answers the greeting of a parent that has dialled, and returns the number of its node.
 * @param judge says why a node of that number is not let in; undefined where it is
 * @throws PeerLinkError GREETING_FAILED, or the code that was sent
 */
export async function greetAccepted(
  stream: Duplex,
  options: {
    readonly self: number;
    readonly timeoutMs: number;
    readonly judge: (from: number) => GreetingRefusal | undefined;
  },
): Promise<number> {
  const { self, timeoutMs, judge } = options;
  const frames = new FrameStream(stream, { maxBytes: MAX_GREETING_BYTES });
  const { from, to } = await orGreetingFailed(() => frames.read(helloSchema, { timeoutMs }));
  const code = to === self ? judge(from) : 'WRONG_NODE';
  await orGreetingFailed(() =>
    frames.write(code === undefined ? helloOf(self, from) : { type: 'refused', code }, { timeoutMs }),
  );
  frames.release();
  if (code !== undefined) throw new PeerLinkError(code, 'a parent was turned away', { from, to });
  return from;
}

async function orGreetingFailed<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    throw new PeerLinkError('GREETING_FAILED', 'the other end does not greet as a parent does', {}, error);
  }
}
