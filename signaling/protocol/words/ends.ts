import type { RoomView } from '../room-view.ts';
import type { Extent, SessionSettings } from '../settings.ts';
import { epochsOf, epochsText, forecast, roundsWithin, totalSeconds } from './forecast.ts';
import { paperEpochs, recipeFor, scoredEvery } from './recipes.ts';

/** Where training may end, as a person chooses before the first round. */
export interface End {
  readonly kind: 'minutes' | 'recipe' | 'paper';
  /** "15 minutes", "The recipe", "As the paper". */
  readonly label: string;
  readonly extent: Extent;
  readonly epochs: number;
  /** Of all rounds and scores, on these devices. */
  readonly seconds: number;
}

type Room = Pick<RoomView, 'settings' | 'plan' | 'devices'>;

/** Times that people have. */
const MINUTES = [15, 60] as const;
/** A time is offered where the recipe takes so many times as long. */
const LONGER = 1.2;

const modelKind = ({ model }: Pick<SessionSettings, 'model'>) => (model.kind === 'embedded' ? 'mini' : 'base');

/** The same room, were training to go so far. */
export const withExtent = <T extends Pick<Room, 'settings'>>(room: T, extent: Extent): T => ({
  ...room,
  settings: { ...room.settings, training: { ...room.settings.training, ...extent } },
});

/**
 * What fits into a time that people have, where the recipe takes longer; the recipe's rounds; the paper's passes over the data, of its own
 * models. The learning rate goes with the rounds. Empty while nothing can be said of the time.
 */
export function possibleEnds(room: Room): readonly End[] {
  const end = (kind: End['kind'], label: string, rounds: number): End | null => {
    const extent = { rounds, evaluateEvery: scoredEvery(rounds) };
    const seen = forecast(withExtent(room, extent), []);
    return seen && { kind, label, extent, epochs: epochsOf(rounds, room.settings), seconds: totalSeconds(seen) };
  };
  const { task, training } = room.settings;
  const kind = modelKind(room.settings);
  const recipe = end('recipe', 'The recipe', recipeFor(task.id, kind).training.rounds);
  if (recipe === null) return [];
  const fitted = MINUTES.map((minutes) => {
    const rounds = recipe.seconds < LONGER * 60 * minutes ? null : roundsWithin(room, 60 * minutes);
    return rounds === null ? null : end('minutes', minutes === 60 ? 'An hour' : `${minutes} minutes`, rounds);
  });
  const epochs = kind === 'base' ? paperEpochs(task.id) : null;
  const paper =
    epochs === null
      ? null
      : end('paper', 'As the paper', Math.ceil((epochs * task.trainExamples) / training.samplesPerRound));
  return [...fitted, recipe, paper].filter((one) => one !== null);
}

/** "62 rounds, 0.015 epochs". */
export const endText = ({ extent, epochs }: End): string =>
  `${extent.rounds.toLocaleString('en-US')} ${extent.rounds === 1 ? 'round' : 'rounds'}, ${epochsText(epochs)}`;
