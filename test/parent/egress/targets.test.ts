import { describe, expect, test } from 'vitest';
import { createBlockList, describeNetworkFault, isAddressAllowed } from '../../../parent/egress/addresses.ts';
import { createAllowList } from '../../../parent/egress/targets.ts';
import { ParentOptionError } from '../../../parent/common/errors.ts';

describe('the addresses that an egress connection goes to', () => {
  test.each(['3.120.5.7', '52.94.1.1', '8.8.8.8', '2a05:d07a:a000::1', '2600:1f18::5'])(
    'include the public %s',
    (address) => {
      expect(isAddressAllowed(address, undefined)).toBe(true);
    },
  );

  test.each([
    ['instance metadata', '169.254.169.254'],
    ['instance metadata over IPv6', 'fd00:ec2::254'],
    ['instance metadata as mapped IPv4', '::ffff:169.254.169.254'],
    ['instance metadata as mapped IPv4 in hex', '::ffff:a9fe:a9fe'],
    ['instance metadata as mapped IPv4 in full', '0:0:0:0:0:ffff:a9fe:a9fe'],
    ['instance metadata as NAT64', '64:ff9b::a9fe:a9fe'],
    ['instance metadata as 6to4', '2002:a9fe:a9fe::1'],
    ['the DNS server of a VPC', '169.254.169.253'],
    ['loopback', '127.0.0.1'],
    ['all of loopback', '127.255.255.254'],
    ['IPv6 loopback', '::1'],
    ['no address', '0.0.0.0'],
    ['no IPv6 address', '::'],
    ['a private network', '10.1.2.3'],
    ['a private network', '172.31.255.255'],
    ['a private network', '192.168.0.1'],
    ['a carrier’s network', '100.64.0.1'],
    ['a private IPv6 network', 'fd12:3456::1'],
    ['an IPv6 link', 'fe80::1'],
    ['an IPv6 link with its zone', 'fe80::1%eth0'],
    ['multicast', '224.0.0.1'],
    ['IPv6 multicast', 'ff02::1'],
    ['broadcast', '255.255.255.255'],
    ['documentation', '203.0.113.5'],
    ['Teredo', '2001::a9fe:a9fe'],
    ['compatible IPv4', '::169.254.169.254'],
    ['what is no address', 'localhost'],
    ['nothing', ''],
  ])('do not include %s: %s', (_name, address) => {
    expect(isAddressAllowed(address, undefined)).toBe(false);
  });

  test('include what is written out, and nothing beside it', () => {
    const written = createBlockList(['10.20.0.0/16', 'fd00:1::/64']);
    expect(isAddressAllowed('10.20.255.1', written)).toBe(true);
    expect(isAddressAllowed('::ffff:10.20.255.1', written)).toBe(true);
    expect(isAddressAllowed('fd00:1::7', written)).toBe(true);
    expect(isAddressAllowed('10.21.0.1', written)).toBe(false);
    expect(isAddressAllowed('fd00:2::7', written)).toBe(false);
    expect(isAddressAllowed('169.254.169.254', written)).toBe(false);
  });

  test('P55 include no special address behind a translator whose prefix is written out', () => {
    const written = createBlockList(['64:ff9b::/96']);
    expect(isAddressAllowed('64:ff9b::3.120.5.7', written)).toBe(true);
    for (const address of ['a9fe:a9fe', '169.254.169.254', '7f00:1', 'a00:1', '1', ''])
      expect([address, isAddressAllowed(`64:ff9b::${address}`, written)]).toEqual([address, false]);
    expect(isAddressAllowed('::ffff:1', createBlockList(['::ffff:1/128']))).toBe(true);
  });

  test.each([
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0/8',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/08',
    'a/8',
    '',
  ])('have no block %j', (block) => {
    expect(() => createBlockList([block])).toThrow(RangeError);
  });
});

describe('a block that is opened for all targets', () => {
  test.each([
    '10.1.3.0/24',
    '10.0.0.0/8',
    '172.16.0.0/12',
    '100.64.0.0/10',
    'fd12:3456::/32',
    '10.1.3.79/32',
  ])('may be %s', (block) => {
    expect(describeNetworkFault(block)).toBeUndefined();
  });

  test.each([
    ['everything', '0.0.0.0/0'],
    ['everything', '::/0'],
    ['the metadata service', '169.254.169.254/32'],
    ['the metadata service, as one of many', '168.0.0.0/7'],
    ['the metadata service over IPv6', 'fd00:ec2::254/128'],
    ['the metadata service over IPv6, as one of many', 'fc00::/7'],
    ['the DNS server of a VPC', '169.254.169.253/32'],
    ['loopback', '127.0.0.0/8'],
    ['a part of loopback', '127.5.0.0/16'],
    ['loopback, as one of many', '126.0.0.0/7'],
    ['loopback of IPv6', '::1/128'],
    ['compatible addresses', '::/96'],
    ['6to4, which holds the metadata service', '2002:a9fe:a9fe::/48'],
    ['a link', 'fe80::/64'],
    ['multicast', '224.0.0.1/32'],
    ['this network', '0.0.0.0/32'],
    ['no block', '10.1.3.79'],
    ['nothing', ''],
  ])('is never %s: %s', (_name, block) => {
    expect(describeNetworkFault(block)).toBeDefined();
  });
});

