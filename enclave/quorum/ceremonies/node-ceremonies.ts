import { decodeCertificate, decodePlan, encodeTranscript } from '../../../audit/transcript/index.ts';
import { epochOf } from '../../frost/index.ts';
import type { Ceremonies } from './ceremonies.ts';
import { Coordinator } from './coordinator.ts';
import { Participant, type ParticipantOptions } from './participant.ts';
import { ignoreUntrusted, Resolution } from './resolution.ts';

/**
 * Starts the ceremonies of a node: from now on it answers others, and asks each node that a session begins with what it
 * has missed.
 *
 * @param onError told of an error after which the node must stop: its store is not to be trusted any more
 */
export function startCeremonies(options: ParticipantOptions, onError: (error: unknown) => void): Ceremonies {
  const participant = new Participant(options);
  const resolution = new Resolution(participant);
  const coordinator = new Coordinator(participant, resolution);
  const { keeper, network } = options;
  const catchUp = async (node: number) => {
    await resolution.askNews(node);
    await resolution.resolveAll();
  };
  network.onSession(({ node }) => {
    catchUp(node).catch(onError);
  });
  participant.onConfirmed(() => {
    resolution.watch().catch(onError);
  });
  // What an earlier boot has confirmed waits for its end.
  resolution.watch().catch(onError);
  return {
    stop: () => resolution.stop(),
    lead: (order, onProgress = () => undefined) => coordinator.lead(order, onProgress),
    getTranscript: async (key, epoch) => {
      const kept = keeper.shareRecord(key)?.history.find((one) => one.epoch === epoch);
      const transcript =
        kept && (await participant.transcripts.read(Buffer.from(kept.ceremony).toString('hex')));
      return transcript && encodeTranscript(transcript);
    },
    getCertificate: async (key) => {
      const record = keeper.shareRecord(key);
      const kept = record?.history.at(-1);
      return kept !== undefined && record !== undefined && kept.epoch === epochOf(record)
        ? await participant.transcripts.readCertificate(Buffer.from(kept.ceremony).toString('hex'))
        : undefined;
    },
    takeCertificate: async (key, certificate) => {
      const findEpoch = () => {
        const record = keeper.shareRecord(key);
        return record && epochOf(record);
      };
      const before = findEpoch();
      await ignoreUntrusted(takeFor(participant, key, certificate));
      return findEpoch() !== before;
    },
    onActivated: (listener) => participant.onActivated(listener),
  };
}

/** Takes a certificate where it is one of that key. @throws TranscriptError; CeremonyError CERTIFICATE_UNTRUSTED */
async function takeFor(participant: Participant, key: string, certificate: Uint8Array): Promise<void> {
  const { keys } = decodePlan(decodeCertificate(certificate).plan);
  if (keys.some((planned) => planned.key === key)) await participant.takeCertificate(certificate);
}
