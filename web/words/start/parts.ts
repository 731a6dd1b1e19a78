import type { Said } from '../said.ts';

// choices.ts
export const sentimentOfFilmVerdicts = 'Sentiment of film verdicts';
export const n4000ShortFilmVerdicts =
  '4,000 short film verdicts made by a grammar, with negation and contrast. Nothing is downloaded.';
export const isAPhrase = 'Is a phrase of a film review positive or negative?';
export const coLA = 'CoLA';
export const isItASentence = 'Is it a sentence of English?';
export const doTwoSentencesSay = 'Do two sentences say the same?';
export const doTwoQuestionsAsk = 'Do two questions ask the same?';
export const howAlikeAreTwoSentences = 'How alike are two sentences, from 0 to 5?';
export const mnliMatched = 'MNLI, matched';
export const doesOneSentenceFollow = 'Does one sentence follow from another? Judged on the same kinds of text.';
export const mnliMismatched = 'MNLI, mismatched';
export const doesOneSentenceFollowFromAnotherJudged =
  'Does one sentence follow from another? Judged on other kinds of text.';
export const doesTheSentenceAnswer = 'Does the sentence answer the question?';
export const doesOneSentenceFollowFromAnother2 = 'Does one sentence follow from another? 2,490 examples.';
export const isThePronounReadRightly = 'Is the pronoun read rightly? 635 examples.';
export const partOfGlue = (hint: Said): string => `${hint} Part of GLUE.`;
export const query = 'Query';
export const key = 'Key';
export const value = 'Value';
export const attentionOutput = 'Attention output';
export const feedForward = 'Feed-forward in';
export const feedForwardOut = 'Feed-forward out';
export const theWeightsAsThey = 'The weights as they are: the most memory, the exact gradient.';
export const halfTheMemoryGradientsChange =
  'Half the memory. Gradients change by about 0.2 %, which training does not notice.';
export const aQuarterOfTheMemory =
  'A quarter of the memory. Gradients change by 2 to 4 %, in very large models by more.';
export const hiddenStatesAsThey = 'Hidden states as they are: the gradient of one device, exactly.';
export const halfOfWhatTheseDevices = 'Half of what these devices send each other. Gradients change by about 0.1 %.';
export const gradientsAsThey = 'Gradients as they are: the gradient of one device, exactly.';
export const halfOfWhatDevicesSend = 'Half of what devices send and get in a round. Gradients change by about 0.02 %.';
export const aQuarterOfWhatDevices =
  'A quarter of what devices send and get in a round. Gradients change by about 1 %, in the mean by nothing.';
export const noTrainAllRounds = 'No, train all rounds';
export const after2ScoresWithout = 'After 2 scores without a better one';
export const after3ScoresWithout = 'After 3 scores without a better one';
export const after5ScoresWithout = 'After 5 scores without a better one';
export const after10ScoresWithout = 'After 10 scores without a better one';
export const yesWith8Percent = 'Yes, with 8 % of the compute';
export const yesWith20Percent = 'Yes, with 20 % of the compute';
export const noOnlyFriendsTakePart = 'No: only friends take part';
export const makesEveryPlanThatFits = 'Makes every plan that fits and takes the one with the shortest predicted round.';
export const oneBlockForEachDevice = 'One block for each device, the exact best at equal bandwidth.';
export const blocksAndBandwidthTogether = 'Blocks and bandwidth together, by dual ascent, as in the LoLa DEFT paper.';
export const blocksAndBandwidthTogetherTheCertifiedBest =
  'Blocks and bandwidth together, the certified best with one block for each device.';
export const splitsTheSamplesOverTeams = 'Splits the samples over teams and the blocks over each team’s members.';
export const blocksDealtOutByChance = 'Blocks dealt out by chance; a baseline.';
export const theFastestDeviceTakes = 'The fastest device takes the deepest block; a baseline.';
export const plansAsIfDepthCost = 'Plans as if depth cost nothing; a baseline.';
export const bestBlocksWithTheAirtime = 'Best blocks with the airtime shared evenly; a baseline.';
export const theBestSingleDeviceDoes = 'The best single device does everything.';
export const everyDeviceTrainsAllBlocks = 'Every device trains all blocks on its share of the samples.';
export const eachDeviceHoldsARun = 'Each device holds a run of layers; hidden states travel from device to device.';
export const theHostTrainsEverythingItself = 'The host trains everything itself.';
export const linearDecay = 'Linear decay';
export const cosineDecay = 'Cosine decay';
export const constantRate = 'Constant rate';
export const theLowestDevLoss = 'The lowest dev loss';

// file-field.tsx
export const chooseAFolder = 'Choose a folder';
export const chooseFiles = 'Choose files';
export const chooseAFile = 'Choose a file';
export const chooseAnother = 'Choose another';
export const orDrop = 'or drop';
export const here = 'here';

// theme.tsx
export const asTheSystem = 'as the system';
export const coloursChange = (theme: Said, theme2: Said): string => `Colours: ${theme}. Change to ${theme2}.`;
export const colours = (theme: Said): string => `Colours: ${theme}`;
