import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import express from 'express';

/** Serves a folder's files, and nothing that only a link in it leads to. */
export function confinedFiles(folder: string, options: Parameters<typeof express.static>[1]): express.RequestHandler {
  const files = express.static(folder, options);
  return (request, response, next) => {
    isInside(folder, request.path).then((inside) => {
      if (inside) files(request, response, next);
      else next({ status: 404 });
    }, next);
  };
}

/** True also for what is not there at all: that is for others to answer. */
async function isInside(folder: string, path: string): Promise<boolean> {
  let target: string;
  try {
    target = await realpath(join(folder, decodeURIComponent(path)));
  } catch {
    return true;
  }
  const root = await realpath(folder);
  return target === root || target.startsWith(root.endsWith(sep) ? root : root + sep);
}
