/** The parent's status page alone. */
import { startStatusServer } from '../../../parent/status/server.ts';
import { serveMeasurements } from './measured-process.ts';

const { url } = await startStatusServer({
  listen: { port: 0 },
  status: () => ({ node: null }),
  isReady: () => true,
  metrics: () => '',
});
serveMeasurements({ port: Number(new URL(url ?? '').port) });
