/** Texts to try a model of a task with, written for this page: one, or the two of a pair. */
export const examples: Readonly<Record<string, readonly (readonly [string] | readonly [string, string])[]>> = {
  grammar: [['A wonderful film.'], ['The plot is not bad, but the ending is dull.'], ['I never liked this story.']],
  sst2: [
    ['warm , witty and far too short'],
    ['a plot that forgets where it was going'],
    ['not the disaster it might have been'],
  ],
  cola: [['The letters were written by her aunt.'], ['The letters was wrote by her aunt.']],
  mrpc: [
    ['The bridge was closed on Monday after the storm.', 'After the storm, the bridge was shut on Monday.'],
    ['The bridge was closed on Monday after the storm.', 'The storm reached the coast on Sunday night.'],
  ],
  qqp: [
    ['How do I learn to swim as an adult?', 'What is the best way for adults to learn swimming?'],
    ['How do I learn to swim as an adult?', 'How deep is an Olympic swimming pool?'],
  ],
  stsb: [
    ['A child is feeding ducks at a pond.', 'A girl gives bread to ducks by the water.'],
    ['A child is feeding ducks at a pond.', 'Two men repair a tractor.'],
  ],
  mnli: [
    ['All shops in the street close at six.', 'Nothing in the street is open at eight.'],
    ['All shops in the street close at six.', 'The bakery sells bread until seven.'],
  ],
  'mnli-mismatched': [
    ['All shops in the street close at six.', 'Nothing in the street is open at eight.'],
    ['All shops in the street close at six.', 'The bakery sells bread until seven.'],
  ],
  qnli: [
    ['When was the lighthouse built?', 'The lighthouse, finished in 1884, still guides ships.'],
    ['When was the lighthouse built?', 'The lighthouse is painted in red and white.'],
  ],
  rte: [
    ['Maria moved from Lisbon to Oslo last year.', 'Maria lives in Oslo.'],
    ['Maria moved from Lisbon to Oslo last year.', 'Maria was born in Oslo.'],
  ],
  wnli: [
    ['The cup fell off the shelf because it was too narrow.', 'The shelf was too narrow.'],
    ['The cup fell off the shelf because it was too narrow.', 'The cup was too narrow.'],
  ],
};
