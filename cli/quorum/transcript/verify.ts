import { parsePcrFile } from '../../../attestation/index.ts';
import { verifyChain, type VerifiedTranscript, verifyTranscript } from '../../../audit/transcript/index.ts';
import { nobleSuites } from '../../../shared/frost/index.ts';
import { type Command, readInput } from '../../common/command.ts';
import { inFile } from '../../common/in-file.ts';
import { readManifestFile } from '../../common/manifest-file.ts';
import { readRootFile } from '../../common/trust-files.ts';

/** Longest transcript, in bytes. */
const MAX_TRANSCRIPT_FILE_BYTES = 4 * 1024 * 1024;

export const transcriptVerifyCommand: Command = {
  name: 'quorum transcript verify',
  summary:
    'Verify the transcript of a ceremony, offline: who took part, in which images, that all confirmed the same, and what it follows.',
  positionals: 'TRANSCRIPT',
  options: {
    pcrs: {
      type: 'string',
      value: 'FILE',
      required: true,
      multiple: true,
      description: 'the pcr.json of an image that participants may have run; once for each image',
    },
    manifest: {
      type: 'string',
      value: 'FILE',
      required: true,
      multiple: true,
      description: 'the manifest of a participant; once for each of them',
    },
    after: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      description:
        'the transcript of an earlier ceremony on the key, which is verified too; once for each, and then none between two of them is missing',
    },
    root: {
      type: 'string',
      value: 'FILE',
      setting: 'root',
      description: "the trusted root, PEM or DER (default: AWS's own, G1)",
    },
  },
  examples: [
    'holdfast quorum transcript verify transcript.cbor --pcrs pcr.json --manifest node-1/manifest.json \\',
    '      --manifest node-2/manifest.json --manifest node-3/manifest.json',
    'holdfast quorum transcript verify treasury-2.transcript --after treasury-1.transcript --pcrs pcr.json \\',
    '      --manifest node-1/manifest.json --manifest node-2/manifest.json',
  ],
  async run({ positionals, text, texts, io }) {
    const [path = ''] = positionals;
    const root = await readRootFile(text('root'), io);
    const images = await Promise.all(
      texts('pcrs').map(async (file) => {
        const bytes = await readInput(file, io);
        return inFile(file, () => parsePcrFile(bytes));
      }),
    );
    const manifests = await Promise.all(texts('manifest').map((file) => readManifestFile(file, io)));
    const trust = { root, images, manifests: manifests.map(({ digest }) => digest), suites: nobleSuites };
    const verify = async (file: string) => {
      const bytes = await readInput(file, io, MAX_TRANSCRIPT_FILE_BYTES);
      return inFile(file, () => verifyTranscript(bytes, trust));
    };
    const verified = await verify(path);
    const earlier: VerifiedTranscript[] = [];
    for (const file of texts('after')) earlier.push(await verify(file));
    inFile(path, () => verifyChain([...earlier, verified]));
    const { plan, transcript, keys } = verified;
    const id = Buffer.from(plan.id).toString('hex');
    const digest = Buffer.from(transcript).toString('hex');
    const after = plan.keys.flatMap(({ key, former }) =>
      former !== null &&
      earlier.some(({ keys: made }) => made.some((one) => one.key === key && one.epoch === former.epoch))
        ? [{ key, epoch: former.epoch }]
        : [],
    );
    const described = keys.map(({ key, epoch, publicKey }) => ({
      key,
      epoch,
      publicKey: Buffer.from(publicKey).toString('hex'),
    }));
    const { operation, threshold, dealers, holders } = plan;
    const time = new Date(plan.time).toISOString();
    return {
      ok: true,
      text: [
        `${operation} ${id}, ${time}: confirmed by all holders`,
        `  holders      ${threshold} of nodes ${holders.join(', ')}`,
        `  dealers      nodes ${dealers.join(', ')}`,
        `  transcript   ${digest}`,
        ...described.map(({ key, epoch, publicKey }) => `  ${key}, epoch ${epoch}: ${publicKey}`),
        ...after.map(
          ({ key, epoch }) => `  ${key}: starts from the group of epoch ${epoch}, which was verified`,
        ),
      ].join('\n'),
      data: { id, operation, time, threshold, dealers, holders, transcript: digest, keys: described, after },
    };
  },
};
