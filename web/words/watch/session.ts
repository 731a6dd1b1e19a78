import type { Said } from '../said.ts';

// announce.ts
export const trainingHasStarted = 'Training has started.';
export const theHostWentAway = 'The host went away; this device leads the session now.';
export const anotherDevice = 'Another device';
export const leadsTheSessionNow = (name: Said): string => `${name} leads the session now.`;
export const waitsAtYourDoor = (name: Said): string => `${name} waits at your door.`;
export const youAreTraining = (now: Said): string => `You are training ${now}.`;
export const cannotGo = (name: Said): string => `${name} cannot go on.`;
export const roundOfLoss = (round: Said, total: Said, loss: Said): string =>
  `Round ${round} of ${total}, loss ${loss}.`;
export const dev = (metric: Said, metric2: Said, constant: Said): string => `Dev ${metric} ${metric2}${constant}.`;

// controls.tsx
export const back = 'Back';
export const backToTheStart = 'Back to the start';
export const finishNow = 'Finish now';
export const finishAfterThisRound = 'Finish after this round?';
export const finish = 'Finish';
export const keepGoing = 'Keep going';
export const cancel = 'Cancel';
export const doNotWait = 'Do not wait';
export const theHostStartsTheTraining = 'The host starts the training.';
export const startTraining = 'Start training';
export const pause = 'Pause';
export const goOn = 'Go on';
export const endTheSession = 'End the session';
export const endItForEveryone = 'End it for everyone?';
export const endIt = 'End it';
export const leaveTheSession = 'Leave the session';

// headline.ts
export const preparingTheSession = 'Preparing the session';
export const theHost = 'the host';
export const waitingForToLetYou = (hostName: Said): string => `Waiting for ${hostName} to let you in`;
export const lookingForTheServer = 'Looking for the server';
export const itDoesNotAnswerTrying = 'It does not answer; trying again.';
export const connecting = 'Connecting';
export const askingTheServer = 'Asking the server for a room.';
export const askingForTheRoom = 'Asking for the room.';
export const evaluatingOfDevExamples = (done: Said, total: Said): string =>
  `Evaluating: ${done} of ${total} dev examples.`;
export const gatheringDevices = 'Gathering devices';
export const readyToStart = 'Ready to start';
export const round = 'round';
export const rounds = 'rounds';
export const firstOf = (total: Said): string => `First of ${total}`;
export const roundOf = (done: Said, total: Said): string => `Round ${done} of ${total}`;
export const scoredBesideTheRounds = (done: Said, total: Said): string =>
  ` Scored beside the rounds: ${done} of ${total} examples.`;
export const pausedAfter = (done: Said): string => `Paused after ${done}`;
export const nothingIsLostTheHost = 'Nothing is lost; the host can go on at any time.';
export const theLastScore = 'The last score is on its way.';
export const finishedAfter = (done: Said): string => `Finished after ${done}`;
export const thisDeviceWasRemoved = 'This device was removed';
export const thisSessionIsOver = 'This session is over';
export const theSessionCouldNotBegin = 'The session could not begin';
export const thisDeviceIsNot = 'This device is not in the session';
export const theFirstGradients = 'The first gradients are on their way.';
export const theAdapterIsReady = 'The adapter is ready.';
export const theHostHasTheAdapter = 'The host has the adapter.';
export const deviceIs = 'device is';
export const devicesAre = 'devices are';
export const device = 'device';
export const devices = 'devices';
export const ofReady = (ready: Said, trainers: Said): string => `${ready} of ${trainers} ready.`;
export const thePlannerIsMaking = 'The planner is making the first plan.';
export const thereIsNoPlan = 'There is no plan for these devices yet.';
export const noDeviceHereCanTrain = 'No device here can train. Open the link on another one.';
export const areGettingReady = (doing: Said): string => `${doing} are getting ready`;
export const noDeviceIsReadyYet = (doing: Said): string => `No device is ready yet: ${doing}.`;
export const isMeasuringItsSpeed = (name: Said): string => `${name} is measuring its speed`;
export const isLoadingTheModel = (name: Said, total: Said): string => `${name} is loading the model${total}`;
export const isJoining = (name: Said): string => `${name} is joining`;
export const ifItIsClosedAnother = 'if it is closed, another device goes on in its place after a few seconds';
export const closingItEndsTheSession = 'closing it ends the session for everyone';
export const everyoneWaitsWhile = 'everyone waits while it is closed';
export const keepThisTabOpenNothing = 'Keep this tab open. Nothing is downloaded or measured before you are in.';
export const youAreWatchingThisTab = 'You are watching; this tab does no work and can be closed at any time.';
export const keepThisTabOpenUntil = 'Keep this tab open until you have taken what you want.';
export const yourDeviceIsDoneYou = 'Your device is done; you can close this tab.';
export const willTrain = 'will train';
export const and = (phase: Said, work: Said): string => `, and ${phase} ${work}`;
export const theHostWentAwayThisTabHolds = 'The host went away: this tab holds the session now';
export const thisTabHoldsTheSession = 'This tab holds the session';
export const keepItOpenAndVisible = (holds: Said, also: Said, view: Said): string =>
  `${holds}${also}. Keep it open and visible; ${view}.`;
