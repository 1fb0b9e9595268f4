import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLookUp } from '../../../parent/egress/look-up.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A DNS server over UDP that answers every A question with the same addresses, or with a server failure. */
interface FakeDns {
  answer: { readonly addresses: readonly string[]; readonly ttl: number } | 'failure' | 'silence';
  questions: number;
}

let server: Socket;
let dns: FakeDns;
let now: number;
const never = new AbortController().signal;

beforeEach(async () => {
  dns = { answer: { addresses: ['192.0.2.1', '192.0.2.2'], ttl: 30 }, questions: 0 };
  now = 1_000_000;
  server = createSocket('udp4');
  server.on('message', (query, from) => {
    dns.questions += 1;
    if (dns.answer !== 'silence') server.send(respond(query, dns.answer), from.port, from.address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
});

function respond(query: Buffer, answer: Exclude<FakeDns['answer'], 'silence'>): Buffer {
  const end = query.indexOf(0, 12) + 5;
  const addresses = answer === 'failure' ? [] : answer.addresses;
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(answer === 'failure' ? 0x8182 : 0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt32BE(0, 8);
  const records = addresses.map((address) => {
    const record = Buffer.from('c00c00010001000000000004', 'hex');
    record.writeUInt32BE(answer === 'failure' ? 0 : answer.ttl, 6);
    return Buffer.concat([record, Buffer.from(address.split('.').map(Number))]);
  });
  return Buffer.concat([header, query.subarray(12, end), ...records]);
}

function createTestLookUp() {
  return createLookUp({ family: 'ipv4', servers: [`127.0.0.1:${server.address().port}`], clock: () => now });
}

describe('the look-up', () => {
  test('asks again once the time to live is over, and not before', async () => {
    const lookUp = createTestLookUp();
    expect(await lookUp('kms.example.com', never)).toEqual(['192.0.2.1', '192.0.2.2']);
    now += 29_000;
    await lookUp('kms.example.com', never);
    expect(dns.questions).toBe(1);
    dns.answer = { addresses: ['192.0.2.9'], ttl: 30 };
    now += 2_000;
    expect(await lookUp('kms.example.com', never)).toEqual(['192.0.2.9']);
    expect(dns.questions).toBe(2);
  });

  test('asks once for all who wait', async () => {
    const lookUp = createTestLookUp();
    await Promise.all(Array.from({ length: 50 }, () => lookUp('kms.example.com', never)));
    expect(dns.questions).toBe(1);
  });

  test('keeps an answer no longer than five minutes, whatever its time to live', async () => {
    dns.answer = { addresses: ['192.0.2.1'], ttl: 1_000_000 };
    const lookUp = createTestLookUp();
    await lookUp('kms.example.com', never);
    now += 301_000;
    await lookUp('kms.example.com', never);
    expect(dns.questions).toBe(2);
  });

  test('goes on with its last answer while DNS flaps, and gives up in the end', async () => {
    const lookUp = createTestLookUp();
    await lookUp('kms.example.com', never);
    dns.answer = 'failure';
    now += 60_000;
    expect(await lookUp('kms.example.com', never)).toEqual(['192.0.2.1', '192.0.2.2']);
    now += 3_600_000;
    await expect(lookUp('kms.example.com', never)).rejects.toThrow(Error);
    dns.answer = { addresses: ['192.0.2.3'], ttl: 30 };
    expect(await lookUp('kms.example.com', never)).toEqual(['192.0.2.3']);
  });

  test('says so when a host was never there', async () => {
    dns.answer = 'failure';
    await expect(createTestLookUp()('nowhere.example.com', never)).rejects.toThrow(Error);
  });

  test('takes an address for itself', async () => {
    expect(await createTestLookUp()('192.0.2.77', never)).toEqual(['192.0.2.77']);
    expect(dns.questions).toBe(0);
  });

  test('knows the names of a hosts file without a server, and no others of it', async () => {
    const directory = temporaryFolder();
    const hostsFile = join(directory, 'hosts');
    const servers = [`127.0.0.1:${server.address().port}`];
    const named = (family: 'any' | 'ipv4' | 'ipv6') =>
      createLookUp({ family, servers, hostsFile, clock: () => now });
    const lines = [
      '# 192.0.2.99 kms.example.com',
      '192.0.2.50\tKMS.example.com. alias # kms',
      '2001:db8::50 kms.example.com',
      'nonsense kms.example.com',
    ];
    await writeFile(hostsFile, lines.join('\n'));
    expect(await named('any')('kms.example.com', never)).toEqual(['192.0.2.50', '2001:db8::50']);
    expect(await named('ipv4')('kms.example.com', never)).toEqual(['192.0.2.50']);
    expect(await named('ipv6')('kms.example.com', never)).toEqual(['2001:db8::50']);
    expect(dns.questions).toBe(0);
    const lookUp = named('ipv4');
    expect(await lookUp('other.example.com', never)).toEqual(['192.0.2.1', '192.0.2.2']);
    await lookUp('alias', never);
    await writeFile(hostsFile, '192.0.2.51 alias\n');
    now += 6_000;
    expect(await lookUp('alias', never)).toEqual(['192.0.2.51']);
  });
});
