import type { NatsOptions } from './options.ts';

type Quorum = Pick<NatsOptions, 'environment' | 'namespace'>;

/**
 * Names of a quorum in NATS. A subject names the receiver, then the sender, so that the servers can hold a certificate
 * to both: see docs/peers.md for the permissions.
 */
export interface NatsNames {
  /** Subject of datagrams from one node to another. */
  subject(to: number, from: number): string;
  /** Stream that keeps what is for one node. */
  stream(node: number): string;
  /** Prefix of the subjects at which one node gets responses of the servers. */
  inbox(node: number): string;
  /** Number of the sender in a subject; undefined where there is none. */
  senderIn(subject: string): number | undefined;
}

/** Durable consumer of each stream. */
export const CONSUMER = 'node';

/** Names of a quorum. Namespace and environment are labels: none has a dot, a space, an asterisk or an underscore. */
export function namesOf({ namespace, environment }: Quorum): NatsNames {
  const root = `holdfast.${namespace}.${environment}`;
  return {
    subject: (to, from) => `${root}.${to}.${from}`,
    stream: (node) => `holdfast_${namespace}_${environment}_${node}`,
    inbox: (node) => `_INBOX.${root}.${node}`,
    senderIn(subject) {
      const last = /\.([1-9][0-9]{0,2})$/.exec(subject)?.[1];
      return last === undefined ? undefined : Number(last);
    },
  };
}
