import { describe, expect, it } from 'vitest';
import { TransparencyLog } from '../../../enclave/log/index.ts';
import { ControlError } from '../../../shared/protocol/errors.ts';
import {
  base64,
  FakeService,
  isSignedBy,
  makeKey,
  makeLog,
  makeWitness,
  ORIGIN,
  refusing,
  reopen,
  rootByProof,
  rootOf,
  sizeOf,
  textOf,
  vkeyOfType,
} from './fixtures.ts';

const entry = (text: string) => () => new Uint8Array(Buffer.from(text));
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'released',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
const turn = (milliseconds = 20) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function witnessed(threshold: number, names: readonly string[], maxUncosignedSeconds = 0) {
  const witnesses = names.map((name) => makeWitness(name));
  return { witnesses, policy: { threshold, keys: witnesses.map(({ vkey }) => vkey), maxUncosignedSeconds } };
}

describe('a log without witnesses', () => {
  it('releases an entry with a signed tree that contains it', async () => {
    const { log, storage, key } = await makeLog();
    const kept: Uint8Array[] = [];
    for (const count of [1, 2, 5, 1]) {
      const batch = await Promise.all(
        Array.from({ length: count }, (_, number) =>
          log.append((index) => {
            kept.push(bytes(`${index}/${number}`));
            return bytes(`${index}/${number}`);
          }),
        ),
      );
      for (const { index, checkpoint, proof } of batch) {
        const size = sizeOf(checkpoint);
        expect(size).toBe(kept.length);
        expect(textOf(checkpoint)).toBe(`${ORIGIN}\n${size}\n${base64(rootOf(kept))}\n`);
        expect(rootByProof(kept[index] ?? bytes(''), index, size, proof)).toEqual(rootOf(kept));
        expect(isSignedBy(key, checkpoint)).toBe(true);
      }
    }
    expect(storage.entries).toEqual(kept);
  });

  it('makes one commit and one checkpoint of entries that wait together', async () => {
    const { log, storage } = await makeLog();
    const before = storage.commits.length;
    const released = await Promise.all(
      Array.from({ length: 100 }, (_, index) => log.append(entry(`${index}`))),
    );
    expect(storage.commits).toHaveLength(before + 1);
    expect(new Set(released.map(({ checkpoint }) => checkpoint)).size).toBe(1);
  });

  it('forms the next batch while one is being written', async () => {
    const { log, storage } = await makeLog();
    const before = storage.commits.length;
    let first: Promise<unknown> | undefined;
    storage.onCommit = () => undefined;
    first = log.append(entry('a'));
    await new Promise(setImmediate);
    const rest = Array.from({ length: 10 }, () => log.append(entry('b')));
    await Promise.all([first, ...rest]);
    expect(storage.commits.length - before).toBe(2);
  });

  it('splits what one commit does not carry', async () => {
    const { log, storage } = await makeLog();
    const many = await Promise.all(Array.from({ length: 600 }, () => log.append(entry('x'))));
    expect(new Set(many.map(({ index }) => index)).size).toBe(600);
    const large = Array.from({ length: 100 }, () => log.append(() => new Uint8Array(65_535)));
    await Promise.all(large);
    expect(storage.entries).toHaveLength(700);
  });

  it('goes on from the sealed size and frontier', async () => {
    const { log, storage, key } = await makeLog();
    await Promise.all(['a', 'b', 'c'].map((text) => log.append(entry(text))));
    const again = new TransparencyLog({
      store: await reopen(storage),
      origin: ORIGIN,
      key,
      client: new FakeService(),
      witnesses: null,
    });
    const { index, checkpoint } = await again.append(entry('d'));
    expect(index).toBe(3);
    expect(textOf(checkpoint)).toContain(base64(rootOf(['a', 'b', 'c', 'd'].map(bytes))));
  });

  it('hands the newest checkpoint to the parent, and lets nothing wait for it', async () => {
    const { log, service } = await makeLog();
    service.respond = () => new Promise(() => undefined);
    await log.append(entry('a'));
    await log.append(entry('b'));
    expect(service.published.length).toBeLessThanOrEqual(2);
    expect(service.published[0]?.wanted).toBe(0);
  });

  it('has the keys that other programs know: a vkey by its name', async () => {
    const { log, key } = await makeLog();
    expect(log.vkey).toBe(vkeyOfType(ORIGIN, 1, key));
    expect(log.witnesses).toBeNull();
  });
});

