import type { Said } from '../said.ts';

// ask.tsx
export const theJokesAreNot = 'the jokes are not at all dull';
export const theStoryIsFineBut = 'the story is fine but the ending is a mess';
export const aWonderfulFilm = 'a wonderful film';
export const theModelGaveNoAnswer = 'The model gave no answer.';
export const aSentenceAboutAFilm = 'A sentence about a film';
export const asking = 'Asking…';
export const ask = 'Ask';
export const beforeTraining = 'Before training';
export const afterRounds = (round: Said): string => `After ${round} rounds`;

// caption.tsx
export const ofWord = (place: Said, steps: Said): string => `${place} of ${steps}`;
export const leave = 'Leave';

// device-card.tsx
export const host = 'host';
export const speed = 'Speed';
export const memory = 'Memory';
export const uplink = 'Uplink';
export const unplug = 'Unplug';
export const plugIn = 'Plug in';
export const wakeUp = 'Wake up';
export const lock = 'Lock';
export const beHonest = 'Be honest';
export const lie = 'Lie';
export const ofWithValue = (value: Said): string => `of ${value}`;

// progress.ts
export const round = (round: Said): string => `Round ${round}`;
export const aRound = (seconds: Said): string => `${seconds} a round`;

// scales.ts
export const fullSpeed = 'full speed';
export const timesSlower = (slowdown: Said): string => `${slowdown} times slower`;
export const asFastAsHere = 'as fast as here';

// show-screen.tsx
export const whoTrainsWhat = 'Who trains what';
export const playWithTheDevices = 'Play with the devices';
export const allOfThemShare =
  'All of them share the processor of this computer. Each is made several times slower than it, so that they have room side by side and a round can be watched; where they have not, what they predict is longer for it. The links between them are real, and so is the training; memory is only pretended.';
export const liedWasFoundOut = 'lied, was found out by the others, and is out';
export const asleep = (status: Said): string => `asleep; ${status}`;
export const theLoomIsBeingSet = 'The loom is being set up…';

// tour.ts
export const aLaptopAnOldLaptop = 'A laptop, an old laptop, a tablet and a phone';
export const theyAreFourWorkers =
  'They are four workers of this tab, each with its own copy of a small language model. Real ones would open a link. First each one says how fast it is, how much memory it has, and how fast its connection is.';
export const seeThePlan = 'See the plan';
export const thePlannerSharesTheWork = 'The planner shares the work';
export const aWiderColumnIsMore = (working: Said): string =>
  `${working} A wider column is more samples; weights that hang from it are seconds. Every other way of sharing was tried, and would be slower.`;
export const train = 'Train';
export const roundAfterRound = 'Round after round';
export const eachDeviceGoesForwardThrough =
  'Each device goes forward through the model and back, and sends what it learned to the laptop, layer by layer: watch the cloth fill.';
export const oneRound = 'One round';
export const soFarEachWerePredicted = (rounds: Said, seconds: Said, latencySeconds: Said, seen: Said): string =>
  `${rounds} so far, ${seconds} each; ${latencySeconds} were predicted. What comes together is exactly what one device alone would have learned.${seen}`;
export const theFirstRoundsAreBeing = 'The first rounds are being trained…';
export const unplugThePhone = 'Unplug the phone';
export const oneLeavesAndNothing = 'One leaves, and nothing is lost';
export const thePhoneWentWithout =
  'The phone went without a word. What it owed of that round the others took over, so that the round came out as it would have, and a new plan goes on without it.';
export const thePhoneIsGoneWithout = 'The phone is gone without a word. The others notice its silence…';
export const itsLinkIsGivenUp = 'Its link is given up after a few seconds…';
export const takeMemoryAway = 'Take memory away';
export const depthDecidesWhoCan = 'Depth decides who can';
export const theLaptopAndTheTablet = (working: Said): string =>
  `The laptop and the tablet cannot go back through the whole model any more, but they can take what is near the answer: the way back to it is short. ${working}`;
export const theLaptopAndTheTabletAreGiven =
  'The laptop and the tablet are given little memory, and the old laptop a slow connection. To train a deep layer a device must keep everything on the way back to it.';
export const thePlanIsBeingMade = 'The plan is being made anew…';
export const takeMoreMemoryAway = 'Take more memory away';
export const noDeviceCanHold = 'No device can hold it; together they can';
export const nowNoDeviceHas = 'Now no device has the memory for the whole model.';
export const deviceHolds = 'device holds';
export const devicesHold = 'devices hold';
export const theModelIsSplit = (stages: Said, seen: Said): string =>
  `The model is split: ${stages} a part each, and samples flow up through them and back. It is still exactly the same training.${seen}`;
export const theModelIsBeingSplit = 'The model is being split…';
export const askTheModel = 'Ask the model';
export const whatItHasLearned = 'What it has learned';
export const itLearnedWhetherASentence = (seen: Said): string =>
  `It learned whether a sentence praises a film or blames it.${seen} Ask it below, or play: everything below acts at once. A device that lies is found out by the others, who compute some of its work again.`;
export const goRoundAgain = 'Go round again';
export const theyLoadTheModel = 'They load the model and measure themselves…';
export const ofReady = (ready: Said, all: Said): string => `${ready} of ${all} ready…`;
export const oneDevice = 'One device';
export const allLayers = 'all layers';
export const ofTheSamples = (device: Said, what: Said, count: Said): string =>
  `${device}: ${what}, ${count} of the samples.`;
export const itGetsRight = (metric: Said): string => ` It gets ${metric} right.`;
