import {
  AckPolicy,
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
} from '@nats-io/jetstream';
import type { NatsOptions } from './options.ts';
import { CONSUMER, type NatsNames } from './names.ts';

const DEFAULT_REPLICAS = 3;
const DEFAULT_MAX_AGE_SECONDS = 300;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
/** The most datagrams of one sender that wait: one that floods pushes its own out, and nobody else's. */
const MAX_WAITING_OF_SENDER = 2_048;
/** Seconds in which a datagram that was published twice is kept once. */
const DUPLICATE_SECONDS = 10;
/** Seconds after which a datagram that was handed out, and not acknowledged, is handed out again. */
const ACK_WAIT_SECONDS = 15;
const NANOSECONDS = 1_000_000_000;

/**
 * Makes the stream and the consumer of a node, or brings them up to these settings. A stream that the operator of the
 * servers has made, and that this node may not change, stays as it is.
 * @throws Error of the library where they are not to be had
 */
export async function ensureStream(
  manager: JetStreamManager,
  names: NatsNames,
  node: number,
  options: NatsOptions,
): Promise<void> {
  const name = names.stream(node);
  const settings = {
    subjects: [`${names.subject(node, 0).slice(0, -1)}*`],
    max_age: (options.maxAgeSeconds ?? DEFAULT_MAX_AGE_SECONDS) * NANOSECONDS,
    max_bytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
    max_msgs_per_subject: MAX_WAITING_OF_SENDER,
    max_msg_size: 128 * 1024,
    // A full stream drops the oldest, as every queue of datagrams does, and refuses nobody.
    discard: DiscardPolicy.Old,
    duplicate_window: DUPLICATE_SECONDS * NANOSECONDS,
    num_replicas: options.replicas ?? DEFAULT_REPLICAS,
  };
  const isThere = await manager.streams.info(name).then(
    () => true,
    () => false,
  );
  if (isThere) {
    await manager.streams.update(name, settings).catch(() => undefined);
  } else {
    await manager.streams.add({
      ...settings,
      name,
      // What the node has taken is kept no longer.
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
    });
  }
  await manager.consumers.add(name, {
    durable_name: CONSUMER,
    ack_policy: AckPolicy.Explicit,
    ack_wait: ACK_WAIT_SECONDS * NANOSECONDS,
    max_ack_pending: 1_024,
  });
}
