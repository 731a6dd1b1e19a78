import { basename, resolve } from 'node:path';
import express from 'express';
import { headersFor } from '../page/headers.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { lanAddresses, pathOf } from './addresses.ts';
import { builtPage } from './built-page.ts';
import { confinedFiles } from './confined.ts';
import { type Gate, isOwnName } from './gate.ts';
import type { Metrics } from './metrics.ts';
import type { Certificates } from './tls/renewing.ts';

export interface PageOptions {
  /** Interface to listen on: 127.0.0.1 for this machine only, 0.0.0.0 for phones on the same network. */
  readonly host: string;
  /** Folder of the built page; null serves no page (headless sessions only). */
  readonly pageFolder: string | null;
  /** Folder whose subfolders are embedded models. */
  readonly modelsFolder: string;
  /** Folder laid out like the Hugging Face hub, served under `/hub/`; null serves none. */
  readonly hubFolder: string | null;
  /** Folder with the files of one model, served as a repository of that hub: `localModelId` says under which name. */
  readonly modelFolder?: string | null;
  /** Where people elsewhere open the page: behind a proxy, perhaps below a path, such as `https://example.org/tabloom/`. */
  readonly publicUrl?: string | null;
  /** For https beside http on the same port: people who ask for the page by http are sent there. None without. */
  readonly certificates?: Certificates | null;
  /** Hubs that the page may fetch from besides this server; Hugging Face's unless given. */
  readonly hubEndpoints?: readonly string[];
}

export const DEFAULT_HUB_ENDPOINTS = ['https://huggingface.co'];

/** What a folder's model is called in sessions: `local/NAME`. */
export function localModelId(folder: string): string {
  return `local/${basename(resolve(folder)).replace(/[^\w.-]+/g, '-') || 'model'}`;
}

/** All that is fetched: the page, models, and what the server says of itself. `port` is asked when the server listens. */
export function makePage(
  options: PageOptions,
  { gate, metrics, streams, port }: { gate: Gate; metrics: Metrics; streams: express.Router; port: () => number },
): express.Express {
  const { host, pageFolder, modelsFolder, hubFolder, modelFolder = null, hubEndpoints } = options;
  const { publicUrl = null, certificates = null } = options;
  const headers = headersFor(hubEndpoints ?? DEFAULT_HUB_ENDPOINTS, publicUrl);
  const app = express();
  app.disable('x-powered-by');
  // Whoever opens the page itself; a headless device is content with http, its links are encrypted all the same.
  if (certificates !== null)
    app.use((request, response, next) => {
      const opensPage = request.method === 'GET' && /\btext\/html\b/.test(request.headers.accept ?? '');
      if (request.secure || !opensPage || isOwnName(request.headers.host ?? '')) next();
      else response.redirect(307, `https://${request.headers.host}${request.originalUrl}`);
    });
  const authority = certificates?.authority ?? null;
  if (authority !== null)
    app.get('/trust/tabloom.crt', (_request, response) => {
      response.attachment('tabloom.crt').type('application/x-x509-ca-cert').send(Buffer.from(authority));
    });
  const prefix = pathOf(publicUrl);
  // Some proxies take the path off before they pass a request on, others do not.
  if (prefix !== '')
    app.use((request, response, next) => {
      if (request.path === prefix) {
        response.redirect(308, `${prefix}/`);
        return;
      }
      if (request.url.startsWith(`${prefix}/`)) request.url = request.url.slice(prefix.length);
      next();
    });
  app.use((request, response, next) => {
    const why = gate.refusesHost(request);
    if (why !== null) {
      response.status(403).type('text/plain').send(why);
      return;
    }
    response.set(headers(request));
    next();
  });
  app.use(streams);
  app.get('/config.json', (_request, response) => {
    response.json({
      version: PROTOCOL_VERSION,
      hubPath: hubFolder === null && modelFolder === null ? null : '/hub',
      models: modelFolder === null ? [] : [localModelId(modelFolder)],
      addresses: [
        ...(publicUrl === null ? [] : [publicUrl.replace(/\/+$/, '')]),
        ...lanAddresses(host, port(), certificates === null ? 'http' : 'https'),
      ],
    });
  });
  app.get('/health', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ ok: true });
  });
  app.get('/metrics', async (_request, response) => {
    response
      .set('Cache-Control', 'no-store')
      .type(metrics.contentType)
      .send(await metrics.text());
  });
  const files = { fallthrough: false, dotfiles: 'ignore' as const, index: false as const };
  app.use('/models', confinedFiles(modelsFolder, files));
  if (modelFolder !== null)
    app.use(`/hub/${localModelId(modelFolder)}/resolve/main`, confinedFiles(modelFolder, files));
  if (hubFolder !== null) app.use('/hub', confinedFiles(hubFolder, files));
  if (pageFolder !== null) app.use(builtPage(pageFolder, publicUrl));
  app.use((_request, _response, next) => next({ status: 404 }));
  app.use(
    (
      error: { status?: unknown },
      _request: express.Request,
      response: express.Response,
      _next: express.NextFunction,
    ) => {
      const status = typeof error?.status === 'number' ? error.status : 500;
      const sentence = status === 404 ? 'Not found.' : 'This request cannot be answered.';
      if (response.headersSent) response.destroy();
      else response.status(status).type('text/plain').send(sentence);
    },
  );
  return app;
}
