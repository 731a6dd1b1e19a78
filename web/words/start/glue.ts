import type { Said } from '../said.ts';

// glue-facts.ts
export const roBERTaBaseWithLoRAHu =
  'RoBERTa base with LoRA: Hu et al. 2021, table 2 (arXiv 2106.09685), on the dev sets.';
export const isAPhrase = 'Is a phrase of a film review positive or negative?';
export const slowAndAllTheBetter = 'slow, and all the better for it';
export const coLA = 'CoLA';
export const isItASentence = 'Is it a sentence of English?';
export const theWeaverHaveFinished = 'The weaver have finished the cloth.';
export const matthewsCorrelation = 'Matthews correlation';
export const matthews = 'Matthews';
export const doTwoSentencesSay = 'Do two sentences say the same?';
export const theMillClosedOnFriday = 'The mill closed on Friday.';
export const onFridayTheMillWas = 'On Friday the mill was shut.';
export const f1AndAccuracy = 'F1 and accuracy';
export const doTwoQuestionsAsk = 'Do two questions ask the same?';
export const howDoILearn = 'How do I learn to weave?';
export const whereCanIBuy = 'Where can I buy a loom?';
export const notDuplicate = 'not duplicate';
export const howAlikeAreTwoSentences = 'How alike are two sentences, from 0 to 5?';
export const aWomanWindsWool = 'A woman winds wool.';
export const aWomanIsWindingYarn = 'A woman is winding yarn.';
export const pearsonAndSpearmanCorrelation = 'Pearson and Spearman correlation';
export const pearson = 'Pearson';
export const doesOneSentenceFollow = 'Does one sentence follow from another?';
export const theLoomStoodStillAll = 'The loom stood still all day.';
export const somebodyWoveAtNoon = 'Somebody wove at noon.';
export const doesTheSentenceAnswer = 'Does the sentence answer the question?';
export const whenWasTheMillBuilt = 'When was the mill built?';
export const theMillWasBuilt = 'The mill was built in 1784.';
export const annaSoldTheShop = 'Anna sold the shop to her brother.';
export const annasBrotherOwnsTheShop = 'Anna’s brother owns the shop.';
export const isThePronounReadRightly = 'Is the pronoun read rightly?';
export const theShuttleDidNotFit = 'The shuttle did not fit the shed: it was too wide.';
export const theShuttleWasTooWide = 'The shuttle was too wide.';

// glue-gallery.tsx
export const whichOfGLUEsNine = 'Which of GLUE’s nine';
export const startByItsRecipe = (name: Said): string => `Start ${name} by its recipe`;
export const start = 'Start';
export const published = (publishedSource: Said): string => `Published: ${publishedSource}`;
export const judgeOnOtherKinds = 'Judge on other kinds of text than it learnt from';

// glue-words.ts
export const suchAs = 'Such as';
export const examples = 'Examples';
export const toTrainToScore = (trainExamples: Said, devExamples: Said): string =>
  `${trainExamples} to train, ${devExamples} to score`;
export const score = 'Score';
export const publishedTitle = 'Published';
export const notInThePaper = 'not in the paper';
export const notMeasured = 'not measured';
export const afterRounds = (score: Said, rounds: Said, remark: Said): string =>
  `${score} after ${rounds} rounds${remark}`;
export const recipe = 'Recipe';
export const roundsOfLearningRate = (rounds: Said, samplesPerRound: Said, learningRate: Said): string =>
  `${rounds} rounds of ${samplesPerRound}, learning rate ${learningRate}`;

// mini-scores.ts
export const accuracy780 = 'accuracy 78.0';
export const aConstantAnswerHas81 = 'a constant answer has 81.2';
export const pearson159 = 'Pearson 15.9';
export const matthews0 = 'Matthews 0';
export const aConstantAnswerHas = 'a constant answer has as much';
