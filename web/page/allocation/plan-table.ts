import { trainedLayers } from '../../../signaling/protocol/adapters.ts';
import type { RoomAssignment } from '../../../signaling/protocol/plan.ts';
import type { RoomView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import { blocksText, capitalised } from '../../../signaling/protocol/words/lists.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import { runText } from '../../../signaling/protocol/words/units.ts';
import * as say from '../../words/watch/allocation.ts';
import { hasWork } from '../cloth/cloth.ts';
import { markFor, type Seats } from '../cloth/marks.ts';
import { measuredSeconds, totalSeconds } from '../cloth/timing.ts';
import { memoryText } from '../pipeline/pipeline-words.ts';

/** One sentence for each assignment, the reading of the cloth without the picture: the rows of the plan's table. */
export interface TableLine {
  readonly device: string;
  readonly name: string;
  readonly letter: string;
  readonly blocks: string;
  /** How far the gradient travels down: "down to layer 4", "head only". */
  readonly reach: string;
  /** Of the model, in a split room: "layers 0–2, 132 MB of 300 MB"; empty elsewhere. */
  readonly holds: string;
  readonly samples: string;
  readonly predicted: string;
  readonly measured: string;
}

export function planTable(room: RoomView, rounds: readonly RoundReport[], seats: Seats): readonly TableLine[] {
  const { plan } = room;
  if (plan === null) return [];
  const total = room.settings.training.samplesPerRound;
  return plan.assignments.filter(isPlaced).map((assignment) => {
    const measured = measuredSeconds(rounds, plan.version, assignment.device);
    const name = room.devices.find((device) => device.id === assignment.device)?.name ?? say.aDeviceThatLeft;
    const deepest = assignment.layers[0];
    const { start, count } = assignment.samples;
    return {
      device: assignment.device,
      name,
      letter: markFor(seats, assignment.device).letter,
      blocks: blocksText(assignment.layers, assignment.head),
      reach: deepest !== undefined ? say.downToLayer(deepest) : assignment.head ? say.headOnly : 'none',
      holds: holdsText(assignment, room),
      samples: count >= total ? say.all(total) : say.ofWord(start + 1, start + count, total),
      predicted: secondsText(assignment.computeSeconds + assignment.uploadSeconds),
      measured: measured === null ? say.notYet : secondsText(totalSeconds(measured)),
    };
  });
}

function holdsText({ stage, memoryBytes, device }: RoomAssignment, { settings, devices }: RoomView): string {
  if (stage === undefined) return '';
  const limitBytes = devices.find(({ id }) => id === device)?.profile?.memory.limitBytes ?? null;
  return `${runText(stage, settings.shape.layers)}, ${memoryText({ memoryBytes, limitBytes })}`;
}

/** A stage that trains nothing has a place all the same. */
const isPlaced = (assignment: RoomAssignment): boolean => hasWork(assignment) || assignment.stage !== undefined;

/** What the picture's description says to a screen reader: who trains what, in one breath. */
export function clothSentence(room: RoomView): string {
  const { plan } = room;
  const layers = room.settings.shape.layers;
  const trained = trainedLayers(room.settings.lora, layers);
  const bare = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => !trained.includes(layer));
  const rest =
    bare.length === 0
      ? ''
      : say.noAdaptersAndNotTrained(
          capitalised(blocksText(bare, false)),
          bare.length === 1 ? 'carries' : 'carry',
          bare.length === 1 ? 'is' : 'are',
        );
  if (plan === null) return say.layersAndTheHeadNo(layers, rest);
  const who = plan.assignments.filter(hasWork).map((assignment) => {
    const name = room.devices.find((device) => device.id === assignment.device)?.name ?? say.aDeviceThatLeftTitle;
    const seconds = secondsText(assignment.computeSeconds + assignment.uploadSeconds);
    return say.trainsPredicted(name, blocksText(assignment.layers, assignment.head), seconds);
  });
  if (who.length > 8) return say.devicesShareLayers(who.length, layers, rest);
  return `${who.join('; ')}.${rest}`;
}
