import type { Said } from '../said.ts';

// adapter-files.ts
export const chooseOneAdapter = (tensors: Said, tensors2: Said): string =>
  `Choose one adapter: ${tensors} are ${tensors2}.`;
export const isAPickleWhichCan = (pickle: Said): string =>
  `${pickle} is a pickle, which can run code when it is opened; save the adapter as safetensors.`;
export const chooseAdapterModelSafetensorsTogether = (peftConfig: Said): string =>
  `Choose adapter_model.safetensors together with ${peftConfig}.`;
export const chooseAdapterModelSafetensors = (peftConfig: Said): string =>
  `Choose adapter_model.safetensors and ${peftConfig} of a PEFT folder, or a LoRA checkpoint as safetensors.`;
export const aPeftAdapter = 'A PEFT adapter';
export const aLoRACheckpointWithout = 'A LoRA checkpoint without its configuration; the alpha below is taken for it';
export const itsRankAndProjectionsReplace = (named: Said, bytes: Said): string =>
  `${named}; ${bytes}. Its rank and projections replace those below.`;

// folds.tsx
export const loRAAndTraining = 'LoRA and training';
export const rankRounds = (rank: Said, rounds: Said, samplesPerRound: Said): string =>
  `rank ${rank}, ${rounds} rounds of ${samplesPerRound}`;
export const loRARank = 'LoRA rank';
export const loRAAlpha = 'LoRA alpha';
export const updatesAreScaledByAlpha = 'Updates are scaled by alpha / rank.';
export const projectionsThatLoRAAdapts = 'Projections that LoRA adapts';
export const rounds = 'Rounds';
export const samplesARound = 'Samples a round';
export const learningRate = 'Learning rate';
export const stopEarly = 'Stop early';
export const theAdapterThatScoredBest = 'The adapter that scored best is kept either way.';
export const checkDevices = 'Check devices';
export const othersComputeSomeOfEach =
  'Others compute some of each device’s parts again. Who lied is removed, and its rounds are done again.';
export const policy = 'Policy';
export const more = 'More';
export const tokensASample = 'Tokens a sample';
export const longerTextsAreCut = 'Longer texts are cut.';
export const roundsBetweenScores = 'Rounds between scores';
export const n0ScoresOnlyBefore = '0 scores only before and after.';
export const dropout = 'Dropout';
export const seed = 'Seed';
export const theSameSeedGives = 'The same seed gives the same curve.';
export const revision = 'Revision';
export const gradientsOnTheirWay = 'Gradients on their way';
export const betweenDevicesThatSplit = 'Between devices that split the model';
export const thisDevice = 'This device';
export const thisDevicesName = 'This device’s name';
export const slowThisDeviceDown = 'Slow this device down';
export const toTryThePlannerOut = 'To try the planner out: 3 makes this device three times slower. 1 is honest.';
export const optimiserAndLoss = 'Optimiser and loss';
export const adamW = 'AdamW,';
export const afterTheWarmUp = 'After the warm-up';
export const warmUpPercentOfRounds = 'Warm-up, % of rounds';
export const clipGradientsToNorm = 'Clip gradients to norm';
export const n0LeavesThemAsThey = '0 leaves them as they are.';
export const weightDecay = 'Weight decay';
export const adamWsFirstBeta = 'AdamW’s first beta';
export const adamWsSecondBeta = 'AdamW’s second beta';
export const adamWsEpsilon = 'AdamW’s epsilon';
export const loRARatio = 'LoRA+ ratio';
export const bLearnsSoManyTimes = 'B learns so many times as fast as A; 1 is plain LoRA.';
export const thresholdPercent = 'Threshold, %';
export const fromThisProbability = 'From this probability on a label is given.';
export const classWeights = 'Class weights';
export const emptyWeighsAllAlikeBalanced =
  'Empty weighs all alike; “balanced”, or a number for each class, with commas.';
