import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProxyProtocolError, parseProxyHeader } from '../../../parent/ingress/proxy-protocol.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const parse = (hex: string) => parseProxyHeader(Buffer.from(SIGNATURE + hex, 'hex'));

describe('a PROXY protocol v2 header', () => {
  test('names an IPv4 source', () => {
    expect(parse('2111000ccb007105c0a8000104d201bb')).toBe('203.0.113.5');
  });

  test('names an IPv6 source', () => {
    const body = `20010db8000000000000000000000001${'0'.repeat(32)}04d201bb`;
    expect(parse(`21210024${body}`)).toBe('2001:db8:0:0:0:0:0:1');
  });

  test('may carry TLVs behind the addresses', () => {
    expect(parse('21110013cb007105c0a8000104d201bbea000401020304')).toBe('203.0.113.5');
  });

  test('names nobody in a health check of the load balancer', () => {
    expect(parse('20000000')).toBeUndefined();
  });

  test.each([
    ['version 1', '1111000ccb007105c0a8000104d201bb'],
    ['an unknown command', '2211000ccb007105c0a8000104d201bb'],
    ['UDP', '2112000ccb007105c0a8000104d201bb'],
    ['a Unix socket', `213100d8${'00'.repeat(216)}`],
    ['addresses cut short', '21110004cb007105'],
    ['a length beyond all reason', '2111ffffcb007105c0a8000104d201bb'],
  ])('is refused with %s', (_name, hex) => {
    expect(() => parse(hex)).toThrow(ProxyProtocolError);
  });

  test('is refused without its signature', () => {
    expect(() => parseProxyHeader(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toThrow(ProxyProtocolError);
  });

  test('is parsed or refused, whatever it holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 64 }), (rest) => {
        try {
          const source = parseProxyHeader(
            Buffer.concat([Buffer.from(SIGNATURE, 'hex'), rest, Buffer.alloc(1_100)]),
          );
          expect(['string', 'undefined']).toContain(typeof source);
        } catch (error) {
          expect(error).toBeInstanceOf(ProxyProtocolError);
        }
      }),
    );
  });
});
