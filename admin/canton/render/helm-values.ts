import type { KmsValidator } from '../description.ts';
import { fragmentsOf, kmsSettings } from '../fragments.ts';
import { type HoconSource, writeHocon } from '../hocon/write.ts';
import { renderDoor } from './door.ts';
import { renderCredentials, renderTrustStore } from './participant.ts';

/**
 * Renders values for Splice's chart splice-participant, to be given to Helm after the validator's own.
 *
 * The chart prints what is below `kms` as it is, behind a key in kebab case: so each scalar here is the HOCON that shall
 * stand there, a string with its quotes. A number is text too, because Helm would print 10000000 as 1e+07.
 */
export function renderHelmValues(validator: KmsValidator): Record<string, unknown> {
  const door = renderDoor(validator);
  const trust = renderTrustStore(validator);
  const fragments = fragmentsOf(validator);
  const variables = fragments.filter(({ isChart }) => !isChart);
  const digest = /@sha256:[0-9a-f]{64}$/.exec(validator.image.reference)?.[0];
  const volumes = [door?.volume, trust?.volume].filter((volume) => volume !== undefined);
  return {
    ...(digest === undefined ? {} : { imageDigests: { canton_participant: digest } }),
    serviceAccountName: validator.serviceAccount.name,
    // The token of a role comes by a volume of its own; the API of Kubernetes is none of the participant's business.
    automountServiceAccountToken: false,
    ...(fragments.some(({ isChart }) => isChart) ? { kms: toChart(kmsSettings(validator)) } : {}),
    additionalEnvVars: [
      ...variables.map(({ variable, text }) => ({ name: variable, value: text })),
      ...renderCredentials(validator),
    ],
    ...(trust === undefined ? {} : { additionalJvmOptions: trust.options, extraVolumeMounts: [trust.mount] }),
    ...(volumes.length === 0 ? {} : { extraVolumes: volumes }),
    ...(door === undefined ? {} : { extraInitContainers: [door.container] }),
  };
}

/** Settings with the keys that the chart turns back into kebab case. */
function toChart(settings: { readonly [key: string]: HoconSource | undefined }): Record<string, unknown> {
  const members = Object.entries(settings).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [[toCamelCase(key), typeof value === 'object' ? toChart(value) : writeHocon(value)] as const];
  });
  return Object.fromEntries(members);
}

function toCamelCase(key: string): string {
  return key.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
