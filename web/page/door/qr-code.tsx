import { useEffect, useState } from 'preact/hooks';
import * as say from '../../words/join/door.ts';

/** Dark modules on white in either colour scheme, with the four modules of quiet zone that ISO/IEC 18004 asks for. */
export function QrCode({ text }: { text: string }) {
  const [path, setPath] = useState<{ d: string; size: number } | null>(null);
  useEffect(() => {
    let over = false;
    void import('lean-qr').then(({ generate }) => {
      const code = generate(text);
      let d = '';
      for (let y = 0; y < code.size; y++)
        for (let x = 0; x < code.size; x++) if (code.get(x, y)) d += `M${x + 4} ${y + 4}h1v1h-1z`;
      if (!over) setPath({ d, size: code.size + 8 });
    });
    return () => {
      over = true;
    };
  }, [text]);
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${path?.size ?? 33} ${path?.size ?? 33}`}
      role="img"
      aria-label={say.qrCodeOfTheSessions}
      shape-rendering="crispEdges"
    >
      <rect width="100%" height="100%" fill="#fff" />
      {path !== null && <path d={path.d} fill="#111" />}
    </svg>
  );
}
