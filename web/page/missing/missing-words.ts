import type { Missing } from '../../tab/what-is-missing.ts';

/** One line: what is lost, and the one next step. */
export interface MissingWords {
  readonly lost: string;
  /** Where the step is to go somewhere: the address, and what stands on the link. */
  readonly link: { readonly href: string; readonly text: string } | null;
  readonly step: string;
}

/**
 * `addresses` are those under which the server says that others reach it, `page` the one that this page was opened with, its fragment
 * included. Null where nothing is missing that matters.
 */
export function missingWords(
  { secure, gpu }: Missing,
  addresses: readonly string[],
  page: string,
): MissingWords | null {
  if (!secure) {
    const href = securePage(addresses, page);
    return {
      lost: 'This page came over plain http, so the browser keeps its graphics processor and storage from it: this device trains several times slower and keeps nothing.',
      link: href === null ? null : { href, text: 'Open it over https' },
      step: href === null ? 'Whoever started this server can offer https: tabloom serve --lan.' : '',
    };
  }
  switch (gpu) {
    case 'there':
      return null;
    case 'none':
      return {
        lost: 'This browser has no WebGPU: this device trains on its processor, several times slower.',
        link: null,
        step: 'A current Chrome, Edge, Firefox or Safari has it.',
      };
    case 'software':
      return {
        lost: 'WebGPU is a driver in software here, slower than WebAssembly: this device trains with WebAssembly on its processor, several times slower than a graphics processor would.',
        link: null,
        step: 'If it has one, switch on “hardware acceleration” in the browser’s settings. What a device computes on can be chosen under “This device”, or “More” where one joins.',
      };
    case 'no-adapter':
      return {
        lost: 'This browser does not use a graphics processor here: this device trains on its processor, several times slower.',
        link: null,
        step: 'If it has one, switch on “hardware acceleration” in the browser’s settings.',
      };
    default:
      return gpu satisfies never;
  }
}

/** The same page by https: at the same name where the server answers there, else at the first address that it has. */
function securePage(addresses: readonly string[], page: string): string | null {
  const here = new URL(page);
  const secure = addresses.filter((address) => address.startsWith('https:')).map((address) => new URL(address));
  const target = secure.find(({ hostname }) => hostname === here.hostname) ?? secure[0];
  if (target === undefined) return null;
  return `${target.href.replace(/\/+$/, '')}/${here.hash}`;
}
