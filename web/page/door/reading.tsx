import { useId } from 'preact/hooks';
import * as say from '../../words/join/door.ts';

/** What others can read, as a short list; without a title of its own where a fold has it. */
export function Reading({ sentences, title: Title }: { sentences: readonly string[]; title: 'h2' | 'h3' | null }) {
  const id = useId();
  const list = (
    <ul class="reading-list">
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
  if (Title === null) return list;
  return (
    <section class="reading" aria-labelledby={id}>
      <Title id={id}>{say.whatOthersCanRead}</Title>
      {list}
    </section>
  );
}
