/** The smallest parts that look bootable. */

/**
 * Makes a bzImage of one setup sector and 64 paragraphs, with a PE header, and a signature of so many bytes after its
 * end.
 */
export function sampleBzImage(signature = 0): Uint8Array {
  const bytes = Buffer.alloc(1024 + 1024 + signature);
  bytes.writeUInt8(1, 0x1f1);
  bytes.writeUInt32LE(64, 0x1f4);
  bytes.write('HdrS', 0x202, 'latin1');
  bytes.writeUInt32LE(64, 0x3c);
  bytes.write('PE\0\0', 64, 'latin1');
  bytes.writeUInt16LE(0x20b, 64 + 24);
  bytes.writeUInt32LE(signature === 0 ? 0 : 2048, 64 + 24 + 112 + 32);
  bytes.writeUInt32LE(signature, 64 + 24 + 112 + 36);
  return new Uint8Array(bytes);
}

/** Makes an Image of arm64, uncompressed. */
export function sampleArmImage(): Uint8Array {
  const bytes = Buffer.alloc(128);
  bytes.write('ARM\x64', 56, 'latin1');
  return new Uint8Array(bytes);
}

/** Makes a file that begins as gzip does, with a text after it. */
export function samplePacked(text: string): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.from(text)]));
}

/** Makes a plain archive (newc) of files. */
export function sampleCpio(files: Readonly<Record<string, string>>): Uint8Array {
  const entry = (name: string, content: string) => {
    const fields = [1, 0o100644, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
    const pad = (text: string) => text.padEnd(Math.ceil(text.length / 4) * 4, '\0');
    return pad(`${header}${name}\0`) + pad(content);
  };
  const entries = [...Object.entries(files), ['TRAILER!!!', ''] as const];
  return new Uint8Array(
    Buffer.from(entries.map(([name, content]) => entry(name, content)).join(''), 'latin1'),
  );
}
