import type { CodeArea } from './area.ts';

export const GATEWAY_TEZOS_CODES: readonly CodeArea[] = [
  {
    title: 'The door for Tezos',
    who: '`holdfast gateway tezos`, in its log',
    next: "Look at docs/gateway-tezos.md, and at the client's own configuration.",
    codes: {
      AUTHENTICATION_INVALID:
        "the request's signature is of no client that may ask for this key: another key signed, or other bytes",
      AUTHENTICATION_MISSING:
        'the door names clients in authorizedKeys, and the request carries no signature of one',
      KEY_NOT_SERVED:
        'the door serves no key of this hash: the nodes have none, its type is none of Tezos, or "keys" of the door leaves it out',
      PAYLOAD_UNKNOWN: 'the first byte of the payload is none of 0x03, 0x05, 0x11, 0x12 and 0x13',
      SIGNER_REQUEST_MALFORMED:
        "the path's hash, a parameter or the body is none of the remote signer protocol",
      VERSION_UNSUPPORTED: 'a signature by a tz4 key was asked for in an older version of the protocol',
    },
  },
];
