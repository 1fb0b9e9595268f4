import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { holdShare } from '../../../enclave/frost/held-share.ts';
import { aggregate, commit, decodeGroup, type FrostGroup, nobleSuites } from '../../../shared/frost/index.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function takeRandomness(...values: string[]) {
  return () => hex(values.shift() ?? '');
}

/** Two signers of three over the message "test": RFC 9591 E.1, and the same form for the taproot variant. */
const VECTORS = [
  {
    name: 'RFC 9591 E.1, FROST(Ed25519, SHA-512)',
    type: 'frost-ed25519',
    commitments: [
      hex('15d21ccd7ee42959562fc8aa63224c8851fb3ec85a3faf66040d380fb9738673'),
      ed25519.Point.BASE.multiply(
        ed25519.Point.Fn.fromBytes(hex('178199860edd8c62f5212ee91eff1295d0d670ab4ed4506866bae57e7030b204')),
      ).toBytes(),
    ],
    signers: [
      {
        participant: 1,
        share: '929dcc590407aae7d388761cddb0c0db6f5627aea8e217f4a033f2ec83d93509',
        randomness: [
          '06894e04ee4aceec8619d5f6a0a180e2f47194d2ac306cba586b555e7c48d765',
          '40d6f879ff22e22409f7d808fed81f37118e7d3e4af71c0f44c60207553bcbce',
        ],
        hidingNonce: 'ef6599dea4010581a72b3018c37c29a4341d7cab0773e8687ca74dcf14009701',
        bindingNonce: '2baadfa0c69aa60d517ad4751de372a73f9d89cfc39026601f18458cdec12605',
        hiding: '9b116f12589591a7e23fe8048059ab10ab48e67739e7a2fb3890f61a7999478c',
        binding: 'c39b66b7dfccb122da24f13587f9a08c4347cae70046ca15169adf90ba65854d',
        signatureShare: '60997f0142e43e8005027fe5ab7447dac00d22c2d7ddd9571a02613ba7d81c08',
      },
      {
        participant: 3,
        share: 'd3cb090a075eb154e82fdb4b3cb507f110040905468bb9c46da8bdea643a9a02',
        randomness: [
          'fa5d950626782aade9e33fa781376d4888c2d1de7c37518bc248eb818ed0cdde',
          '7459a4d14ded0e365b085271be8dc6600d5b88f3978a2174297ffa32001a5afc',
        ],
        hidingNonce: '80f8d9a4b8f9366e1a0b618107c907cd3ee29fa9bb40b4691cc1bde696240005',
        bindingNonce: '2610b664a5a187b4855e87d2ff485bebdf043dc2f161fcd4854cd01dc0276404',
        hiding: 'e679a2a971748ccfaabead4dbe8ac1def61275c186c79d471e1e45091ad1e687',
        binding: 'b2a942478453fabb6bd3181c56ba657413447b4136e1daea2484d396d1a516b3',
        signatureShare: '79390e78bc59699c7af831f8f5fb478ec871a85f561a8641b5670ac4443f720f',
      },
    ],
    signature:
      '154fb694ee7fcb37bf2381d94488c2a84b03b3352ad085feca81ad26d45852b7' +
      'ecfe971ce4da95c4a95db93ac376b053897fca212ef85f99cf696bffeb178f07',
  },
  {
    name: 'FROST(secp256k1, SHA-256) with taproot, as the Zcash Foundation publishes it',
    type: 'frost-secp256k1-taproot',
    commitments: [
      hex('02f37c34b66ced1fb51c34a90bdae006901f10625cc06c4f64663b0eae87d87b4f'),
      secp256k1.Point.BASE.multiply(
        secp256k1.Point.Fn.fromBytes(hex('fbf85eadae3058ea14f19148bb72b45e4399c0b16028acaf0395c9b03c823579')),
      ).toBytes(),
    ],
    signers: [
      {
        participant: 1,
        share: '08f89ffe80ac94dcb920c26f3f46140bfc7f95b493f8310f5fc1ea2b01f4254c',
        randomness: [
          'bda8e748e599187762cff956f03dc6ea13fc8e04491a0427b7e6e78600f41c52',
          '2ca682429bf05df435b9927b8edb1d748278f3e42fa11ef358e49bbf4a1b780d',
        ],
        hidingNonce: '58cd30723da418156fe9b71870a118e0bbc3d0353ba7c760f9bbc8d60c3dab29',
        bindingNonce: 'c22289cc43b82ed938d4b2288efb7381c405fb59f5d43bddc543d98838c60b19',
        hiding: '024e34ab3a7ad6b4563dbfe97e9f1206b3378cceb2502491ed0fb709765e1e5ba8',
        binding: '03d4b1f3a61dc67e64dfb4abfccabb712f1f6914a6ec9b67749d171370453192cb',
        signatureShare: '2ffc305d1694fd84108b84d98306a1af807c6ad9bc3a2d8e448a09643202a15b',
      },
      {
        participant: 3,
        share: '00e95d59dd0d46b0e303e500b62b7ccb0e555d49f5b849f5e748c071da8c0dbc',
        randomness: [
          '70818dd5170672c4a4285fd593d4f222417f941f3118e1244955e7a1098a35d8',
          '74ca2da071ed4a2a6cad5087d6758b48a558ab5861c61117fee05757e4b1309e',
        ],
        hidingNonce: 'a4109db0a5db30fac8cd1f4e272ff02e08258928f067d82c63d97279b114514a',
        bindingNonce: 'ce3837bd963f0d81002279f7bb9eefceac64435f638885c2beae6f1dd881fd9e',
        hiding: '02d768658a1b94225645401a1512b803657770c7a21bf9ccccccfa09930a44951b',
        binding: '034570a4e5217ee8770a28401185f50b4fce4d3f3933a3af9df7ab39b42381d0eb',
        signatureShare: 'a8c392566ea29e852b4080a028bf5547166c87e703e4fb7136d4ebef65f99b3f',
      },
    ],
    signature:
      '0c776a9516a77808b70a31e74f1464814a6fcf897fb3a6bd84c7a9a9a7a5bcb8' +
      'd8bfc2b385379c093bcc0579abc5f6f696e8f2c0c01f28ff7b5ef55397fc3c9a',
  },
] as const;

