import type { Said } from '../said.ts';

// dev-report-words.ts
export const beforeTraining = 'Before training';
export const round = 'round';
export const rounds = 'rounds';
export const after = (round: Said): string => `After ${round}`;
export const devExamples = (examples: Said): string => `${examples} dev examples`;
export const onThoseThatAreFurthest = (when: Said, value: Said): string =>
  `${when}, on ${value}: those that are furthest off come first.`;
export const allAreAnsweredRight = (when: Said, value: Said): string => `${when}, all ${value} are answered right.`;
export const ofAnsweredWrong = (when: Said, wrong: Said, value: Said, wrong2: Said): string =>
  `${when}, ${wrong} of ${value} ${wrong2} answered wrong.`;
export const wasGiven = (label: Said, probability: Said): string => `; ${label} was given ${probability}`;
export const labelAnswer = (label: Said, answer: Said, given: Said): string =>
  `Label: ${label}. Answer: ${answer}${given}.`;

// dev-report.tsx
export const thereIsNoReport = 'There is no report.';
export const whatItGetsRight = 'What it gets right and wrong';
export const eachClass = 'Each class';
export const classWord = 'Class';
export const precision = 'Precision';
export const recall = 'Recall';
export const examples = 'Examples';
export const labelsInRowsAnswers = 'Labels in rows, answers in columns';
export const labelAndItsAnswers = 'Label, and its answers';
export const mostWrongAbout = 'Most wrong about';

// export-guide.ts
export const fromPeftImportPeftModel = 'from peft import PeftModel';
export const fromTransformersImportAutoModelForSequenceClassification =
  'from transformers import AutoModelForSequenceClassification';
export const baseAutoModelForSequenceClassificationFromPretrainedNum = (base: Said, labelCount: Said): string =>
  `base = AutoModelForSequenceClassification.from_pretrained("${base}", num_labels=${labelCount})`;
export const peftDownloadsItself = (id: Said): string => `PEFT downloads ${id} itself.`;
export const theBaseModelLies = (id: Said): string => `The base model lies in this project’s folder models/${id}.`;

// export-kinds.ts
export const adapter = 'Adapter';
export const huggingFacePeftPuts = 'Hugging Face PEFT puts it on the base model; a new session can start from it.';
export const mergedModel = 'Merged model';
export const huggingFaceTransformersOpens = 'Hugging Face transformers opens the folder; nothing else is needed.';
export const onnxModel = 'ONNX model';
export const onnxruntimeAndTransformersJsRun = 'onnxruntime and transformers.js run it, in browsers too.';
export const checkpoint = 'Checkpoint';
export const tabloomsStartPageGoes =
  'Tabloom’s start page goes on from it, here or on another device, in a session of its own.';
export const runLog = 'Run log';
export const oneJsonObjectALine = 'One JSON object a line: rounds, plans and scores, for any text editor or pandas.';
export const curves = 'Curves';
export const csvARowARound =
  'CSV, a row a round: a spreadsheet or pandas opens it, Weights & Biases and TensorBoard with a few lines.';
export const yourExamples = (opens: Said): string => `${opens} Your examples are in it.`;
export const about = (bytes: Said): string => `about ${bytes}`;
export const beforeTrainingWithin = 'before training';
export const roundWithRound = (round: Said): string => `round ${round}`;
export const theBest = (by: Said, by2: Said, round: Said): string => `The best: ${by} ${by2}, ${round}`;
export const theLastRound = (last: Said): string => `The last: round ${last}`;

// exports.tsx
export const itCouldNotBeMade = 'It could not be made.';
export const whichAdapter = 'Which adapter';
export const download = (label: Said): string => `Download: ${label}`;
export const making = 'Making…';
export const downloadTitle = 'Download';
export const howToOpenTheAdapter = 'How to open the adapter';
export const unpack = 'Unpack';
export const andOpenItWithHugging = 'and open it with Hugging Face PEFT.';
export const pythonThatLoadsTheAdapter = 'Python that loads the adapter';
export const howToOpenTheCurves = 'How to open the curves';
export const pythonForWeightsBiases = 'Python for Weights & Biases';
export const pythonForTensorBoard = 'Python for TensorBoard';

// predict-file.tsx
export const theFileCouldNot = 'The file could not be read.';
export const reading = (name: Said): string => `Reading ${name}…`;
export const hasAnAnswerForEvery = (name: Said): string => `${name} has an answer for every row, in the rows’ order.`;
export const predictAFile = 'Predict a file';
export const textsAsCsvTsvJson = 'Texts, as CSV, TSV, JSON lines or Parquet';
export const itStaysOnThisDevice = 'It stays on this device.';
export const text = 'Text';
export const secondText = 'Second text';
export const chooseAColumn = 'Choose a column';
export const predicting = 'Predicting…';
export const predictAndDownload = 'Predict and download';
export const rowsPredicted = 'Rows predicted';

// run-csv.ts
export const importPandasWandb = 'import pandas, wandb';
export const forRowInPandasRead = (fileName: Said): string =>
  `for row in pandas.read_csv("${fileName}").to_dict("records"):`;
export const runLogKV = '    run.log({k: v for k, v in row.items() if v == v}, step=int(row["step"]))';
export const importPandas = 'import pandas';
export const fromTorchUtilsTensorboardImport = 'from torch.utils.tensorboard import SummaryWriter';
export const forNameValueInRow = '    for name, value in row.items():';
export const ifNameStepAndValue =
  '        if name != "step" and value == value: writer.add_scalar(name, value, int(row["step"]))';

// try-it-words.ts
export const aSentenceAboutAFilm = 'A sentence about a film';
export const aPhraseOfAFilm = 'A phrase of a film review';
export const aSentence = 'A sentence';
export const firstSentence = 'First sentence';
export const secondSentence = 'Second sentence';
export const firstQuestion = 'First question';
export const secondQuestion = 'Second question';
export const premise = 'Premise';
export const hypothesis = 'Hypothesis';
export const question = 'Question';
export const sentence = 'Sentence';
export const sentenceWithAPronoun = 'Sentence with a pronoun';
export const theSameWithAName = 'The same with a name in its place';
export const firstText = 'First text';
export const otherClasses = (rest: Said): string => `${rest} other classes`;
export const over999Percent = 'over 99.9 %';
export const under01Percent = 'under 0.1 %';
export const answeredByTheAdapterBefore = 'Answered by the adapter before training.';
export const answeredByTheAdapterAfter = (round: Said): string => `Answered by the adapter after round ${round}.`;

// try-it.tsx
export const theModelGaveNoAnswer = 'The model gave no answer.';
export const orOneOfThese = 'Or one of these:';
export const tryIt = 'Try it';
export const asking = 'Asking…';
export const askTheModel = 'Ask the model';

// zip.ts
export const theArchiveWouldHaveMore = 'The archive would have more than 4 GB, which ZIP cannot hold.';
