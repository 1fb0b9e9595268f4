import type { CodeArea } from './area.ts';

export const GATEWAY_CODES: readonly CodeArea[] = [
  {
    title: 'Doors for existing clients',
    who: '`holdfast gateway`, and a door in its log and at /readyz',
    next: 'Mend the configuration as docs/gateway-kms.md says, and start the door again.',
    codes: {
      GATEWAY_CONFIG_EXPOSED: [
        'another user owns the configuration of the door, or may write it: it names whom the door believes',
        'Own it, and take the right to write it from others: "chmod 644".',
      ],
      GATEWAY_CONFIG_MALFORMED:
        'the configuration of the door has an unknown field, or a value that is none of its kind; the message names each field',
      GATEWAY_CONFIG_UNREADABLE: 'the configuration of the door is not YAML, or too long',
      PAGE_REFUSED: [
        'a page in a browser has sent the request, or its Host is a name that the DNS may give to anybody',
        'Doors are for programs: reach one on loopback as localhost or by its address.',
      ],
      GATEWAY_LISTEN_EXPOSED: [
        'the door would listen beyond this host without TLS and without authentication of its clients',
        'Listen on loopback or a Unix socket; elsewhere give a certificate, and authorities of clients where the protocol authenticates nobody.',
      ],
      GATEWAY_LISTEN_FAILED: [
        'the address to listen on is not to be had',
        'Look who listens there, and whether this user may.',
      ],
      GATEWAY_NOT_READY: [
        'the door runs, and no node that it has verified answers; the details have the code of each node',
        'Look that code up by "holdfast explain CODE"; the door goes on to ask by itself.',
      ],
      GATEWAY_SECRET_MISSING:
        'a file or variable that the configuration names for a secret is absent, empty or too long',
      GATEWAY_STATUS_MALFORMED: ['what answers is no door', 'Look at the URL: something else listens there.'],
      GATEWAY_TLS_MALFORMED:
        "the certificate, its key or the clients' authorities are not PEM that TLS takes",
      GATEWAY_UNREACHABLE: ['no door answers there', 'Look at the URL, and whether the door runs.'],
      STALE: [
        'the last answer of a node is older than the door takes for ready',
        'Look at the network between door and node.',
      ],
      STARTING: ['the door has not asked any node yet', 'Wait a moment.'],
    },
  },
];
