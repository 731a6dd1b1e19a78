/** A server in a process of its own, which a test may kill and start again: `server-process.ts PORT SECRET`, the secret in hexadecimal. */
import { fileURLToPath } from 'node:url';
import { startServer } from '../../signaling/server/server.ts';
import { DEALT } from '../process/dealt-plans.ts';

const [port = '0', secret = '', pageFolder = ''] = process.argv.slice(2);
const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const server = await startServer({
  port: Number(port),
  host: '127.0.0.1',
  pageFolder: pageFolder === '' ? null : pageFolder,
  modelsFolder: project('models'),
  hubFolder: null,
  iceServers: [],
  log: () => undefined,
  planner: DEALT,
  secret: Buffer.from(secret, 'hex'),
});
process.send?.(server.port);
process.once('disconnect', () => process.exit(0));
