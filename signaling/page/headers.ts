/** Where Hugging Face's hub sends those on who fetch a file from it. */
const HUGGING_FACE = 'https://huggingface.co';
const HUGGING_FACE_STORES = ['https://*.huggingface.co', 'https://*.hf.co'];

/** What a browser keeps from a page that needs none of it. */
const PERMISSIONS = [
  'accelerometer',
  'bluetooth',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'hid',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'serial',
  'usb',
]
  .map((name) => `${name}=()`)
  .join(', ');

/** Scripts, styles and WASM as the build names them: no document, whoever asks. */
const BUILT_PIECE = /^\/assets\/[\w.-]+\.(js|css|wasm)$/;

/**
 * The headers of every answer; what a browser reads of documents alone is left out where there are dozens of others. The page and its workers run code of this server alone, and connect to this server and to the hubs that it
 * names, whatever a session says: a worker goes by the policy that came with its own script.
 */
export function headersFor(
  hubEndpoints: readonly string[],
  publicUrl: string | null,
): (request: {
  readonly path: string;
  readonly headers: { readonly host?: string | undefined };
}) => Record<string, string> {
  const hubs = hubEndpoints.map((endpoint) => new URL(endpoint).origin);
  if (hubs.includes(HUGGING_FACE)) hubs.push(...HUGGING_FACE_STORES);
  // A proxy may ask by another name than the browser did.
  const known = publicUrl === null ? [] : [`wss://${new URL(publicUrl).host}`, `ws://${new URL(publicUrl).host}`];
  return ({ path, headers: { host } }) => ({
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "worker-src 'self'",
      "style-src 'self'",
      "img-src 'self' data: blob:",
      "font-src 'self'",
      "manifest-src 'self'",
      // Not every browser counts a socket to the page's own server as 'self'.
      ['connect-src', "'self'", `ws://${host}`, `wss://${host}`, ...known, ...hubs].join(' '),
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    ...(!BUILT_PIECE.test(path) && {
      ...{ 'Permissions-Policy': PERMISSIONS, 'Cross-Origin-Opener-Policy': 'same-origin', 'X-Frame-Options': 'DENY' },
    }),
    // Isolation lets WASM use threads; `credentialless` still allows model downloads from a hub that sends no CORP header.
    'Cross-Origin-Embedder-Policy': 'credentialless',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  });
}
