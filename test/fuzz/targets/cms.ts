import { parseEnvelopedData } from '../../../enclave/unlock/cms.ts';
import { UnlockError } from '../../../enclave/unlock/errors.ts';
import { readEnvelopes } from '../seeds.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

/** CiphertextForRecipient: what is taken has the shape that decryption relies on. */
export const target: FuzzTarget = {
  maxBytes: 6144,
  seeds: readEnvelopes,
  fuzz(data) {
    let envelope;
    try {
      envelope = parseEnvelopedData(data);
    } catch (error) {
      if (error instanceof UnlockError && error.code === 'CMS_MALFORMED') return;
      throw error;
    }
    assertThat(envelope.iv.length === 16, 'an IV of another length than 16');
    assertThat(envelope.ciphertext.length > 0, 'an empty ciphertext');
    assertThat(envelope.ciphertext.length % 16 === 0, 'a ciphertext that is not whole blocks');
  },
};
