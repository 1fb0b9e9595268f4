import { describe, expect, it } from 'vitest';
import { type Algorithm } from '../../../shared/algorithms.ts';
import type { Secp256k1Key } from '../../../enclave/keys/curves.ts';
import { restoreKey, type SoleKeyType } from '../../../enclave/keys/index.ts';
import type { SigningInput } from '../../../policy/transactions/index.ts';
import { signBip340 } from '../../../enclave/keys/secp256k1.ts';
import { listCurves } from './every-curves.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const TYPE_BYTES: Record<SoleKeyType, string> = {
  ed25519: '01',
  p256: '02',
  secp256k1: '03',
  p384: '04',
  'bls12-381': '05',
};

// Index, secret key, public key, auxiliary randomness, message, signature: the signing rows of BIP-340's table.
const BIP340 = [
  [
    0,
    '0000000000000000000000000000000000000000000000000000000000000003',
    'f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    'e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca821525f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0',
  ],
  [
    1,
    'b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef',
    'dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659',
    '0000000000000000000000000000000000000000000000000000000000000001',
    '243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89',
    '6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de33418906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a',
  ],
  [
    2,
    'c90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b14e5c9',
    'dd308afec5777e13121fa72b9cc1b7cc0139715309b086c960e18fd969774eb8',
    'c87aa53824b4d7ae2eb035a2b5bbbccc080e76cdc6d1692c4b0b62d798e6d906',
    '7e2d58d8b3bcdf1abadec7829054f90dda9805aab56c77333024b9d0a508b75c',
    '5831aaeed7b44bb74e5eab94ba9d4294c49bcf2a60728d8b4c200f50dd313c1bab745879a5ad954a72c45a91c3a51d3c7adea98d82f8481e0e1e03674a6f3fb7',
  ],
  [
    3,
    '0b432b2677937381aef05bb02a66ecd012773062cf3fa2549e44f58ed2401710',
    '25d1dff95105f5253c4022f628a996ad3a0d95fbf21d468a1b33f8c160d8f517',
    'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    '7eb0509757e246f19449885651611cb965ecc1a187dd51b64fda1edc9637d5ec97582b9cb13db3933705b32ba982af5af25fd78881ebb32771fc5922efc66ea3',
  ],
] as const;

// Input, internal secret, merkle root, signature hash, output key, signature: BIP-341's key-path spending.
const BIP341 = [
  [
    0,
    '6b973d88838f27366ed61c9ad6367663045cb456e28335c109e30717ae0c6baa',
    '',
    '2514a6272f85cfa0f45eb907fcb0d121b808ed37c6ea160a5a9046ed5526d555',
    '53a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343',
    'ed7c1647cb97379e76892be0cacff57ec4a7102aa24296ca39af7541246d8ff14d38958d4cc1e2e478e4d4a764bbfd835b16d4e314b72937b29833060b87276c',
  ],
  [
    1,
    '1e4da49f6aaf4e5cd175fe08a32bb5cb4863d963921255f33d3bc31e1343907f',
    '5b75adecf53548f3ec6ad7d78383bf84cc57b55a3127c72b9a2481752dd88b21',
    '325a644af47e8a5a2591cda0ab0723978537318f10e6a63d4eed783b96a71a4d',
    '147c9c57132f6e7ecddba9800bb0c4449251c92a1e60371ee77557b6620f3ea3',
    '052aedffc554b41f52b521071793a6b88d6dbca9dba94cf34c83696de0c1ec35ca9c5ed4ab28059bd606a4f3a657eec0bb96661d42921b5f50a95ad33675b54f',
  ],
  [
    3,
    'd3c7af07da2d54f7a7735d3d0fc4f0a73164db638b2f2f7c43f711f6d4aa7e64',
    'c525714a7f49c28aedbbba78c005931a81c234b2f6c99a73e4d06082adc8bf2b',
    'bf013ea93474aa67815b1b6cc441d23b64fa310911d991e713cd34c7f5d46669',
    'e4d810fd50586274face62b8a807eb9719cef49c04177cc6b76a9a4251d5450e',
    'ff45f742a876139946a149ab4d9185574b98dc919d2eb6754f8abaa59d18b025637a3aa043b91817739554f4ed2026cf8022dbd83e351ce1fabc272841d2510a',
  ],
  [
    4,
    'f36bb07a11e469ce941d16b63b11b9b9120a84d9d87cff2c84a8d4affb438f4e',
    'ccbd66c6f7e8fdab47b3a486f59d28262be857f30d4773f2d5ea47f7761ce0e2',
    '4f900a0bae3f1446fd48490c2958b5a023228f01661cda3496a11da502a7f7ef',
    '91b64d5324723a985170e4dc5a0f84c041804f2cd12660fa5dec09fc21783605',
    'b4010dd48a617db09926f729e79c33ae0b4e94b79f04a1ae93ede6315eb3669de185a17d2b0ac9ee09fd4c64b678a0b61a0a86fa888a273c8511be83bfd6810f',
  ],
  [
    6,
    '415cfe9c15d9cea27d8104d5517c06e9de48e2f986b695e4f5ffebf230e725d8',
    '2f6b2c5397b6d68ca18e09a3f05161668ffe93a988582d55c6f07bd5b3329def',
    '15f25c298eb5cdc7eb1d638dd2d45c97c4c59dcaec6679cfc16ad84f30876b85',
    '75169f4001aa68f15bbed28b218df1d0a62cbbcf1188c6665110c293c907b831',
    'a3785919a2ce3c4ce26f298c3d51619bc474ae24014bcdd31328cd8cfbab2eff3395fa0a16fe5f486d12f22a9cedded5ae74feb4bbe5351346508c5405bcfee0',
  ],
  [
    7,
    'c7b0e81f0a9a0b0499e112279d718cca98e79a12e2f137c72ae5b213aad0d103',
    '6c2dc106ab816b73f9d07e3cd1ef2c8c1256f519748e0813e4edd2405d277bef',
    'cd292de50313804dabe4685e83f923d2969577191a3e1d2882220dca88cbeb10',
    '712447206d7a5238acc7ff53fbe94a3b64539ad291c7cdbc490b7577e4b17df5',
    'ea0c6ba90763c2d3a296ad82ba45881abb4f426b3f87af162dd24d5109edc1cdd11915095ba47c3a9963dc1e6c432939872bc49212fe34c632cd3ab9fed429c4',
  ],
  [
    8,
    '77863416be0d0665e517e1c375fd6f75839544eca553675ef7fdf4949518ebaa',
    'ab179431c28d3b68fb798957faf5497d69c883c6fb1e1cd9f81483d87bac90cc',
    'cccb739eca6c13a8a89e6e5cd317ffe55669bbda23f2fd37b0f18755e008edd2',
    '77e30a5522dd9f894c3f8b8bd4c4b2cf82ca7da8a3ea6a239655c39c050ab220',
    'bbc9584a11074e83bc8c6759ec55401f0ae7b03ef290c3139814f545b58a9f8127258000874f44bc46db7646322107d4d86aec8e73b8719a61fff761d75b5dd9',
  ],
] as const;

