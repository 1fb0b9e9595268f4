/** Bytes in, bytes out: the NSM as /dev/nsm serves it, one call at a time. */
export interface NsmDevice {
  /** CBOR request to CBOR answer. Rejects only when the device itself is gone; its refusals are answers. */
  exchange(request: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

/** Largest request and answer that the kernel's driver takes, in bytes (drivers/misc/nsm.c). */
export const MAX_NSM_REQUEST_BYTES = 0x1000;
export const MAX_NSM_RESPONSE_BYTES = 0x3000;