describe('an allow-list', () => {
  const list = createAllowList([
    { host: 'KMS.eu-central-1.amazonaws.com.', port: 443 },
    { host: '10.0.0.5', port: 5432 },
  ]);

  test('finds a host in any spelling of its name, at its port alone', () => {
    expect(list.find('kms.eu-central-1.amazonaws.com', 443)?.host).toBe('kms.eu-central-1.amazonaws.com');
    expect(list.find('kms.EU-central-1.amazonaws.com.', 443)).toBeDefined();
    expect(list.find('kms.eu-central-1.amazonaws.com', 444)).toBeUndefined();
    expect(list.find('evil.kms.eu-central-1.amazonaws.com', 443)).toBeUndefined();
    expect(list.find('kms.eu-central-1.amazonaws.com.evil.com', 443)).toBeUndefined();
  });

  test('takes an address for written out', () => {
    const target = list.find('10.0.0.5', 5432);
    expect(isAddressAllowed('10.0.0.5', target?.networks)).toBe(true);
    expect(isAddressAllowed('10.0.0.6', target?.networks)).toBe(false);
  });

  test.each(['169.254.169.254/32', '169.254.0.0/16', '0.0.0.0/0', 'fd00:ec2::/32', '::/0'])(
    'lets no block of a target open the metadata service: %s',
    (block) => {
      const target = { host: 'kms.amazonaws.com', port: 443, networks: [block] };
      expect(() => createAllowList([target])).toThrow(ParentOptionError);
    },
  );

  test('finds an IPv6 address and an international name in any spelling', () => {
    const hosts = createAllowList([
      { host: '2001:DB8:0:0::1', port: 443 },
      { host: 'Bücher.example.', port: 443 },
    ]);
    expect(hosts.find('2001:db8::1', 443)?.host).toBe('2001:db8::1');
    expect(hosts.find('xn--bcher-kva.example', 443)?.host).toBe('xn--bcher-kva.example');
    expect(hosts.find('BÜCHER.example', 443)).toBeDefined();
    expect(hosts.find('bucher.example', 443)).toBeUndefined();
  });

  test('is empty without targets, and then finds nothing', () => {
    expect(createAllowList([]).find('kms.eu-central-1.amazonaws.com', 443)).toBeUndefined();
  });

  test.each([0, -1, 65_536, 65_979, 443.5, Number.NaN, Infinity])('takes no port %s', (port) => {
    expect(() => createAllowList([{ host: 'kms.amazonaws.com', port }])).toThrow(ParentOptionError);
    expect(() =>
      createAllowList([{ host: 'kms.amazonaws.com', port: 443, connectTo: { address: '127.0.0.1', port } }]),
    ).toThrow(ParentOptionError);
  });

  test('does not find a port that only its lower half has', () => {
    const kms = createAllowList([{ host: 'kms.amazonaws.com', port: 443 }]);
    expect(kms.find('kms.amazonaws.com', 65_979)).toBeUndefined();
  });

  test.each([
    '',
    '*',
    '*.amazonaws.com',
    'a b',
    '-a.com',
    'a..com',
    'x'.repeat(64),
    'http://a.com',
    'a.com/x',
    'a\n.com',
    'ä\n.com',
    'ä/x.com',
    'ä*.com',
  ])('takes no host %j', (host) => {
    expect(() => createAllowList([{ host, port: 443 }])).toThrow(ParentOptionError);
  });

  test('takes no target twice, no block that is none, no address that is none', () => {
    const target = { host: 'a.com', port: 443 };
    expect(() => createAllowList([target, { ...target, host: 'A.com' }])).toThrow(ParentOptionError);
    expect(() => createAllowList([{ ...target, networks: ['10.0.0.0'] }])).toThrow(ParentOptionError);
    expect(() => createAllowList([{ ...target, connectTo: { address: 'b.com', port: 1 } }])).toThrow(
      ParentOptionError,
    );
  });
});
