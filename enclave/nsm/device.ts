/** The NSM as /dev/nsm serves it: bytes in, bytes out, one call at a time. */
export interface NsmDevice {
  /** Sends a CBOR request and returns the CBOR response, refusals included; rejects only when the device is gone. */
  exchange(request: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

/** Largest request and response that the kernel's driver takes, in bytes (drivers/misc/nsm.c). */
export const MAX_NSM_REQUEST_BYTES = 0x1000;
export const MAX_NSM_RESPONSE_BYTES = 0x3000;
