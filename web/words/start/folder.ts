// model-folder.ts
export const chooseTheFolder = 'Choose the folder of a model: config.json, tokenizer.json and model.safetensors.';
export const thisFolderHasNoConfig = 'This folder has no config.json; is it a model’s?';
export const thisFolderHasNoTokenizer = 'This folder has no tokenizer.json, in which the model’s tokens are.';
export const thisFolderHasNoModel =
  'This folder has no model.safetensors, nor an index of several. Weights that are a pickle alone (pytorch_model.bin) are not read.';
export const thisFolderHasNoShards =
  'This folder has an index of weights, but none of the safetensors files that it names; put them beside it.';
