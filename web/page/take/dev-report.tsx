import { useEffect, useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import type { DevReport } from '../../../worker/api/report.ts';
import type { HostSession } from '../../session/view/view.ts';
import * as say from '../../words/take/take.ts';
import { ScrollFrame } from '../parts/scroll-frame.tsx';
import { mistakeText, shareText, wrongSentence } from './dev-report-words.ts';

type Shown =
  | { readonly kind: 'none' }
  | { readonly kind: 'report'; readonly report: DevReport }
  | { readonly kind: 'absent'; readonly sentence: string };

interface WhatItGetsWrongProps {
  readonly host: HostSession;
  /** Of the last score; a new one asks again. */
  readonly scoredRound: number;
}

/** Class by class, and the examples that the model is most wrong about; asked for when somebody looks. */
export function WhatItGetsWrong({ host, scoredRound }: WhatItGetsWrongProps) {
  const [open, setOpen] = useState(false);
  const [shown, setShown] = useState<Shown>({ kind: 'none' });
  useEffect(() => {
    if (!open || scoredRound < 0) return;
    let over = false;
    host.answers.devReport().then(
      (report) => over || setShown({ kind: 'report', report }),
      (error: unknown) => over || setShown({ kind: 'absent', sentence: errorSentence(error, say.thereIsNoReport) }),
    );
    return () => {
      over = true;
    };
  }, [open, host, scoredRound]);

  return (
    <details class="fold" data-fold="report" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{say.whatItGetsRight}</summary>
      <div role="status">{shown.kind === 'absent' && <p class="field-hint">{shown.sentence}</p>}</div>
      {shown.kind === 'report' && <Report report={shown.report} />}
    </details>
  );
}

function Report({ report }: { report: DevReport }) {
  const { classes, confusion, mistakes } = report;
  return (
    <div class="report">
      <p>{wrongSentence(report)}</p>
      {classes.length > 0 && (
        <ScrollFrame kind="table-frame" label={say.eachClass}>
          <table>
            <thead>
              <tr>
                {[say.classWord, say.precision, say.recall, 'F1', say.examples].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {classes.map(({ name, precision, recall, f1, examples }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{shareText(precision)}</td>
                  <td>{shareText(recall)}</td>
                  <td>{shareText(f1)}</td>
                  <td>{examples.toLocaleString('en-US')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollFrame>
      )}
      {confusion !== null && (
        <ScrollFrame kind="table-frame" label={say.labelsInRowsAnswers}>
          <table>
            <thead>
              <tr>
                <th scope="col">{say.labelAndItsAnswers}</th>
                {classes.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {confusion.map((counts, row) => (
                <tr key={classes[row]?.name ?? row}>
                  <th scope="row">{classes[row]?.name}</th>
                  {counts.map((count, column) => (
                    <td key={classes[column]?.name ?? column} class={row === column ? 'confusion-right' : ''}>
                      {count.toLocaleString('en-US')}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollFrame>
      )}
      {mistakes.length > 0 && (
        <>
          <h2>{say.mostWrongAbout}</h2>
          <ol class="mistakes">
            {mistakes.map((mistake, i) => (
              <li key={i}>
                <p class="mistake-text">{mistake.text}</p>
                {mistake.pair !== null && <p class="mistake-text">{mistake.pair}</p>}
                <p class="field-hint">{mistakeText(mistake)}</p>
              </li>
            ))}
          </ol>
        </>
      )}
    </div>
  );
}
