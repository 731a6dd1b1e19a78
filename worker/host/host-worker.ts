import { browserChunkStore } from '../files/browser-chunk-store.ts';
import { FolderFiles } from '../files/folder-files.ts';
import { openHttp } from '../files/open-file.ts';
import { Host } from './host.ts';
import { serveHost } from './host-endpoint.ts';
import { KeptSessions } from './kept-sessions.ts';
import { opfsDrawer } from './opfs-drawer.ts';

/** Entry of the host's dedicated worker in a browser. */
const folder = new FolderFiles();
serveHost(new Host(folder.opening(openHttp), new KeptSessions(opfsDrawer), browserChunkStore()), undefined, folder);
