import type { Missing } from '../../tab/what-is-missing.ts';
import * as say from '../../words/join/missing.ts';

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
      lost: say.thisPageCameOverPlain,
      link: href === null ? null : { href, text: say.openItOverHttps },
      step: href === null ? say.whoeverStartedThisServerCan : '',
    };
  }
  switch (gpu) {
    case 'there':
      return null;
    case 'none':
      return {
        lost: say.thisBrowserHasNoWebGPU,
        link: null,
        step: say.aCurrentChromeEdgeFirefox,
      };
    case 'software':
      return {
        lost: say.webGPUIsADriver,
        link: null,
        step: say.ifItHasOneSwitch,
      };
    case 'no-adapter':
      return {
        lost: say.thisBrowserDoesNotUse,
        link: null,
        step: say.ifItHasOneSwitchOnHardware,
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
