import type { Said } from './said.ts';

// app.tsx
export const itsCodeCouldNot = 'its code could not be loaded';
export const theSessionCannotBegin = (error: Said): string => `The session cannot begin: ${error}`;
export const theDemonstrationCannotBegin = (error: Said): string => `The demonstration cannot begin: ${error}`;
export const tabloom = 'Tabloom';
export const fineTuneALanguageModel = 'Fine-tune a language model together, in browser tabs';
export const openASessionShare =
  'Open a session, share its link. Every device that joins measures its own speed and trains the layers that suit it.';
export const showMeInThisTab = 'Show me, in this tab';
export const fourPretendedDevicesTrain =
  'Four pretended devices train a real model, in two minutes. Nothing leaves this tab.';
export const startASession = 'Start a session of your own';
