/** The parent instance as seen from an enclave on AWS. */
export const PARENT_CID = 3;

/** Ports of the parent (CID 3). */
export const PARENT_PORT = Object.freeze({
  /** Control requests of the enclave: see shared/protocol. */
  control: 7001,
  /** Name-carrying egress: the first frame says where to. */
  egress: 7002,
  /** The enclave's last words, when its program has ended: see shared/native/exit-report.ts. */
  exit: 7003,
  /** Checkpoints of the enclave's log, and the witnesses' cosignatures of them: see shared/protocol. */
  log: 7004,
  /** Messages to and from the other nodes of the quorum: see shared/protocol. */
  peers: 7005,
  /** nitro-cli's own heartbeat: the enclave's init sends one byte 0xB7 and awaits it back. */
  heartbeat: 9000,
});

/** Ports of the enclave. */
export const ENCLAVE_PORT = Object.freeze({
  /** The HTTPS interface; TLS ends in the enclave. */
  api: 443,
});