export const labelSmoothing = 'Label smoothing';
export const theBestAdapterIsChosen = 'The best adapter is chosen by';
export const stoppingEarlyGoes = 'Stopping early goes by it, too.';
export const theTasksOwnScore = 'The task’s own score';
export const layerByLayer = 'Layer by layer';
export const allLayersAlike = 'all layers alike';
export const layersDiffer = 'layers differ';
export const layersWithAdapters = 'Layers with adapters';
export const emptyMeansAll13 =
  'Empty means all; 1,3 or 4-7 by number from the first, or top:2 for the last two. Nothing is computed below the lowest.';
export const ranksOfSingleLayers = 'Ranks of single layers';
export const suchAs345 = 'Such as 3:4,5:16.';
export const alphasOfSingleLayers = 'Alphas of single layers';
export const updatesAreScaled = 'Updates are scaled by';
export const alphaRankRsLoRA = 'alpha / √rank (rsLoRA)';

// number-field.ts
export const theRank = 'The rank';
export const alpha = 'Alpha';
export const theLearningRate = 'The learning rate';
export const tokensASentence = 'Tokens a sentence';
export const theSeed = 'The seed';
export const warmUp = 'Warm-up';
export const theLargestNorm = 'The largest norm';
export const theFirstBeta = 'The first beta';
export const theSecondBeta = 'The second beta';
export const epsilon = 'Epsilon';
export const theRatioOfLoRA = 'The ratio of LoRA+';
export const theThreshold = 'The threshold';
export const theSlowDown = 'The slow-down';
export const andAtMost = 'and at most';
export const aWholeNumber = 'a whole number';
export const aNumber = 'a number';
export const mustBeTheField = (what: Said, kind: Said, range: Said): string =>
  `${what} must be ${kind} ${range}; the field is empty.`;
export const mustBe = (what: Said, kind: Said, range: Said, typed: Said): string =>
  `${what} must be ${kind} ${range}; this is “${typed}”.`;

// preflight-words.ts
export const noStorageMakesItFit = (together: Said): string => `No storage makes it fit here alone. ${together}`;
export const itFitsWithWeights = (label: Said, memoryBytes: Said, together: Said): string =>
  `It fits with weights of ${label} (${memoryBytes}). ${together}`;
export const layer = 'layer';
export const layers = 'layers';
export const wide = (name: Said, layers: Said, hiddenSize: Said): string => `${name}: ${layers}, ${hiddenSize} wide.`;
export const trainingTakesOfMemory = (needed: Said, label: Said, limit: Said, work: Said): string =>
  `Training takes ${needed} of memory at ${label}; this tab may take ${limit}. It fits.${work}`;
export const trainingTakesOfMemoryAtThisTab = (needed: Said, label: Said, limit: Said, advice: Said): string =>
  `Training takes ${needed} of memory at ${label}; this tab may take ${limit} only. ${advice}`;
export const sample = 'sample';
export const samples = 'samples';
export const aWholeRoundsAtOnce = (samples: Said, bytes: Said): string =>
  `A whole round’s ${samples} at once take ${bytes} at most.`;
export const aWholeRoundsAtOnceWouldTake = (samples: Said, bytes: Said): string =>
  `A whole round’s ${samples} at once would take ${bytes}: it computes fewer at a time.`;
export const severalDevicesCanHold = 'Several devices can hold it together, each some of its layers.';
export const allAreOnThisDevice = (totalBytes: Said): string =>
  `All ${totalBytes} are on this device already; nothing is downloaded.`;
export const toDownloadOnceThisDevice = (downloadBytes: Said): string =>
  `${downloadBytes} to download, once; this device keeps it.`;
export const toDownloadOfAreHere = (downloadBytes: Said, cachedBytes: Said, totalBytes: Said): string =>
  `${downloadBytes} to download; ${cachedBytes} of ${totalBytes} are here already.`;

// preflight.tsx
export const theHubGaveNoAnswer = 'The hub gave no answer.';
export const whatThisTakes = 'What this takes';
export const askingTheHubAbout = (id: Said): string => `Asking the hub about ${id}…`;
export const askAgain = 'Ask again';

