import { serveHost } from './host-endpoint.ts';
import { openHttp } from './model/model-files.ts';

/** Entry of the host's dedicated worker in a browser. */
serveHost(openHttp);
