import { describe, expect, test } from 'vitest';
import { parseVsockProxyFile } from '../../../parent/config/vsock-proxy-file.ts';
import { ParentOptionError } from '../../../parent/common/errors.ts';

const localhost = [{ host: 'localhost', port: 18443 }];

describe('the allow-list of vsock-proxy', () => {
  test('is read as it is', () => {
    const text = [
      'allowlist:',
      '- {address: kms.us-east-2.amazonaws.com, port: 443}',
      '- {address: kms-fips.us-east-2.amazonaws.com, port: 443}',
      '# a comment',
      '- {address: 10.0.0.5, port: 8080}',
      '- {address: kms.us-east-2.amazonaws.com, port: 443}',
    ].join('\n');
    expect(parseVsockProxyFile(text)).toEqual({
      targets: [
        { host: 'kms.us-east-2.amazonaws.com', port: 443 },
        { host: 'kms-fips.us-east-2.amazonaws.com', port: 443 },
        { host: '10.0.0.5', port: 8080 },
      ],
      warnings: [],
    });
  });

  test.each([
    [
      'another case',
      'allowlist:\n- {address: LOCALHOST, port: 18443}\n- {address: localhost, port: 18443}\n',
    ],
    [
      'a final dot',
      'allowlist:\n- {address: localhost, port: 18443}\n- {address: localhost., port: 18443}\n',
    ],
    ['a field beside them', 'allowlist:\n- {address: localhost, port: 18443, description: test server}\n'],
    ['a field beside the list', 'version: 1\nallowlist:\n- {address: localhost, port: 18443}\n'],
    ['an alias for a port', 'x: &p 18443\nallowlist:\n- {address: localhost, port: *p}\n'],
    ['an alias for an entry', 'x: &e {address: localhost, port: 18443}\nallowlist: [*e, *e]\n'],
    ['an alias for the list', 'x: &l [{address: localhost, port: 18443}]\nallowlist: *l\n'],
    ['a byte order mark', '\uFEFFallowlist:\n- {address: localhost, port: 18443}\n'],
    ['a port in hexadecimal', 'allowlist:\n- {address: localhost, port: 0x480b}\n'],
    ['lines of Windows', 'allowlist:\r\n- {address: localhost, port: 18443}\r\n'],
  ])('takes %s', (_name, text) => {
    expect(parseVsockProxyFile(text)).toEqual({ targets: localhost, warnings: [] });
  });

  test.each([
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['Bücher.example', 'xn--bcher-kva.example'],
  ])('takes %s for %s', (address, host) => {
    const text = `allowlist:\n- {address: "${address}", port: 443}\n- {address: "${host}", port: 443}\n`;
    expect(parseVsockProxyFile(text).targets).toEqual([{ host, port: 443 }]);
  });

  test.each([
    '*.amazonaws.com',
    '10.0.0.0/8',
    'https://kms.amazonaws.com',
    '',
    'a..b',
    'kms.amazonaws.com:443',
  ])('says that %j is no host and no pattern, and takes the rest', (address) => {
    const text = `allowlist:\n- {address: "${address}", port: 443}\n- {address: localhost, port: 18443}\n`;
    expect(parseVsockProxyFile(text)).toEqual({
      targets: localhost,
      warnings: [{ code: 'ALLOWLIST_HOST_NEVER_MATCHES', line: 2, address }],
    });
  });

  test('says that a second document is not read, whatever it holds', () => {
    const first = '---\nallowlist:\n- {address: localhost, port: 18443}\n---\n';
    for (const second of ['allowlist:\n- {address: evil.example, port: 443}\n', 'a: 1\na: 2\n']) {
      expect(parseVsockProxyFile(first + second)).toEqual({
        targets: localhost,
        warnings: [{ code: 'ALLOWLIST_DOCUMENT_IGNORED', line: 5 }],
      });
    }
  });

  const good = '- {address: localhost, port: 18443}\n';
  test.each([
    ['a port that 16 bits would cut to 443', `${good}- {address: a.com, port: 65979}`, 3],
    ['no port', `${good}- {address: a.com}`, 3],
    ['port 0', `- {address: a.com, port: 0}\n${good}`, 2],
    ['a negative port', `- {address: a.com, port: -1}`, 2],
    ['a port as text', `${good}- {address: a.com, port: "443"}`, 3],
    ['a port as text with the tag of an integer', `- {address: a.com, port: !!int "443"}`, 2],
    ['a port with a fraction of zero', '- {address: a.com, port: 443.0}', 2],
    ['a port with an exponent', '- {address: a.com, port: 4.43e2}', 2],
    ['an address that is a number', '- {address: 1.5, port: 443}', 2],
    ['no address', `${good}${good}- {port: 443}`, 4],
    ['an entry that is text', '- localhost', 2],
    ['an alias without its anchor', '- *nobody', 2],
  ])('is refused for %s, with the line', (_name, entries, line) => {
    expect(() => parseVsockProxyFile(`allowlist:\n${entries}`)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        details: expect.objectContaining({ line }) as object,
      }),
    );
  });

  test.each([
    '',
    '{}',
    'allowlist: a',
    'allowlist:',
    '- a',
    'allowlist: [',
    'allowlist: []\nallowlist: []',
    '\0',
  ])('is refused as %j', (text) => {
    expect(() => parseVsockProxyFile(text)).toThrow(ParentOptionError);
  });

  test('is refused where it is nested without end', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{a: ', '}'],
    ] as const) {
      const nested = `${open.repeat(50_000)}${close.repeat(50_000)}`;
      expect(() => parseVsockProxyFile(`allowlist: ${nested}\n`)).toThrow(ParentOptionError);
      expect(() => parseVsockProxyFile(`a: ${nested}\nallowlist: []\n`)).toThrow(ParentOptionError);
    }
  });

  test('takes no more time for aliases than for what they stand for', () => {
    const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let level = 1; level <= 30; level += 1) {
      const alias = `*a${level - 1}`;
      bomb.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => alias).join(',')}]`);
    }
    const many = `e: &e {address: localhost, port: 18443}\nallowlist:\n${'- *e\n'.repeat(40_000)}`;
    // Processor time, of which a busy machine takes no more.
    const startedAt = process.cpuUsage();
    expect(() => parseVsockProxyFile(`${bomb.join('\n')}\nallowlist: *a30\n`)).toThrow(ParentOptionError);
    expect(parseVsockProxyFile(many).targets).toEqual(localhost);
    expect(process.cpuUsage(startedAt).user).toBeLessThan(10_000_000);
  });
});
