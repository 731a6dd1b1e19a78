import { prepare } from './workerd.ts';

/** Before the first file that runs with Cloudflare's engine, once in a run of the tests. */
export default async function setup(): Promise<void> {
  if (process.env.TABLOOM_CLOUDFLARE_READY === '1') return;
  process.env.TABLOOM_CLOUDFLARE_READY = '1';
  await prepare();
}
