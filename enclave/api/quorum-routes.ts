import {
  type CeremonyAccepted,
  generateRequestSchema,
  importKeyRequestSchema,
  refreshRequestSchema,
  repairRequestSchema,
  reshareRequestSchema,
} from '../../shared/api/quorum.ts';
import { type CeremonyOrder, type Quorum, QuorumError } from '../quorum/index.ts';
import { Accepted, type Route, type RouteInput } from './router.ts';

const KEY = '([a-z0-9][a-z0-9._-]{0,62})';
const CEREMONY = '([0-9a-f]{32})';
/** An epoch in decimal, without leading zeros; 15 digits are exact as a number. */
const EPOCH = '(0|[1-9][0-9]{0,14})';

/**
 * Creates the routes of the quorum; shared/api/quorum.ts lists them. Each translates between JSON and the quorum, which
 * decides.
 *
 * @param quorum undefined where the configuration names none
 * @param configuration version of the configuration in force
 */
export function createQuorumRoutes(quorum: Quorum | undefined, configuration: number): Route[] {
  const present = (): Quorum => {
    if (quorum !== undefined) return quorum;
    throw new QuorumError('QUORUM_ABSENT', 'the configuration in force names no quorum');
  };
  const begin = async ({ client, forward }: RouteInput, order: CeremonyOrder): Promise<Accepted> => {
    const { ceremony, rule, receipt } = await present().begin({ client, forwarded: forward() }, order);
    const body: CeremonyAccepted = { ceremony, rule, configuration, receipt };
    return new Accepted(body);
  };
  return [
    get('', () => present().status()),
    get('/ceremonies', () => ({ ceremonies: present().ceremonies() })),
    get(`/ceremonies/${CEREMONY}`, ({ captures: [id = ''] }) => present().ceremony(id)),
    get(`/keys/${KEY}/transcripts/${EPOCH}`, async ({ captures: [key = '', epoch = ''] }) => {
      const transcript = await present().transcript(key, Number(epoch));
      return { transcript: Buffer.from(transcript).toString('base64') };
    }),
    post('/keys', (input) => begin(input, { kind: 'generate', ...input.parse(generateRequestSchema) })),
    post(`/keys/${KEY}/import`, (input) => {
      const [key = ''] = input.captures;
      return begin(input, { kind: 'import-key', key, ...input.parse(importKeyRequestSchema) });
    }),
    post(`/keys/${KEY}/refresh`, (input) => {
      const [key = ''] = input.captures;
      input.parse(refreshRequestSchema);
      return begin(input, { kind: 'refresh', key });
    }),
    post(`/keys/${KEY}/reshare`, (input) => {
      const [key = ''] = input.captures;
      return begin(input, { kind: 'reshare', key, ...input.parse(reshareRequestSchema) });
    }),
    post(`/keys/${KEY}/repair`, (input) => {
      const [key = ''] = input.captures;
      return begin(input, { kind: 'repair', key, ...input.parse(repairRequestSchema) });
    }),
  ];
}

function get(path: string, act: Route['act']): Route {
  return { method: 'GET', path: new RegExp(`^/v1/quorum${path}$`), isSigned: true, act };
}

function post(path: string, act: Route['act']): Route {
  return { method: 'POST', path: new RegExp(`^/v1/quorum${path}$`), isSigned: true, act };
}
