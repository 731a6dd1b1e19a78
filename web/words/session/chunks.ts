// manifest.ts
export const theHostTellsTwoSizes = 'The host tells two sizes of one file.';
export const theHostTellsOfMore = 'The host tells of more files than a model has that is shared.';