export const yourDeviceIsGettingReady = 'Your device is getting ready. Keep this tab open and visible.';
export const yourDeviceIsReady =
  'Your device is ready and waits for its link to the host. Keep this tab open and visible.';
export const yourDeviceIsReadyKeep = 'Your device is ready. Keep this tab open and visible.';
export const yourDeviceStands =
  'Your device stands by: this plan is quicker without it. It steps in when another one leaves.';
export const youAreTrainingTitle = 'You are training';
export const youWillTrain = 'You will train';
export const keepThisTabOpen = (verb: Said, work: Said): string => `${verb} ${work}. Keep this tab open and visible.`;

// now.tsx
export const thisDeviceIsLoading = 'This device is loading the model.';
export const loadingTheModel = 'Loading the model';
export const theHostSees = 'The host sees';
export const besideYourDevicesName =
  'beside your device’s name if nobody sits between you. Tell the host what you see here.';
export const roundsTitle = 'Rounds';
export const devWithMetric = (metric: Said): string => `Dev ${metric}`;
export const to = 'to';
export const on = (value: Said): string => `on ${value}`;
export const putThisMessageAway = 'Put this message away';
export const whatHappened = 'What happened';

// plan-about.tsx
export const aboutThePlan = 'About the plan';
export const thereIsNoPlanYet = 'There is no plan yet; it is made as soon as a device is ready.';
export const policyFromTheNextRound = 'Policy from the next round on';

// plan-facts.ts
export const policy = 'Policy';
export const whichChose = (label: Said, made: Said): string => `${label}, which chose ${made}`;
export const solver = 'Solver';
export const solvedIn = 'Solved in';
export const under01Ms = 'under 0.1 ms';
export const predictedRound = 'Predicted round';
export const noPlanCanBeUnder = 'No plan can be under';
export const gap = 'Gap';
export const planNumber = 'Plan number';
export const noneThisPlan = 'none: this plan is the best possible';
export const percentAtMost = (gap: Said): string => `${gap} % at most`;

// problems.ts
export const suchThingsHappenedTimes = (sentence: Said, times: Said): string =>
  `${sentence} Such things happened ${times} times.`;

// rest.tsx
export const whatIf = 'What if';
export const aboutTheSession = 'About the session';
export const inviteDevices = 'Invite devices';

// session-facts.ts
export const adamW = 'AdamW';
export const adamWWithBetasAndEpsilon = (beta1: Said, beta2: Said, epsilon: Said): string =>
  `AdamW with betas ${beta1} and ${beta2}, epsilon ${epsilon}`;
export const gradientsClippedToNorm = (maxGradientNorm: Said): string => `gradients clipped to norm ${maxGradientNorm}`;
export const gradientsAsThey = 'gradients as they are';
export const loRAWithRatio = (loraPlusRatio: Said): string => `LoRA+ with ratio ${loraPlusRatio}`;
export const weighs = (classNames: Said, weight: Said): string => `${classNames} weighs ${weight}`;
export const labelsAreSmoothed = (labelSmoothing: Said): string => `labels are smoothed by ${labelSmoothing}`;
export const loss = 'Loss';
export const dropout = (dropout: Said): string => `, dropout ${dropout}`;
export const task = 'Task';
export const classes = 'Classes';
export const noneTheModelAnswers = 'none: the model answers with a number';
export const score = 'Score';
export const examples = 'Examples';
export const toTrainToScore = (trainExamples: Said, devExamples: Said): string =>
  `${trainExamples} to train, ${devExamples} to score`;
export const model = 'Model';
export const layer = 'layer';
export const layers = 'layers';
export const wide = (id: Said, layers: Said, hiddenSize: Said): string => `${id}, ${layers}, ${hiddenSize} wide`;
export const weightsInMemory = 'Weights in memory';
export const loRA = 'LoRA';
export const onWithLora = (lora: Said, targets: Said): string => `${lora}, on ${targets}`;
export const training = 'Training';
export const sample = 'sample';
export const samples = 'samples';
export const ofLearningRate = (
  rounds: Said,
  samplesPerRound: Said,
  rounds2: Said,
  learningRate: Said,
  dropout: Said,
): string => `${rounds} of ${samplesPerRound} (${rounds2}), learning rate ${learningRate}${dropout}`;
export const optimiser = 'Optimiser';
export const gradientsOnTheirWay = 'Gradients on their way';

// session.tsx
export const youOnlyWatched = 'You only watched.';
export const theWholePicture = 'The whole picture';
export const thankYou = 'Thank you';
export const theOthersGoOnNothing = (sentence: Said): string => `${sentence} The others go on; nothing of it is lost.`;
export const comeBack = 'Come back';
export const goToTheStart = 'Go to the start';

// standing-words.ts
export const beforeTraining = 'before training';
export const afterRound = (round: Said): string => `after round ${round}`;
export const soFar = ' so far';
export const bestDev = (by: Said, soFar: Said, by2: Said, when: Said): string =>
  `Best dev ${by}${soFar}: ${by2}, ${when}.`;
export const whateverHappensYouCanGo = '; whatever happens, you can go on from there';
export const keptOnThisDevice = (round: Said, further: Said): string =>
  `Kept on this device at round ${round}${further}.`;

// take-area.tsx
export const takeItWithYou = 'Take it with you';