describe('state that goes with entries', () => {
  it('is in the commit of the entry, changes that making the entry causes included', async () => {
    const { log, storage } = await makeLog();
    let dirty: string | undefined;
    log.addSource({
      collectChanges() {
        const changes = dirty === undefined ? [] : [{ table: 'state', id: 'one', plaintext: bytes(dirty) }];
        dirty = undefined;
        return changes;
      },
    });
    await log.append(() => {
      dirty = 'charged';
      return bytes('a');
    });
    const store = await reopen(storage);
    expect(await store.read({ table: 'state', id: 'one' })).toEqual(bytes('charged'));
    expect(store.state.log.size).toBe(1);
  });

  it('is not lost with a commit that found no room, and the newest change of a record counts', async () => {
    const { log, storage } = await makeLog();
    const values = ['first', 'second'];
    log.addSource({
      collectChanges: () =>
        [{ table: 'state', id: 'one', plaintext: bytes(values.shift() ?? 'none') }].slice(0, 1),
    });
    let other: string | undefined = 'kept';
    log.addSource({
      collectChanges() {
        const changes = other === undefined ? [] : [{ table: 'state', id: 'two', plaintext: bytes(other) }];
        other = undefined;
        return changes;
      },
    });
    storage.onCommit = () => {
      throw new ControlError('CONTROL_STORE_FULL', 'as the test has it');
    };
    expect(await codeOf(log.append(entry('a')))).toBe('STORE_FULL');
    storage.onCommit = () => undefined;
    expect((await log.append(entry('b'))).index).toBe(0);
    const store = await reopen(storage);
    expect(await store.read({ table: 'state', id: 'one' })).toEqual(bytes('second'));
    expect(await store.read({ table: 'state', id: 'two' })).toEqual(bytes('kept'));
  });

  it.each([
    ['records', 8192, 100],
    ['bytes', 40, 200 * 1024],
  ])('is sealed in several commits where it has more %s than one carries', async (_, count, length) => {
    const { log, storage } = await makeLog();
    let changes = Array.from({ length: count }, (_, number) => ({
      table: 'state',
      id: `record-${number}`,
      plaintext: new Uint8Array(length).fill(number),
    }));
    log.addSource({
      collectChanges() {
        const collected = changes;
        changes = [];
        return collected;
      },
    });
    expect((await log.append(entry('a'))).index).toBe(0);
    expect((await log.append(entry('b'))).index).toBe(1);
    const store = await reopen(storage);
    expect(store.size).toBe(count);
    const last = count - 1;
    expect(await store.read({ table: 'state', id: `record-${last}` })).toEqual(
      new Uint8Array(length).fill(last),
    );
  });

  it('releases nothing before the last of several commits, and writes what is left with the next entry', async () => {
    const { log, storage } = await makeLog();
    let changes = Array.from({ length: 2000 }, (_, number) => ({
      table: 'state',
      id: `record-${number}`,
      plaintext: bytes('x'),
    }));
    log.addSource({
      collectChanges() {
        const collected = changes;
        changes = [];
        return collected;
      },
    });
    let commits = 0;
    storage.onCommit = () => {
      commits += 1;
      if (commits === 2) throw new ControlError('CONTROL_STORE_FULL', 'as the test has it');
    };
    expect(await codeOf(log.append(entry('a')))).toBe('STORE_FULL');
    expect(storage.entries).toEqual([]);
    expect((await log.append(entry('b'))).index).toBe(0);
    expect((await reopen(storage)).size).toBe(2000);
  });
});

