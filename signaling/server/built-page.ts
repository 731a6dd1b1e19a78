import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import express from 'express';
import { confinedFiles } from './confined.ts';
import { previewed } from './previewed.ts';

/** The build names these after what is in them, so that a name never has another content. */
const NAMED_BY_CONTENT = /[\\/]assets[\\/][^\\/]+-[\w-]{8}\.[a-z]+(\.(br|gz))?$/;

const SUFFIXES = { br: '.br', gzip: '.gz' } as const;
const ENCODINGS = ['br', 'gzip'] as const;

/**
 * The page as it was built, in the smallest form that the build made and the browser takes (vite.config.ts). Its document names the page's own
 * address where people elsewhere open it, for the previews of links.
 */
export function builtPage(folder: string, publicUrl: string | null): express.Router {
  const built = new Set(filesOf(folder));
  const router = express.Router();
  if (publicUrl !== null && built.has('/index.html')) {
    const document = previewed(readFileSync(join(folder, 'index.html'), 'utf8'), publicUrl);
    router.get(['/', '/index.html'], (_request, response) => {
      response.type('html').set('Cache-Control', 'no-cache').send(document);
    });
  }
  router.use((request, response, next) => {
    const path = request.path.endsWith('/') ? `${request.path}index.html` : request.path;
    const made = ENCODINGS.filter((encoding) => built.has(path + SUFFIXES[encoding]));
    if (made.length > 0) response.vary('Accept-Encoding');
    // Ours is the order of preference: browsers name no other.
    const encoding = made.find((name) => request.acceptsEncodings(name) !== false);
    if (encoding !== undefined && request.headers.range === undefined) {
      response.type(path.slice(path.lastIndexOf('.'))).set('Content-Encoding', encoding);
      request.url = path + SUFFIXES[encoding];
    }
    next();
  });
  router.use(
    confinedFiles(folder, {
      dotfiles: 'ignore',
      cacheControl: false,
      setHeaders(response, path) {
        response.setHeader(
          'Cache-Control',
          NAMED_BY_CONTENT.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
        );
      },
    }),
  );
  // A build that has lost a file: what was said of its form is not so of the answer that follows.
  router.use((_request, response, next) => {
    response.removeHeader('Content-Encoding');
    next();
  });
  return router;
}

/** Paths of a folder's files as requests name them; where links lead is nobody's business here. */
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `/${relative(folder, join(parentPath, name)).split(sep).join('/')}`);
