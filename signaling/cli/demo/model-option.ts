import * as v from 'valibot';
import { ModelSourceSchema } from '../../protocol/settings.ts';
import { CommandError } from '../command-line.ts';

/** @throws CommandError where this is no repository of a hub. */
export function refuseRepository(model: string, endpoint: string, revision: string): void {
  const read = v.safeParse(ModelSourceSchema, { kind: 'hub', id: model, endpoint, revision });
  if (read.success) return;
  const isRevision = read.issues.some((issue) => v.getDotPath(issue) === 'revision');
  throw new CommandError(
    isRevision
      ? `--revision names a branch, a tag or a commit of the repository, not "${revision}".`
      : `"${model}" is neither a folder with a model's files nor a repository; name one with --model.`,
  );
}
