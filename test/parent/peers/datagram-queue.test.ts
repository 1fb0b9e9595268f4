import { describe, expect, it } from 'vitest';
import {
  DatagramQueue,
  MAX_WAITING_BYTES,
  MAX_WAITING_DATAGRAMS,
} from '../../../parent/peers/datagram-queue.ts';
import { Admission } from '../../../parent/peers/direct/admission.ts';
import { MAX_GREETING, MAX_GREETING_PER_SOURCE } from '../../../parent/peers/direct/limits.ts';

describe('datagrams that wait', () => {
  const start = () => {
    const drops: [string, number][] = [];
    let now = 0;
    const queue = new DatagramQueue(
      (reason, count) => drops.push([reason, count]),
      () => now,
    );
    return { queue, drops, pass: (ms: number) => (now += ms) };
  };
  const takeAll = (queue: DatagramQueue) => {
    const taken: number[] = [];
    for (let bytes = queue.shift(); bytes !== undefined; bytes = queue.shift()) {
      taken.push(Buffer.from(bytes).readUInt32BE());
    }
    return taken;
  };
  const numbered = (number: number, length = 4) => {
    const bytes = Buffer.alloc(length);
    bytes.writeUInt32BE(number);
    return bytes;
  };

  it('come out in their order', () => {
    const { queue, drops } = start();
    for (let round = 0; round < 5; round += 1) {
      for (let number = 0; number < 300; number += 1) queue.push(numbered(number));
      expect(takeAll(queue)).toEqual(Array.from({ length: 300 }, (_, number) => number));
    }
    expect(drops).toEqual([]);
  });

  it('are as many as may wait: the oldest go', () => {
    const { queue, drops } = start();
    for (let number = 0; number < MAX_WAITING_DATAGRAMS + 3; number += 1) queue.push(numbered(number));
    expect(queue.size).toBe(MAX_WAITING_DATAGRAMS);
    expect(drops).toEqual([
      ['QUEUE_FULL', 1],
      ['QUEUE_FULL', 1],
      ['QUEUE_FULL', 1],
    ]);
    expect(takeAll(queue)[0]).toBe(3);
  });

  it('are no more bytes than may wait', () => {
    const { queue } = start();
    for (let number = 0; number < 200; number += 1) queue.push(numbered(number, 65_535));
    expect(queue.size).toBe(Math.floor(MAX_WAITING_BYTES / (65_535 + 128)));
    expect(takeAll(queue).at(-1)).toBe(199);
  });

  it('go when they have waited too long', () => {
    const { queue, drops, pass } = start();
    queue.push(numbered(1));
    pass(9_000);
    queue.push(numbered(2));
    pass(2_000);
    expect(takeAll(queue)).toEqual([2]);
    expect(drops).toEqual([['STALE', 1]]);
  });
});

describe('places of connections', () => {
  it('are few for strangers, fewer for one address, and free again', () => {
    const admission = new Admission();
    const places = [];
    for (let source = 0; source < 4; source += 1) {
      for (let index = 0; index < MAX_GREETING_PER_SOURCE; index += 1)
        places.push(admission.enter(`${source}`));
      if (source < 3) expect(admission.enter(`${source}`)).toBeUndefined();
    }
    expect(places.length).toBe(MAX_GREETING);
    expect(admission.enter('new')).toBeUndefined();
    places[0]?.leave();
    places[0]?.leave();
    expect(admission.enter('new')).toBeDefined();
    expect(admission.enter('new')).toBeUndefined();
    places[1]?.greeted();
    places[1]?.greeted();
    expect(admission.enter('new')).toBeDefined();
    expect(admission.size).toBe(MAX_GREETING + 1);
    places[1]?.leave();
    expect(admission.size).toBe(MAX_GREETING);
  });

  it('are bounded for those who have greeted too', () => {
    const admission = new Admission();
    let taken = 0;
    for (let place = admission.enter('x'); place !== undefined; place = admission.enter('x')) {
      place.greeted();
      taken += 1;
    }
    expect(taken).toBe(128);
  });
});