describe.each(listCurves())('by $name,', ({ curves }) => {
  function signWith(type: SoleKeyType, secret: string, algorithm: Algorithm, payload: SigningInput) {
    return restoreKey(curves, type, hex(`01${TYPE_BYTES[type]}${secret}`)).sign({ algorithm, payload });
  }

  function hold(secret: string): Secp256k1Key {
    const key = curves.holdSecp256k1(hex(secret));
    if (key === undefined) throw new Error('no scalar');
    return key;
  }

  describe('published vectors', () => {
    it('signs RFC 8032 7.1 test 2 with Ed25519', () => {
      const { signature, publicKey } = signWith(
        'ed25519',
        '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
        'ed25519',
        { kind: 'message', message: hex('72') },
      );
      expect(text(publicKey)).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
      expect(text(signature)).toBe(
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
          '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
      );
    });

    it('signs the digest of RFC 6979 A.2.5 with P-256, with the lower s', () => {
      const { signature } = signWith(
        'p256',
        'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721',
        'ecdsa-p256-sha256',
        { kind: 'digest', digest: hex('af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf') },
      );
      const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
      const s = order - 0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8n;
      expect(text(signature)).toBe(
        `efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716${s.toString(16).padStart(64, '0')}`,
      );
    });

    it('signs the message "test" of RFC 6979 A.2.5 with P-256, by the same nonce as its digest', () => {
      const { signature } = signWith(
        'p256',
        'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721',
        'ecdsa-p256-sha256',
        { kind: 'message', message: Buffer.from('test') },
      );
      expect(text(signature)).toBe(
        'f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367' +
          '019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083',
      );
    });

    it('signs the transaction hash of EIP-155 with secp256k1', () => {
      const { signature, recovery } = signWith('secp256k1', '46'.repeat(32), 'ecdsa-secp256k1', {
        kind: 'digest',
        digest: hex('daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53'),
      });
      expect(text(signature)).toBe(
        '28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276' +
          '67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
      );
      expect(recovery).toBe(0);
    });
  });

  describe('BIP-340', () => {
    it.each(BIP340)('signs vector %i', (_index, secret, publicKey, auxiliary, message, signature) => {
      const signed = signBip340(hold(secret), { kind: 'digest', digest: hex(message) }, hex(auxiliary));
      expect(text(signed.signature)).toBe(signature);
      expect(text(signed.publicKey)).toBe(publicKey);
    });
  });

  describe('BIP-341 key path', () => {
    it.each(BIP341)('signs input %i', (_input, secret, merkleRoot, sighash, outputKey, signature) => {
      const signed = signBip340(
        hold(secret),
        { kind: 'taproot-sighash', digest: hex(sighash), merkleRoot: hex(merkleRoot) },
        new Uint8Array(32),
      );
      expect(text(signed.publicKey)).toBe(outputKey);
      expect(text(signed.signature)).toBe(signature);
    });
  });
});
