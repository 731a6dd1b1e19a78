/** The picture that goes with a link to the page, as built from `public/`; `test/page/gallery/pictures.ts` draws it. */
export const PREVIEW = { name: 'preview.jpg', type: 'image/jpeg', width: 1200, height: 630 } as const;

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');

/**
 * The page's document with what a messenger shows beside its link (ogp.me): addresses there are whole ones, so they are known only where
 * people elsewhere open the page, `publicUrl`. A code in a link stays behind its #, which no messenger sends.
 */
export function previewed(document: string, publicUrl: string): string {
  const { origin, pathname } = new URL(publicUrl);
  const home = `${origin}${pathname.replace(/\/+$/, '')}/`;
  const tags = [
    ['property', 'og:url', home],
    ['property', 'og:image', `${home}${PREVIEW.name}`],
    ['property', 'og:image:type', PREVIEW.type],
    ['property', 'og:image:width', `${PREVIEW.width}`],
    ['property', 'og:image:height', `${PREVIEW.height}`],
    ['property', 'og:image:alt', 'Who trains which layers of a model, in a running session'],
    ['name', 'twitter:card', 'summary_large_image'],
  ].map(([kind, name, content = '']) => `<meta ${kind}="${name}" content="${escaped(content)}" />`);
  return document.replace('</head>', () => `${tags.join('\n')}\n</head>`);
}
