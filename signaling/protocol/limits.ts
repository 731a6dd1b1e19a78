/**
 * Bounds on what a peer or the server may send. A message outside them is refused before anything is allocated for it.
 */

export const MAX_DEVICES_IN_ROOM = 64;
/** Pairs of a room's devices of which the host says that they cannot meet. */
export const MAX_RELAYED_PAIRS = 256;
export const MAX_NAME_LENGTH = 40;
export const MAX_LAYERS = 64;
export const MAX_HIDDEN_SIZE = 4096;
export const MAX_SAMPLES_PER_ROUND = 4096;
export const MAX_TOKENS_PER_SAMPLE = 512;
export const MAX_ROUNDS = 1_000_000;
export const MAX_LORA_RANK = 256;
export const MAX_LORA_ALPHA = 10_000;
/** Outputs of a model's head. */
export const MAX_CLASSES = 1000;

/** One control message (JSON text over the WebSocket), in UTF-16 code units. */
export const MAX_CONTROL_CHARACTERS = 256 * 1024;
/** Rounds and scores that one piece of news may tell of besides. */
export const MAX_REPORTS_WITH_NEWS = 8;
/**
 * What one device may put into the view of a room, and what a session's settings may take, in bytes as sent: JSON in UTF-8. So many
 * devices, and a plan for all of them, fit into one control message.
 */
export const MAX_DEVICE_VIEW_BYTES = 3072;
export const MAX_SETTINGS_BYTES = 96 * 1024;

/** Dev examples of the sample that all scores have in common: an accuracy near 0.9 is then known to 1.3 points. */
export const EVALUATION_SAMPLE = 512;

/** Dev samples in one chunk of an evaluation, at most. */
export const MAX_CHUNK_SAMPLES = 256;

/** Samples of one micro-batch of an evaluation in a split room, at most; in a round all of its samples may be one. */
export const MAX_HIDDEN_SAMPLES = 32;

/** f32 values of the longest probe, with which a device measures its link. */
export const MAX_PROBE_VALUES = 512 * 1024;

/** One data message after reassembly, in any session; `tensorSizes` has what a session's own may be. Adapters and head of roberta-large at rank 64 are about 60 MB in f32. */
export const MAX_DATA_MESSAGE_BYTES = 256 * 1024 * 1024;

/** Payload of one slice on a data channel: every browser takes 64 KiB messages; smaller slices pace more finely. */
export const SLICE_PAYLOAD_BYTES = 16 * 1024;
/** And the least: on a slow path a long slice is what an urgent message waits for. */
export const LEAST_SLICE_PAYLOAD_BYTES = 2 * 1024;
