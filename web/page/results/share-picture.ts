import { percentText } from '../../../signaling/protocol/words/quantities.ts';
import * as say from '../../words/take/results.ts';
import type { Contribution, Told } from './results.ts';

/** The size that links are previewed at. */
const WIDTH = 1200;
const HEIGHT = 630;
const MARGIN = 72;
const CLOTH = { top: 430, height: 110 } as const;
const YARN = 10;

/** Colours as the page has them now. */
function colours(): (token: string) => string {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const found = new Map<string, string>();
  const read = (token: string): string => {
    probe.style.color = `var(${token})`;
    const { color } = getComputedStyle(probe);
    found.set(token, color);
    return color;
  };
  for (const token of ['--ground', '--ink', '--muted', '--accent', '--line', '--warp']) read(token);
  for (let yarn = 0; yarn < 8; yarn++) read(`--yarn-${yarn}`);
  probe.remove();
  return (token) => found.get(token) ?? '#000';
}

/** A picture of what came of it: the figures, and a cloth in which everybody's yarn is as wide as their part of the work. */
export async function sharePicture(told: Told, all: readonly Contribution[]): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error(say.thisBrowserDrawsNoPictures);
  const colour = colours();
  const face = getComputedStyle(document.body).fontFamily;
  const write = (text: string, x: number, y: number, font: string, token: string): number => {
    context.font = `${font} ${face}`;
    context.fillStyle = colour(token);
    context.fillText(fitted(context, text, WIDTH - MARGIN - x), x, y);
    return context.measureText(text).width;
  };
  context.fillStyle = colour('--ground');
  context.fillRect(0, 0, WIDTH, HEIGHT);
  write(say.tabloom, MARGIN, 96, '650 30px', '--muted');
  write(told.title, MARGIN, 176, '700 56px', '--ink');
  write(told.what, MARGIN, 226, '400 28px', '--muted');
  if (told.after !== null) {
    let x = MARGIN;
    if (told.before !== null) x += write(`${told.before} → `, x, 340, '400 72px', '--muted');
    x += write(told.after, x, 340, '700 72px', '--accent') + 24;
    write(told.metric, x, 340, '400 28px', '--muted');
  }
  write(told.rounds, MARGIN, 398, '400 28px', '--ink');
  drawCloth(context, colour, face, all);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error(say.thePictureCouldNot)) : resolve(blob)), 'image/png');
  });
}

function drawCloth(
  context: CanvasRenderingContext2D,
  colour: (token: string) => string,
  face: string,
  all: readonly Contribution[],
): void {
  const width = WIDTH - 2 * MARGIN;
  let x = MARGIN;
  for (const [i, { share, mark, name }] of all.entries()) {
    const wide = width * share;
    context.fillStyle = colour(mark === null ? '--muted' : `--yarn-${mark.yarn}`);
    context.fillRect(x, CLOTH.top, wide, CLOTH.height);
    context.fillStyle = colour('--ground');
    context.globalAlpha = 0.28;
    // Plain weave: every second crossing lets the warp through.
    for (let row = 0; row * YARN < CLOTH.height; row++)
      for (let at = ((row + i) % 2) * YARN; at < wide; at += 2 * YARN)
        context.fillRect(x + at, CLOTH.top + row * YARN, Math.min(YARN, wide - at), YARN);
    context.globalAlpha = 1;
    if (wide > 90) {
      context.font = `400 24px ${face}`;
      context.fillStyle = colour('--ink');
      context.fillText(fitted(context, `${name} ${percentText(share)}`, wide - 8), x, CLOTH.top + CLOTH.height + 36);
    }
    x += wide;
  }
}

function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let short = text;
  while (short.length > 1 && context.measureText(`${short}…`).width > width) short = short.slice(0, -1);
  return `${short.trimEnd()}…`;
}

/** Through the phone's share sheet where there is one for pictures, else as a download; says which. */
export async function handOver(blob: Blob, name: string): Promise<'shared' | 'saved' | 'kept'> {
  const file = new File([blob], name, { type: blob.type });
  if (typeof navigator.canShare === 'function' && navigator.canShare({ files: [file] })) {
    try {
      await navigator.share({ files: [file], title: say.tabloom });
      return 'shared';
    } catch (error) {
      // Whoever closes the sheet wants neither.
      if (error instanceof Error && error.name === 'AbortError') return 'kept';
    }
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return 'saved';
}