describe.each(VECTORS)('$name', ({ type, commitments, signers, signature }) => {
  const group: FrostGroup = { type, epoch: 0, threshold: 2, signers: [1, 2, 3], commitments };
  const list = signers.map(({ participant, hiding, binding }) => ({ participant, hiding, binding }));
  const message = Buffer.from('test');

  it('makes the nonces and commitments of round one', () => {
    for (const signer of signers) {
      const random = takeRandomness(...signer.randomness);
      const made = commit(nobleSuites[type], signer.participant, hex(signer.share), random);
      expect(text(made.hiding)).toBe(signer.hidingNonce);
      expect(text(made.binding)).toBe(signer.bindingNonce);
      expect(text(made.commitments.hiding)).toBe(signer.hiding);
      expect(text(made.commitments.binding)).toBe(signer.binding);
    }
  });

  it('makes the signature shares of round two and clears the nonces', () => {
    for (const signer of signers) {
      const share = holdShare(group, signer.participant, hex(signer.share));
      const { participant } = signer;
      const own = { participant, hiding: hex(signer.hiding), binding: hex(signer.binding) };
      const used = { hiding: hex(signer.hidingNonce), binding: hex(signer.bindingNonce), commitments: own };
      const payload = { kind: 'message', message } as const;
      const commitments = list.map((one) => ({
        participant: one.participant,
        hiding: hex(one.hiding),
        binding: hex(one.binding),
      }));
      const round = { nonces: used, commitments };
      const made = share.sign({ algorithm: type, payload, round });
      expect(made.participant).toBe(signer.participant);
      expect(text(made.signatureShare)).toBe(signer.signatureShare);
      expect([text(used.hiding), text(used.binding)]).toEqual(['00'.repeat(32), '00'.repeat(32)]);
    }
  });

  it('aggregates to the group signature', () => {
    const commitments = list.map(({ participant, hiding, binding }) => ({
      participant,
      hiding: hex(hiding),
      binding: hex(binding),
    }));
    const shares = signers.map(({ participant, signatureShare }) => ({
      participant,
      signatureShare: hex(signatureShare),
    }));
    const made = aggregate(decodeGroup(nobleSuites[type], group), commitments, message, shares);
    expect(text(made)).toBe(signature);
  });
});
