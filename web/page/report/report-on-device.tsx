import { useState } from 'preact/hooks';
import type { SessionView } from '../../session/view/view.ts';
import { deviceFacts } from '../../tab/device-facts.ts';
import * as say from '../../words/take/report.ts';
import { deviceReport } from './device-report.ts';

/** One button that makes a text about this device, to be read and copied before it goes anywhere. */
export function ReportOnDevice({ view }: { view: SessionView }) {
  const [text, setText] = useState<string | null>(null);
  const [copied, setCopied] = useState(false);
  const make = async (): Promise<void> => {
    setCopied(false);
    setText(deviceReport(view, await deviceFacts()));
  };
  const copy = async (): Promise<void> => {
    if (text === null) return;
    // Where the browser refuses, the text is there to be selected.
    setCopied(
      await navigator.clipboard?.writeText(text).then(
        () => true,
        () => false,
      ),
    );
  };
  return (
    <details class="fold" data-fold="report">
      <summary>{say.reportOnThisDevice}</summary>
      <p class="step-note">{say.whatThisDeviceIsWhat}</p>
      <div class="buttons">
        <button type="button" onClick={() => void make()}>
          {text === null ? say.makeTheReport : say.makeItAnew}
        </button>
        {text !== null && (
          <button class="plain" type="button" onClick={() => void copy()}>
            {copied ? say.copied : say.copy}
          </button>
        )}
      </div>
      {text !== null && <textarea class="report" readOnly rows={14} value={text} aria-label={say.reportOnThisDevice} />}
    </details>
  );
}
