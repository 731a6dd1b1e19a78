/**
 * Which tests must notice a change, by the file that is changed; the first line that matches. Those that know an area best, and no others: a
 * change that only a whole run between processes would notice counts as unnoticed here.
 */
export interface Area {
  readonly files: RegExp;
  readonly project: 'unit' | 'engine';
  readonly tests: readonly string[];
}

const unit = (files: RegExp, ...tests: string[]): Area => ({ files, project: 'unit', tests });
const engine = (files: RegExp, ...tests: string[]): Area => ({ files, project: 'engine', tests });

export const AREAS: readonly Area[] = [
  unit(/^worker\/learn\//, 'test/learn', 'test/device/trainer.test.ts', 'test/host/checkpoint.test.ts'),
  unit(/^worker\/(data|table)\//, 'test/data', 'test/host/checkpoint.test.ts'),
  unit(/^worker\/score\//, 'test/score', 'test/data'),
  unit(/^worker\/model\/pcg4d\.ts$/, 'test/model', 'test/adapter'),
  unit(/^worker\/model\//, 'test/model', 'test/adapter/adapter-files.test.ts', 'test/adapter/merged-model.test.ts'),
  unit(/^worker\/adapter\//, 'test/adapter'),
  unit(/^worker\/files\//, 'test/files', 'test/model'),
  unit(/^worker\/device\//, 'test/device'),
  unit(/^worker\/host\//, 'test/host'),
  engine(
    /^worker\/engine\/(reference\/|[^/]+\.ts$)/,
    'test/engine/dropout.test.ts',
    'test/engine/checked-batch.test.ts',
    'test/engine/plain-roberta.test.ts',
    'test/engine/reference.test.ts',
    'test/engine/weight-storage.test.ts',
  ),
  engine(/^worker\/engine\/onnx\//, 'test/engine/onnx.test.ts', 'test/engine/onnx-graphs.test.ts'),
  engine(/^worker\/engine\/webgpu\//, 'test/webgpu'),
  unit(/^signaling\/protocol\//, 'test/protocol', 'test/room', 'test/model/model-sizes.test.ts', 'test/learn'),
  unit(
    /^signaling\/planner\/teams\//,
    'test/planner/team-moves.test.ts',
    'test/planner/known.test.ts',
    'test/planner/teams.test.ts',
    'test/planner/bounds.test.ts',
    'test/planner/detailed.test.ts',
  ),
  unit(
    /^signaling\/planner\/algorithms\//,
    'test/planner/algorithms.test.ts',
    'test/planner/parts.test.ts',
    'test/room/fit.test.ts',
    'test/planner/joint.test.ts',
  ),
  unit(
    /^signaling\/planner\/blocks\//,
    'test/planner/baselines.test.ts',
    'test/planner/refusals.test.ts',
    'test/planner/parts.test.ts',
    'test/planner/crunch.test.ts',
    'test/planner/joint.test.ts',
    'test/planner/bounds.test.ts',
    'test/planner/known.test.ts',
  ),
  unit(/^signaling\/planner\/replicas\//, 'test/planner/replicas'),
  unit(/^signaling\/planner\/pipelines\//, 'test/planner/pipelines', 'test/planner/replicas'),
  unit(/^signaling\/planner\//, 'test/planner'),
  unit(/^signaling\/room\//, 'test/room'),
  unit(/^signaling\/connection\//, 'test/connection'),
  unit(/^signaling\/server\//, 'test/server'),
  unit(/^web\/session\//, 'test/session'),
  unit(/^web\/page\//, 'test/page'),
];

export function areaOf(path: string): Area | undefined {
  return AREAS.find(({ files }) => files.test(path));
}
