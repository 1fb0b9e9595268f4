import { copyFileSync, writeFileSync, readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { ParentOptionError } from '../../../parent/common/errors.ts';
import { Certificates } from '../../../parent/peers/certificates.ts';
import type { CertificateFiles } from '../../../parent/peers/options.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createAuthority } from './authority.ts';
import { datagramFrame, dialRaw, helloFrame } from './raw-parent.ts';
import { closeAll, closeLater, startNode, until } from './start-node.ts';

afterEach(closeAll);

const FAST = { minBackoffMs: 20, maxBackoffMs: 100, greetingTimeoutMs: 2_000 };
const NAME = (node: number) => `node-${node}.acme.example`;

async function startPair(tlsOf1: CertificateFiles | undefined, tlsOf2: CertificateFiles | undefined) {
  const b = await startNode(2, {
    limits: FAST,
    nodes: [1, 3].map((node) => ({ node, name: NAME(node) })),
    ...(tlsOf2 === undefined ? {} : { tls: tlsOf2 }),
  });
  const a = await startNode(1, {
    limits: FAST,
    nodes: [{ node: 2, address: b.address, name: NAME(2) }],
    ...(tlsOf1 === undefined ? {} : { tls: tlsOf1 }),
  });
  return { a, b, outcome: () => a.peers.counters.of(2).outcome };
}

describe('parents with certificates', () => {
  const folder = temporaryFolder();
  const authority = createAuthority(folder);
  const other = createAuthority(folder, 'other');
  const [one, two, three] = [1, 2, 3].map((node) =>
    authority.issue(`node-${node}`, [`DNS:${NAME(node)}`]),
  ) as [CertificateFiles, CertificateFiles, CertificateFiles];

  it('carry datagrams, both ways', async () => {
    const { a, b } = await startPair(one, two);
    await a.enclave.send(2, 'there');
    expect(await b.enclave.waitFor(1)).toBe('there');
    await b.enclave.send(1, 'and back');
    expect(await a.enclave.waitFor(1)).toBe('and back');
    expect(a.peers.status.certificateExpiration).toBeGreaterThan(Date.now());
  });

  it('do not connect to one whose certificate is of another authority', async () => {
    const { outcome } = await startPair(one, other.issue('foreign-2', [`DNS:${NAME(2)}`]));
    await until('the refusal', () => outcome() === 'TLS_FAILED');
    expect(outcome()).toBe('TLS_FAILED');
  });

  it('do not let one in whose certificate is of another authority', async () => {
    const foreign = { ...other.issue('foreign-1', [`DNS:${NAME(1)}`]), ca: authority.ca };
    const { a, b } = await startPair(foreign, two);
    await until('the refusal', () => b.peers.counters.refused.has('TLS_FAILED'));
    await a.enclave.send(2, 'nowhere');
    expect(b.peers.status.peers.every(({ isConnected }) => !isConnected)).toBe(true);
  });

  it('do not let node 3 in as node 1', async () => {
    const { b, outcome } = await startPair(three, two);
    await until('the refusal', () => outcome() === 'CERTIFICATE_OTHER_NODE');
    expect(b.peers.counters.refused.get('CERTIFICATE_OTHER_NODE')).toBeGreaterThan(0);
    expect(b.enclave.delivered).toEqual([]);
  });

  it('do not take node 3 for node 2', async () => {
    const { outcome } = await startPair(one, three);
    await until('the refusal', () => outcome() === 'CERTIFICATE_OTHER_NODE');
    expect(outcome()).toBe('CERTIFICATE_OTHER_NODE');
  });

  it('do not connect to one without TLS, nor let one in', async () => {
    const plain = await startPair(one, undefined);
    await until('the refusal', () => plain.outcome() === 'TLS_FAILED');
    const secured = await startPair(undefined, two);
    await until('the refusal', () => secured.b.peers.counters.refused.has('TLS_FAILED'));
    expect(secured.b.enclave.delivered).toEqual([]);
  });

  it('let nobody in without a certificate, or with an old version of TLS', async () => {
    const { b } = await startPair(one, two);
    const ca = readFileSync(authority.ca);
    const without = connectTls({ ...b.address, ca, checkServerIdentity: () => undefined });
    without.on('error', () => {});
    without.write(Buffer.concat([helloFrame(1, 2), datagramFrame('anonymous')]));
    await until('it is cut', () => without.destroyed);
    const old = connectTls({
      ...b.address,
      ca,
      cert: readFileSync(one.certificate),
      key: readFileSync(one.key),
      maxVersion: 'TLSv1.2',
      checkServerIdentity: () => undefined,
    });
    old.on('error', () => {});
    await until('it is cut', () => old.destroyed);
    expect(b.enclave.delivered).toEqual([]);
    expect(b.peers.counters.refused.get('TLS_FAILED')).toBe(2);
  });

  it('cut strangers who never finish their handshake', async () => {
    const b = await startNode(2, {
      limits: { greetingTimeoutMs: 200 },
      nodes: [{ node: 1, name: NAME(1) }],
      tls: two,
    });
    const silent = closeLater(await dialRaw(b.address));
    await until('it is cut', () => silent.isEnded());
    expect(b.peers.counters.refused.get('TLS_FAILED')).toBe(1);
  });
});

describe('the files of certificates', () => {
  it('are read anew: connections are made with the new ones, and a half-replaced pair waits', async () => {
    const folder = temporaryFolder();
    const [before, after] = [createAuthority(folder, 'before'), createAuthority(folder, 'after')];
    const lines: string[] = [];
    const open = async (node: number) => {
      const files = { ...before.issue(`now-${node}`, [`DNS:${NAME(node)}`]), ca: `${folder}/ca-${node}.pem` };
      copyFileSync(before.ca, files.ca);
      const next = after.issue(`next-${node}`, [`DNS:${NAME(node)}`]);
      const certificates = closeLater(await Certificates.open(files, (_level, event) => lines.push(event)));
      return { files, next, certificates };
    };
    const one = await open(1);
    const first = one.certificates.current;
    let changes = 0;
    one.certificates.onChange(() => (changes += 1));
    await one.certificates.reload();
    expect(changes).toBe(0);
    copyFileSync(one.next.certificate, one.files.certificate);
    await one.certificates.reload();
    expect(one.certificates.current).toBe(first);
    expect(lines).toEqual(['peers.certificates-not-reloaded']);
    copyFileSync(one.next.key, one.files.key);
    copyFileSync(one.next.ca, one.files.ca);
    await one.certificates.reload();
    expect(changes).toBe(1);
    expect(one.certificates.current.cert).toBe(readFileSync(one.next.certificate, 'utf8'));
    expect(one.certificates.expiresAt).toBeGreaterThan(Date.now());
  });

  const folder = temporaryFolder();
  const authority = createAuthority(folder);
  const good = authority.issue('good', ['DNS:good.example']);
  const another = authority.issue('another', ['DNS:another.example']);
  const garbage = `${folder}/garbage.pem`;
  writeFileSync(garbage, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');

  it.each([
    ['a key of another certificate', { ...good, key: another.key }],
    ['no key', { ...good, key: good.certificate }],
    ['garbage for a certificate', { ...good, certificate: garbage }],
    ['garbage for an authority', { ...good, ca: garbage }],
    ['a file that is not there', { ...good, key: `${folder}/none` }],
  ])('are refused with %s', async (_what, files) => {
    const opened = Certificates.open(files, () => {});
    await expect(opened).rejects.toThrow(ParentOptionError);
    await expect(opened).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});
