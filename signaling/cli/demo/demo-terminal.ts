import type { SessionView } from '../../../web/session/view/view.ts';
import { visible, visibleLines } from '../../protocol/text/visible.ts';
import { planLine, planText, readyText, roundText, scoreLine } from './demo-text.ts';
import { forecastLines } from './forecast-lines.ts';

/** Without a terminal to overwrite lines on, so many progress lines are printed in a run. */
const LINES_WITHOUT_TERMINAL = 12;

/** What was printed of the running session. */
interface Shown {
  plan: number;
  scores: number;
  round: number;
  devices: boolean;
  sentBytes: number;
  finished: boolean;
  tokenizer: boolean;
}

const NOTHING: Shown = {
  plan: 0,
  scores: 0,
  round: 0,
  devices: false,
  sentBytes: 0,
  finished: false,
  tokenizer: false,
};

/** Prints what is new in a session's view: devices, plans and scores as they come, the running round on one line that is written over. */
export class DemoTerminal {
  readonly #out: NodeJS.WriteStream;
  #shown = { ...NOTHING };
  #room = '';
  #notices = 0;
  #status = '';

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** Names and cells of a person's own come through here, too: nothing of them moves the cursor. */
  line(text: string): void {
    if (this.#status !== '') this.#out.write('\r\x1b[K');
    this.#status = '';
    this.#out.write(`${visibleLines(text)}\n`);
  }

  show(view: SessionView): void {
    const { room } = view;
    if (view.ended !== null || room === null) return;
    if (room.id !== this.#room) {
      this.#room = room.id;
      this.#notices = 0;
      this.#shown = { ...NOTHING };
    }
    const shown = this.#shown;
    if (shown.finished) return;
    if (!shown.tokenizer && view.data !== null) this.line(`  ${view.data.tokenizer}`);
    shown.tokenizer ||= view.data !== null;
    for (const notice of view.notices.filter((n) => n.id > this.#notices)) {
      this.#notices = notice.id;
      this.line(`  ${notice.sentence}`);
    }
    if (room.phase === 'gathering') {
      const ready = room.devices.filter((d) => d.profile !== null).length;
      this.#progress(`  ${ready} of ${room.devices.length} devices ready …`);
      return;
    }
    if (!shown.devices) {
      shown.devices = true;
      for (const text of ['  Devices:', ...readyText(room)]) this.line(text);
    }
    const last = view.rounds.at(-1);
    if (room.plan !== null && room.plan.version !== shown.plan) {
      // The table once at the start and once at the end; in between a line says what changed.
      this.line(shown.plan === 0 ? planText(room, room.plan, last) : planLine(room.plan));
      if (shown.plan === 0) for (const text of forecastLines(room)) this.line(text);
      shown.plan = room.plan.version;
    }
    for (const score of view.scores.slice(shown.scores)) this.line(scoreLine(score, room.settings.task.devExamples));
    shown.scores = view.scores.length;
    if (last !== undefined && last.round !== shown.round) {
      shown.round = last.round;
      shown.sentBytes += last.devices.reduce((sum, d) => sum + (d.device === room.host ? 0 : d.uploadBits / 8), 0);
      const every = Math.max(1, Math.round(room.settings.training.rounds / LINES_WITHOUT_TERMINAL));
      if (!this.#out.isTTY && last.round % every === 0) this.line(this.#roundText(view));
    }
    if (room.phase === 'finished') {
      shown.finished = true;
      if (room.plan !== null && last !== undefined) this.line(planText(room, room.plan, last));
      return;
    }
    this.#progress(this.#roundText(view));
  }

  #roundText(view: SessionView): string {
    return roundText(view, this.#shown.sentBytes);
  }

  #progress(text: string): void {
    if (!this.#out.isTTY || text === this.#status) return;
    this.#out.write(`\r\x1b[K${visible(text).slice(0, this.#out.columns - 1)}`);
    this.#status = text;
  }
}
