import { EifError } from './errors.ts';

/**
 * Parses the kernel's command line: printable ASCII, tabs and line feeds.
 *
 * The borders between kernel, command line and first ramdisk are not measured: bytes that move from one section to its
 * neighbour leave every PCR as it was. Binary bytes are refused so that no part of a kernel or of a packed ramdisk can
 * pass as a command line.
 *
 * @throws EifError EIF_CMDLINE with the offset of the first other byte within the section
 */
export function parseCmdline(bytes: Uint8Array): string {
  const offset = bytes.findIndex((byte) => (byte < 0x20 && byte !== 0x09 && byte !== 0x0a) || byte > 0x7e);
  if (offset !== -1) {
    throw new EifError(
      'EIF_CMDLINE',
      'the command line has a byte other than printable ASCII, tab or line feed',
      {
        offset,
        actual: bytes[offset],
      },
    );
  }
  return new TextDecoder('ascii').decode(bytes);
}
