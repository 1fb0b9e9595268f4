import type { CeremonyAccepted } from '../../shared/api/quorum.ts';
import { ORDER_TARGET, type Quorum, QuorumError, readOrder } from '../quorum/index.ts';
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
  const begin = async ({ client, captures, forward, parse }: RouteInput): Promise<Accepted> => {
    const order = readOrder(captures, parse);
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
    { method: 'POST', path: ORDER_TARGET, isSigned: true, act: begin },
  ];
}

function get(path: string, act: Route['act']): Route {
  return { method: 'GET', path: new RegExp(`^/v1/quorum${path}$`), isSigned: true, act };
}
