import { Host } from './host.ts';
import { serveHost } from './host-endpoint.ts';
import { KeptSessions } from './kept-sessions.ts';
import { browserChunkStore } from './model/browser-chunk-store.ts';
import { openHttp } from './model/model-files.ts';
import { opfsDrawer } from './opfs-drawer.ts';

/** Entry of the host's dedicated worker in a browser. */
serveHost(new Host(openHttp, new KeptSessions(opfsDrawer), browserChunkStore()));
