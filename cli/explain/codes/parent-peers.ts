import type { CodeArea } from './area.ts';

export const PARENT_PEERS_CODES: readonly CodeArea[] = [
  {
    title: 'Between the parents of nodes',
    who: 'the parent, in its log, in its metrics and by `parent status`',
    next: 'Look at peers in parent.yaml of both hosts: "holdfast doctor" on each.',
    codes: {
      BROKEN: [
        'a connection broke; the parent dials again',
        'Look at the network between the hosts if it goes on.',
      ],
      CERTIFICATES_CHANGED: [
        'connections were opened anew, because the files of the certificates have changed',
        'Nothing is to be done.',
      ],
      CERTIFICATE_OTHER_NODE: [
        'the certificate of the other end has not the name that parent.yaml gives the node',
        'Compare peers.nodes, name, with the names in that certificate.',
      ],
      CLOSED_BY_PEER: [
        'the other parent has closed the connection',
        'Look at that host if it does not come back.',
      ],
      CONNECT_FAILED: [
        'no connection: the address does not exist, or refuses',
        'Look whether the other parent runs, and at the firewall between the hosts.',
      ],
      CONNECT_TIMEOUT: [
        'no connection in time',
        'Look at the firewall, the security groups and the routes between the hosts.',
      ],
      ENCLAVE_AWAY: [
        'a datagram came while the enclave was not connected, or did not take it in time',
        'Nothing is to be done if the node was starting.',
      ],
      FRAME_REFUSED: 'the other end sent what is no frame of a parent, or one that is too long',
      GREETING_FAILED: [
        'the other end did not greet as a parent does, or not in time',
        'Look which program listens there; one side may have TLS and the other not.',
      ],
      IDLE: ['nothing came for half a minute, not even a ping', 'Look at the network between the hosts.'],
      NOT_ACKNOWLEDGED: [
        'NATS has not acknowledged a datagram in time; the channel sends it again',
        'Look at the NATS servers, and whether the stream of the other node exists.',
      ],
      NOT_AUTHORISED: [
        'NATS has refused the certificate, the credentials, or a permission of this node',
        'Compare the permissions of the servers with docs/peers.md.',
      ],
      OVERLOADED: [
        'as many connections of others are open, or greeting, as may be',
        'Look who connects there: the port is for the parents of the other nodes alone.',
      ],
      QUEUE_FULL: [
        'more datagrams waited for a node than may; the oldest were dropped, and the channel sends them again',
        'Look whether the other parent is reachable, and fast enough.',
      ],
      REPLACED: 'the other parent has opened more connections than it needs; the oldest was closed',
      SECRET_UNAVAILABLE: [
        'a secret for the connection to NATS cannot be read: there is none of this name, the role of the host may not read it, or AWS is not reached',
        'Put it there by "holdfast vault populate", and look whether the role of the host may read it (docs/vault.md).',
      ],
      SECRET_UNUSABLE: [
        'a secret for the connection to NATS is not a certificate with its private key, in PEM',
        'Put a certificate there and its key, one after the other: "holdfast vault populate --rotate".',
      ],
      STALE: [
        'a datagram waited too long for a node, and was dropped',
        'Look whether the other parent is reachable.',
      ],
      STOPPED: [
        'this parent was stopped, or its configuration names the node no longer',
        'Nothing is to be done.',
      ],
      STREAM_UNAVAILABLE: [
        'the stream of this node, or its consumer, is not to be had in NATS',
        'Look whether JetStream is on, has room, and enough servers of the cluster are up.',
      ],
      TLS_FAILED: [
        'a certificate was refused by one end, or the other end speaks no TLS',
        'Compare the authorities (peers.tls.ca) and the ends of the certificates on both hosts.',
      ],
      UNKNOWN_NODE: [
        'the other parent does not know a node of this number',
        'Add it to peers.nodes there, and reload that parent.',
      ],
      WRITE_TIMEOUT: ['the other parent did not take a frame in time', 'Look at that host.'],
      WRONG_NODE: [
        'the parent of another node listens at that address',
        'Correct the address, or the number, in peers.nodes.',
      ],
    },
  },
];
