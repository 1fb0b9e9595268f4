import { EifError } from './errors.ts';

/**
 * The kernel's command line as text: printable ASCII, tabs and line feeds.
 *
 * The borders between kernel, command line and first ramdisk are not measured: bytes that move from one to its
 * neighbour leave every PCR as it was. So nothing may pass here that a kernel image or a packed ramdisk begins or ends
 * with.
 *
 * @throws EifError EIF_CMDLINE with the offset of the first other byte within the section
 */
export function parseCmdline(bytes: Uint8Array): string {
  const offset = bytes.findIndex((byte) => (byte < 0x20 && byte !== 0x09 && byte !== 0x0a) || byte > 0x7e);
  if (offset !== -1) {
    throw new EifError('EIF_CMDLINE', 'the command line holds a byte that is not text', {
      offset,
      actual: bytes[offset],
    });
  }
  return new TextDecoder('ascii').decode(bytes);
}
