import { computeManifestPcr, MANIFEST_PCR, parsePcrFile } from '../../../attestation/index.ts';
import { errorCode } from '../../../shared/errors.ts';
import { openConfiguration } from '../../../shared/documents/configuration.ts';
import { digestManifest, type Manifest, parseManifest } from '../../../shared/documents/manifest.ts';
import { type Check, type CheckContext, configOf } from './check.ts';
import { fail, type CheckResult, ok, quote, skip, warn } from './check-result.ts';
import { errnoOf } from './host.ts';

const DAY_MS = 86_400_000;
const EXPIRES_SOON_MS = 7 * DAY_MS;

const imageCheck: Check = {
  part: 'files',
  title: 'image and pcr.json',
  needs: ['config'],
  deadlineMs: 30_000,
  async run({ host, ...context }) {
    const { image, pcrs } = configOf({ host, ...context }).enclave;
    if (image === undefined || pcrs === undefined) {
      return [skip('NOT_CONFIGURED', 'the parent does not start the enclave itself')];
    }
    if (!(await isThere(host, image)) || !(await isThere(host, pcrs))) {
      return [skip('NOT_APPLICABLE', 'one of the two is missing')];
    }
    try {
      await host.verifyImage(image, pcrs);
      return [ok('the image has the measurements of pcr.json')];
    } catch (error) {
      return [
        fail('IMAGE_UNEXPECTED', `${image} has not the measurements of ${pcrs} (${errorCode(error)})`, {
          advice: 'install the image and the pcr.json that were approved together; this says how they differ',
          command: `/opt/holdfast/bin/holdfast eif verify ${quote(image)} --pcrs ${quote(pcrs)}`,
        }),
      ];
    }
  },
};

const manifestCheck: Check = {
  part: 'files',
  title: 'manifest and configuration',
  needs: ['config'],
  async run(context) {
    const { host } = context;
    const { artifacts, enclave } = configOf(context);
    if (artifacts.manifest.type !== 'file')
      return [skip('NOT_APPLICABLE', 'the manifest is not a file here')];
    const { file } = artifacts.manifest;
    if (!(await isThere(host, file))) return [skip('NOT_APPLICABLE', `there is no ${file}`)];
    const bytes = await host.read(file);
    let manifest: Manifest;
    try {
      manifest = parseManifest(bytes);
    } catch (error) {
      return [
        fail('MANIFEST_REFUSED', `${file}: ${errorCode(error)}`, {
          advice: 'get the bytes that the node admin has measured; this says what is wrong with these',
          command: `/opt/holdfast/bin/holdfast manifest verify ${quote(file)}`,
        }),
      ];
    }
    const findings = [
      ...(await comparePcr16(context, bytes, enclave.pcrs)),
      ...(await checkConfiguration(context, manifest, bytes)),
    ];
    const name = `${manifest.namespace}/${manifest.environment}, node ${manifest.node}`;
    return findings.length > 0
      ? findings
      : [
          ok(
            `${name}; its configuration is signed${enclave.pcrs === undefined ? '' : ', its PCR16 that of pcr.json'}`,
          ),
        ];
  },
};

async function comparePcr16(
  { host }: CheckContext,
  manifest: Uint8Array,
  pcrs: string | undefined,
): Promise<CheckResult[]> {
  if (pcrs === undefined || !(await isThere(host, pcrs))) return [];
  let expected: Uint8Array | undefined;
  try {
    expected = parsePcrFile(await host.read(pcrs)).get(MANIFEST_PCR);
  } catch {
    // The comparison with the image reports a pcr.json that is none.
    return [];
  }
  if (expected === undefined) {
    return [
      warn(
        'PCR16_MISSING',
        `${pcrs} names no PCR16: whether this is the manifest that was approved cannot be told`,
        {
          advice: 'ask the node admin for the pcr.json that "holdfast manifest measure" has completed',
        },
      ),
    ];
  }
  if (Buffer.from(computeManifestPcr(manifest)).equals(expected)) return [];
  return [
    fail(
      'PCR16_MISMATCH',
      `the manifest does not measure to the PCR16 of ${pcrs}: KMS will refuse the node`,
      {
        advice: 'get the very bytes that were measured; an editor may have added a line break',
      },
    ),
  ];
}

async function checkConfiguration(
  context: CheckContext,
  manifest: Manifest,
  manifestBytes: Uint8Array,
): Promise<CheckResult[]> {
  const { configuration: location } = configOf(context).artifacts;
  if (location.type !== 'file' || !(await isThere(context.host, location.file))) return [];
  const { file } = location;
  const now = context.host.clock();
  try {
    const signed = openConfiguration(await context.host.read(file), {
      manifest,
      digest: digestManifest(manifestBytes),
    });
    const { notAfter } = signed.configuration;
    if (notAfter === undefined || Date.parse(notAfter) > now + EXPIRES_SOON_MS) return [];
    const mend = { advice: 'have the authorities sign a newer one, with a later end' };
    return Date.parse(notAfter) <= now
      ? [fail('CONFIGURATION_EXPIRED', `${file} was in force until ${notAfter}`, mend)]
      : [warn('CONFIGURATION_EXPIRES', `${file} is in force until ${notAfter} only`, mend)];
  } catch (error) {
    return [
      fail('CONFIGURATION_REFUSED', `${file}: ${errorCode(error)}`, {
        advice:
          'get the envelope that the authorities have signed for this manifest; this says who has signed',
        command: `/opt/holdfast/bin/holdfast config verify ${quote(file)} --manifest MANIFEST`,
      }),
    ];
  }
}

async function isThere(host: CheckContext['host'], path: string): Promise<boolean> {
  try {
    await host.stat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

export const nodeFileChecks: readonly Check[] = [imageCheck, manifestCheck];
