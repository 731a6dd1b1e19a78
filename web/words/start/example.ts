// example-cloth.tsx
export const twoExamples = 'Two examples';

// example-room.ts
export const webGPU = 'WebGPU';
export const example = 'Example';
export const aSmallModel = 'A small model';
export const eachOfTheThreeDevices =
  'Each of the three devices trains all six layers and the head: the laptop 16 samples of 32, the tablet 9, the phone 7.';
export const aSmallModelFitsEverybody =
  'A small model fits everybody, so the samples are split: the faster a device, the more of them it takes. 0.15 s a round; the laptop alone would need 0.27 s. All together make the same update as one device alone would.';
export const phone = 'Phone';
export const tablet = 'Tablet';
export const laptop = 'Laptop';
export const aLargerOneSlowLinks = 'A larger one, slow links';
export const thePhoneTrainsTheHead =
  'The phone trains the head and layers 10 and 11, the tablet layers 4 to 9, the laptop layers 0 to 3.';
export const aLargerModelLinks =
  'A larger model, links of 5 Mbit/s and a phone with 0.4 GB: now the layers are shared by depth. The further down a block lies, the longer its gradient travels, so the phone takes what lies next to the loss. 6.1 s a round; with the samples split it would be 11 s.';
