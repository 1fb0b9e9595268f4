import { connect } from 'node:net';
import { createKms, createRecipient } from '../../../enclave/unlock/index.ts';
import { manifestSchema } from '../../../shared/documents/manifest.ts';
import { errorCode } from '../../../shared/errors.ts';

// Sends one attested Decrypt as an enclave does, to a server on a port of this machine, and prints the code that the
// request ends with. An enclave could have been given any environment that this process has.
const [port = '', roots = '', manifest = ''] = process.argv.slice(2);
const kms = createKms({
  manifest: manifestSchema.parse(JSON.parse(manifest)),
  roots: JSON.parse(roots) as string[],
  dial: async () => {
    const socket = connect({ host: '127.0.0.1', port: Number(port) });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return socket;
  },
  credentials: async () => ({
    accessKeyId: 'ASIAPARENT',
    secretAccessKey: 'secret',
    sessionToken: 'token',
    expiration: null,
  }),
  attest: async () => Buffer.from('an attestation document'),
  clockOffsetMs: 0,
});
try {
  await kms.decrypt(Buffer.from('a ciphertext'), await createRecipient());
  process.stdout.write('DECRYPTED');
} catch (error) {
  process.stdout.write(errorCode(error));
}
kms.close();
