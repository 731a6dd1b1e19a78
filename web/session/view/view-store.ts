import { Emitter } from '../world/emitter.ts';
import { AgainNews } from './again-news.ts';
import type { NoticeKind, SessionView } from './view.ts';
import { firstView, reduceView, type ViewEvent } from './view-state.ts';

/** Holds a session's view and tells its listeners; every change goes through the pure reducer. */
export class ViewStore {
  readonly #changed = new Emitter<SessionView>();
  readonly #startMs = performance.now();
  readonly #againNews = new AgainNews();
  #view: SessionView;

  constructor(role: SessionView['role'], self: string) {
    this.#view = firstView(role, self);
  }

  get view(): SessionView {
    return this.#view;
  }

  dispatch(event: ViewEvent): void {
    const { room } = this.#view;
    this.#view = reduceView(this.#view, event);
    this.#changed.emit(this.#view);
    for (const sentence of this.#againNews.heard(room, this.#view.room, this.#view.self)) this.notice('news', sentence);
  }

  notice(kind: NoticeKind, sentence: string): void {
    const elapsedSeconds = (performance.now() - this.#startMs) / 1000;
    this.dispatch({ type: 'notice', kind, sentence, elapsedSeconds });
  }

  subscribe(listener: (view: SessionView) => void): () => void {
    return this.#changed.on(listener);
  }
}