describe('an entry is refused', () => {
  it('alone, where it cannot be made or is too long', async () => {
    const { log, storage } = await makeLog();
    const results = await Promise.allSettled([
      log.append(entry('a')),
      log.append(() => {
        throw new TypeError('as the test has it');
      }),
      log.append(() => new Uint8Array(65_536)),
      log.append(entry('b')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(storage.entries).toEqual([bytes('a'), bytes('b')]);
  });

  it.each([
    ['STORE_TAKEN', new ControlError('CONTROL_STORE_CONFLICT', '')],
    ['STORE_UNCERTAIN', new ControlError('CONTROL_COMMIT_UNRESOLVED', '')],
    ['STORE_UNCERTAIN', new ControlError('CONTROL_STORE_FAILED', '')],
  ])('with all others, for good, after a commit that says %s', async (code, error) => {
    const { log, storage, service } = await makeLog();
    await turn();
    const handed = service.published.length;
    storage.onCommit = () => {
      throw error;
    };
    const codes = await Promise.all([log.append(entry('a')), log.append(entry('b'))].map(codeOf));
    expect(codes).toEqual([code, code]);
    storage.onCommit = () => undefined;
    expect(await codeOf(log.append(entry('c')))).toBe(code);
    expect(await codeOf(log.failed)).toBe(code);
    await turn();
    expect(service.published).toHaveLength(handed);
  });

  it('where too many wait', async () => {
    const { policy } = witnessed(1, ['w.example/1']);
    const { log } = await makeLog({ witnesses: policy });
    const waiting = Array.from({ length: 4096 }, () => codeOf(log.append(entry('a'))));
    expect(await codeOf(log.append(entry('b')))).toBe('LOG_OVERLOADED');
    log.close();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['LOG_CLOSED']));
  });

  it('once the log is closed, and so is what waits', async () => {
    const { log } = await makeLog();
    const waiting = codeOf(log.append(entry('a')));
    log.close();
    expect(await waiting).toBe('LOG_CLOSED');
    expect(await codeOf(log.append(entry('b')))).toBe('LOG_CLOSED');
  });
});

describe('a log with witnesses', () => {
  it('releases nothing before enough of them have cosigned, and hands out their lines', async () => {
    const { witnesses, policy } = witnessed(2, ['w.example/1', 'w.example/2', 'w.example/3']);
    const { log, service } = await makeLog({ witnesses: policy });
    expect(log.witnesses).toEqual({ threshold: 2, of: 3 });
    const gate = Promise.withResolvers<void>();
    service.respond = async ({ bytes: note }) => {
      await gate.promise;
      return { lines: witnesses.slice(0, 2).map((one) => one.cosign(textOf(note))) };
    };
    let isReleased = false;
    const appended = log.append(entry('a')).then((result) => {
      isReleased = true;
      return result;
    });
    await turn();
    expect(isReleased).toBe(false);
    expect(service.published).toMatchObject([{ wanted: 2, key: log.vkey }]);
    gate.resolve();
    const { checkpoint } = await appended;
    for (const one of witnesses.slice(0, 2)) expect(checkpoint).toContain(one.cosign(textOf(checkpoint)));
  });

  it.each<[string, (text: string, kept: string[]) => string[]]>([
    ['nothing', () => []],
    ['one line too few', (text) => [first.cosign(text)]],
    ['the same line twice', (text) => [first.cosign(text), first.cosign(text)]],
    ['two lines of one witness', (text) => [first.cosign(text), first.cosign(text, { time: 1_700_000_001 })]],
    ['a line of a stranger', (text) => [first.cosign(text), stranger.cosign(text)]],
    [
      'a stranger under the name of a witness',
      (text) => [first.cosign(text), stranger.cosign(text, { name: 'w.example/2' })],
    ],
    [
      'a witness under the name of another',
      (text) => [first.cosign(text), first.cosign(text, { name: 'w.example/2' })],
    ],
    ['a signature of the type of a log', (text) => [first.cosign(text), second.cosign(text, { type: 1 })]],
    ['a cosignature without a time', (text) => [first.cosign(text), second.cosign(text, { time: 0 })]],
    [
      'cosignatures of another tree',
      (text) => [first, second].map((one) => one.cosign(text.replace('\n1\n', '\n2\n'))),
    ],
    ['cosignatures of another log', (text) => [first, second].map((one) => one.cosign(`x${text}`))],
    [
      'cosignatures of the text with an extension line',
      (text) => [first, second].map((one) => one.cosign(`${text}x\n`)),
    ],
    ['lines that are none', () => ['nonsense', '— w.example/1 AAAA\n', '', '\n', '— w.example/2\n']],
  ])('releases nothing for %s', async (_, makeLines) => {
    const policy = { threshold: 2, keys: [first.vkey, second.vkey], maxUncosignedSeconds: 0 };
    const { log, service, storage } = await makeLog({ witnesses: policy, cosignedWithinMs: 150 });
    service.respond = ({ bytes: note }) => ({ lines: makeLines(textOf(note), []) });
    expect(await codeOf(log.append(entry('a')))).toBe('LOG_NOT_COSIGNED');
    expect(storage.entries).toHaveLength(1);
    service.respond = ({ bytes: note }) => ({
      lines: [first, second].map((one) => one.cosign(textOf(note))),
    });
    expect((await log.append(entry('b'))).index).toBe(1);
    log.close();
  });

  it('releases nothing for cosignatures that were kept of an earlier tree', async () => {
    const policy = { threshold: 1, keys: [first.vkey], maxUncosignedSeconds: 0 };
    const { log, service } = await makeLog({ witnesses: policy, cosignedWithinMs: 150 });
    let kept = '';
    service.respond = ({ bytes: note }) => ({ lines: [(kept = first.cosign(textOf(note)))] });
    await log.append(entry('a'));
    service.respond = () => ({ lines: [kept] });
    expect(await codeOf(log.append(entry('b')))).toBe('LOG_NOT_COSIGNED');
    log.close();
  });

  it('counts a key once, whatever names it has', () => {
    const key = makeKey();
    const keys = ['w.example/1', 'w.example/2'].map((name) => makeWitness(name, key).vkey);
    expect(
      () => new TransparencyLog({ ...partial(), witnesses: { threshold: 2, keys, maxUncosignedSeconds: 0 } }),
    ).toThrow(RangeError);
  });

  it('takes no key of a log for that of a witness', () => {
    const keys = [vkeyOfType('w.example/1', 1, makeKey())];
    expect(
      () => new TransparencyLog({ ...partial(), witnesses: { threshold: 1, keys, maxUncosignedSeconds: 0 } }),
    ).toThrow(expect.objectContaining({ code: 'VERIFIER_KEY_MALFORMED' }));
  });

  it('serves whoever waits by a later tree, with a proof for that one', async () => {
    const policy = { threshold: 1, keys: [first.vkey], maxUncosignedSeconds: 0 };
    const { log, service } = await makeLog({ witnesses: policy });
    const gate = Promise.withResolvers<void>();
    service.respond = async ({ bytes: note }, number) => {
      if (number > 1) return { lines: [first.cosign(textOf(note))] };
      await gate.promise;
      return { refusals: refusing('UNREACHABLE', 'w.example/1') };
    };
    const waiting = [log.append(entry('a'))];
    await turn();
    waiting.push(log.append(entry('b')), log.append(entry('c')));
    await turn();
    gate.resolve();
    const released = await Promise.all(waiting);
    const kept = ['a', 'b', 'c'].map(bytes);
    for (const { index, checkpoint, proof } of released) {
      expect(sizeOf(checkpoint)).toBe(3);
      expect(rootByProof(kept[index] ?? bytes(''), index, 3, proof)).toEqual(rootOf(kept));
    }
  });

  it('writes further batches while witnesses take their time', async () => {
    const policy = { threshold: 1, keys: [first.vkey], maxUncosignedSeconds: 0 };
    const { log, service, storage } = await makeLog({ witnesses: policy });
    const gate = Promise.withResolvers<void>();
    service.respond = async ({ bytes: note }) => {
      await gate.promise;
      return { lines: [first.cosign(textOf(note))] };
    };
    const waiting: Promise<unknown>[] = [];
    for (const text of ['a', 'b', 'c']) {
      waiting.push(log.append(entry(text)));
      await turn();
    }
    expect(storage.entries).toHaveLength(3);
    gate.resolve();
    await Promise.all(waiting);
    expect(service.published.map(({ bytes: note }) => sizeOf(note))).toEqual([1, 3]);
  });

  it('proves an entry after others have expired before it', async () => {
    const policy = { threshold: 1, keys: [first.vkey], maxUncosignedSeconds: 0 };
    const { log, service } = await makeLog({ witnesses: policy, cosignedWithinMs: 60 });
    expect(await codeOf(log.append(entry('a')))).toBe('LOG_NOT_COSIGNED');
    expect(await codeOf(log.append(entry('b')))).toBe('LOG_NOT_COSIGNED');
    service.respond = ({ bytes: note }) => ({ lines: [first.cosign(textOf(note))] });
    const { index, proof, checkpoint } = await log.append(entry('c'));
    expect(rootByProof(bytes('c'), index, sizeOf(checkpoint), proof)).toEqual(
      rootOf(['a', 'b', 'c'].map(bytes)),
    );
    log.close();
  });

  it('goes on for as long as the configuration lets it after the last cosigned tree, and no longer', async () => {
    const policy = { threshold: 1, keys: [first.vkey], maxUncosignedSeconds: 60 };
    let now = 1_000_000;
    const { log, service } = await makeLog({
      witnesses: policy,
      cosignedWithinMs: 400,
      monotonic: () => now,
    });
    service.respond = ({ bytes: note }) => ({ lines: [first.cosign(textOf(note))] });
    await log.append(entry('a'));
    service.respond = () => ({ refusals: refusing('UNREACHABLE', 'w.example/1') });
    now += 59_000;
    const uncosigned = await log.append(entry('b'));
    expect(uncosigned.checkpoint.split('\n— ')).toHaveLength(2);
    expect((await log.append(entry('c'))).index).toBe(2);
    now += 1_000;
    expect(await codeOf(log.append(entry('d')))).toBe('LOG_NOT_COSIGNED');
    service.respond = ({ bytes: note }) => ({ lines: [first.cosign(textOf(note))] });
    await turn(3_000);
    expect((await log.append(entry('e'))).checkpoint).toContain('w.example/1');
    log.close();
  });

  it('goes on uncosigned for no time where it was never cosigned', async () => {
    const policy = { threshold: 1, keys: [first.vkey], maxUncosignedSeconds: 60 };
    const { log } = await makeLog({ witnesses: policy, cosignedWithinMs: 100 });
    expect(await codeOf(log.append(entry('a')))).toBe('LOG_NOT_COSIGNED');
    log.close();
  });
});

const first = makeWitness('w.example/1');
const second = makeWitness('w.example/2');
const stranger = makeWitness('stranger.example/1');

function partial() {
  const state = {
    order: '',
    configuration: { version: 1, digest: new Uint8Array() },
    boots: 1,
    log: { size: 0, frontier: [] },
  };
  return {
    store: { state, commit: () => Promise.resolve() },
    origin: ORIGIN,
    key: makeKey(),
    client: new FakeService(),
  };
}

describe('a source whose changes are bound to their entries', () => {
  const put = (id: string, length = 8) => ({ table: 'pool-keys', id, plaintext: new Uint8Array(length) });

  it('is sealed in the commit of the entry that tells of it, however much else has changed', async () => {
    const { log, storage } = await makeLog();
    const bound: ReturnType<typeof put>[] = [];
    log.addSource({
      collectChanges: () =>
        Array.from({ length: 700 }, (_, index) => ({ ...put(`${index}`), table: 'windows' })),
    });
    log.addSource({
      isBound: true,
      collectChanges: () => bound.splice(0),
      get waiting() {
        return {
          count: bound.length,
          bytes: bound.reduce((sum, { plaintext }) => sum + plaintext.length, 0),
        };
      },
    });
    const before = storage.commits.length;
    const entries = Array.from({ length: 200 }, (_, index) =>
      log.append(() => {
        for (let part = 0; part < 3; part += 1) bound.push(put(`key-${index}.${part}`, 4000));
        return bytes(`key-${index}`);
      }),
    );
    const sizes: number[] = [];
    storage.onCommitted = () => sizes.push(storage.entries.length);
    await Promise.all(entries);
    // A record of a key is written by no commit that has not its entry, too.
    let told = 0;
    for (const [index, writes] of storage.commits.slice(before).entries()) {
      told = sizes[index] ?? told;
      const keys = writes.flatMap(({ table, id }) =>
        table === 'pool-keys' ? [Number(id.slice(4).split('.')[0])] : [],
      );
      for (const key of keys) expect(key).toBeLessThan(told);
    }
    expect(storage.records.size).toBeGreaterThan(1300);
  });

  it('is sealed without an entry where that is asked for', async () => {
    const { log, storage, service } = await makeLog();
    await log.append(entry('first'));
    const changes = [put('one')];
    log.addSource({ collectChanges: () => changes.splice(0) });
    const [size, published] = [storage.entries.length, service.published.length];
    await log.seal();
    expect(storage.records.has('pool-keys/one')).toBe(true);
    expect([storage.entries.length, service.published.length]).toEqual([size, published]);
    await log.seal();
    log.close();
    expect(await codeOf(log.seal())).toBe('LOG_CLOSED');
  });

  it('tells who waits for its seal that the store is gone', async () => {
    const { log, storage } = await makeLog();
    log.failed.catch(() => undefined);
    log.addSource({ collectChanges: () => [put('one')] });
    storage.onCommit = () => {
      throw new ControlError('CONTROL_STORE_CONFLICT', 'another enclave');
    };
    expect(await codeOf(log.seal())).toBe('STORE_TAKEN');
  });
});