// start-form.ts
export const nameARepository = 'Name a repository as the hub does, such as FacebookAI/roberta-base.';
export const nameABranchTag = 'Name a branch, tag or commit of the repository, such as main.';
export const giveTheHubsAddress = (defaultHub: Said): string =>
  `Give the hub’s address with http:// or https://, such as ${defaultHub}.`;
export const chooseAtLeastOneProjection = 'Choose at least one projection that LoRA adapts.';
export const readsTokensAtMost = (id: Said, maxTokens: Said): string => `${id} reads ${maxTokens} tokens at most.`;
export const stoppingEarlyNeedsScoresBetween =
  'Stopping early needs scores between the rounds; choose a number above 0.';

// start-model.tsx
export const repository = 'Repository';
export const everyDeviceDownloadsItOnce = 'Every device downloads it once and keeps it.';
export const theModelsFolder = 'The model’s folder';
export const configJsonTokenizerJson =
  'config.json, tokenizer.json and model.safetensors. It stays on this computer and on the devices that train it: they get it from here and from each other.';
export const file = 'file';
export const files = 'files';
export const theAdaptersFiles = 'The adapter’s files';
export const adapterConfigJsonAndAdapter =
  'adapter_config.json and adapter_model.safetensors of a PEFT folder, or a checkpoint of the original LoRA release as safetensors.';

// start.tsx
export const weightsInMemory = 'Weights in memory';
export const hubAddress = 'Hub address';
export const anyAddressWithTheHugging = 'Any address with the Hugging Face hub’s layout.';
export const startASession = 'Start a session';
export const whichModelLearns = 'Which model learns it';
export const robertaMiniEmbedded = 'roberta-mini, embedded';
export const anotherRoBERTaFromAHub = 'Another RoBERTa, from a hub';
export const anotherRoBERTaFromAFolder = 'Another RoBERTa, from a folder here';
export const n6Layers23Million =
  '6 layers, 2.3 million parameters, pretrained on film reviews. Nothing is downloaded from elsewhere.';
export const beforeYouStart = 'Before you start';
export const starting = 'Starting…';
export const oneFieldNeedsAnotherLook = 'One field needs another look.';
export const fieldsNeedAnotherLook = (problems: Said): string => `${problems} fields need another look.`;
export const whatOthersCanRead = 'What others can read';
export const theRowsAsTokenIds = 'the rows, as token ids; names; scores';
export const startFrom = 'Start from';
export const anAdapter = 'an adapter';
export const aFreshAdapter = 'a fresh adapter';
export const aFreshAdapterTitle = 'A fresh adapter';
export const anAdapterThatIHave = 'An adapter that I have';

// task-choice.tsx
export const filmVerdicts = 'Film verdicts';
export const toTryItNothing = 'to try it; nothing is downloaded';
export const yourOwnTable = 'Your own table';
export const textsWithALabelEach = 'texts with a label each';
export const aTaskOfGlue = 'A task of GLUE';
export const nineOfThem = 'nine of them, from a hub';
export const whatItLearns = 'What it learns';

// task-reach.tsx
export const askingTheHub = 'Asking the hub for the examples…';
export const theHubHasTheExamples = 'The hub has the examples.';
export const withoutThisHubGiveAnother = 'Without this hub: give another one’s address below; or start the server with';
export const aFolderInTheHubs = ', a folder in the hub’s layout; or choose the film verdicts, which need no network.';

// warnings.ts
export const row = 'row';
export const rows = 'rows';
export const onlySoFewTeach = (rows: Said): string =>
  `Only ${rows}: so few teach a model little but their own accidents. A hundred for each class are a beginning.`;
export const oneRowOnlyWhat = (more: Said, single: Said): string =>
  `${more} ${single} one row only: what is set aside to score with cannot be learnt from, too.`;
export const example = 'example';
export const examples = 'examples';
export const scoresWillBeOfThey = (scored: Said): string => `Scores will be of ${scored}: they jump by chance.`;
export const everyRowComesTimesFewer = (epochs: Said): string =>
  `Every row comes ${epochs} times; fewer rounds may do, or stop early by the score.`;
