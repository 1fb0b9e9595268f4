import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const bytes = (hex: string) => Buffer.from(hex, 'hex');
const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le');
const pem = (label: string, body: string) => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;

/** Files that nobody means, by name: of no format, of another one than asked for, cut, or made to confuse a reader. */
const ODD_FILES: Readonly<Record<string, string | Uint8Array>> = {
  empty: '',
  'line-break': '\n',
  nul: bytes('00'),
  ff: bytes('ff'),
  'bad-utf8': bytes('7b22ff223a317d'),
  mark: '\uFEFF{}',
  utf16: utf16('{"Measurements": {}}'),
  null: 'null',
  true: 'true',
  zero: '0',
  infinite: '1e999',
  text: 'neither hex nor base64!',
  string: '"text"',
  array: '[]',
  arrays: `${'['.repeat(3_000)}${']'.repeat(3_000)}`,
  'array-of-objects': '[{}]',
  object: '{}',
  objects: `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`,
  'object-of-nulls': '{"Measurements":null,"Statement":null,"payload":null,"format":null,"document":null}',
  'object-of-arrays': '{"Measurements":[],"Statement":[[]],"payload":[],"signatures":[null],"document":[]}',
  'object-of-objects': '{"Measurements":{},"Statement":{},"payload":{},"signatures":{},"document":{}}',
  'object-of-texts': '{"Measurements":"","Statement":"","payload":"","signatures":"","document":""}',
  'statement-of-nulls':
    '{"Version":"2012-10-17","Statement":[{"Effect":null,"Action":null,"Principal":null}]}',
  'hash-alone': '{"Measurements":{"HashAlgorithm":"SHA384"}}',
  'pcr-16-alone': `{"PCR16":"${'ab'.repeat(48)}"}`,
  'pcr-99': `{"PCR99":"${'ab'.repeat(48)}"}`,
  'key-twice': '{"PCR0":"","PCR0":""}',
  prototype: '{"__proto__":{"a":1},"constructor":1,"toString":1}',
  surrogate: '{"\\ud800":"\\udfff"}',
  'cbor-map': bytes('a0'),
  'cbor-endless': bytes('9fffffffffff'),
  'cbor-huge': bytes('9b7fffffffffffffff'),
  'cose-empty': bytes('d28440a04040'),
  'document-start': bytes('8444a1013822a0590fff'),
  eif: Buffer.concat([Buffer.from('.eif'), Buffer.alloc(600)]),
  elf: Buffer.concat([bytes('7f454c46'), Buffer.alloc(5_000)]),
  cpio: `070701${'f'.repeat(104)}`,
  'pem-empty': pem('CERTIFICATE', ''),
  'pem-junk': pem('CERTIFICATE', 'AAAA'),
  'pem-public-junk': pem('PUBLIC KEY', 'AAAA'),
  'pem-private-junk': pem('PRIVATE KEY', 'MAA='),
  'pem-encrypted': pem('ENCRYPTED PRIVATE KEY', 'MAA='),
  'der-sequence': bytes('3000'),
  'der-huge': bytes('3084ffffffff'),
  yaml: 'a: &a [*a]\n---\nb: !!js/function 1\n',
  sqlite: 'SQLite format 3\0',
  large: Buffer.alloc(70 * 1024, 0x20),
};

/** Writes the odd files into a folder; returns their paths, with a folder and a missing file among them. */
export function writeOddFiles(folder: string): readonly string[] {
  mkdirSync(join(folder, 'folder'));
  const paths = Object.entries(ODD_FILES).map(([name, content]) => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  });
  return [...paths, join(folder, 'folder'), join(folder, 'missing'), '/dev/null', '-'];
}

/** Values that nobody means, for options that take text. */
export const ODD_TEXTS: readonly string[] = [
  '',
  ' ',
  '-1',
  '0',
  '1e999',
  '9'.repeat(40),
  '0x10',
  'null',
  'NaN',
  '__proto__',
  '\u0661\u0662',
  '\u202e\u001b[2J',
  '\n',
  '🙂',
  'a'.repeat(5_000),
  '../../../etc/passwd',
  '*',
  'arn:aws:iam::',
  'arn:aws:kms:eu-central-1:111122223333:alias/x',
  '2026-13-45T99:99:99Z',
  '+275760-09-13T00:00:00.001Z',
  '-271821-04-20T00:00:00Z',
  'http://',
  'ab'.repeat(3_000),
];
