import type { ModelSource, SessionSettings } from '../../signaling/protocol/settings.ts';
import type { UnitRun } from '../../signaling/protocol/split.ts';

/** One of the model's files with weights, as this device finds it. */
export interface ChunkedFile {
  readonly file: string;
  readonly bytes: number;
  /** The chunks that this device keeps already, as far as can be told without reading them. */
  readonly held: readonly number[];
}

export interface HashedChunk {
  readonly file: string;
  readonly chunk: number;
  /** Of the whole file. */
  readonly bytes: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  /** It came from another device, and is what the host said. */
  readonly isGiven: boolean;
}

/** Chunks of the files of one model: what of them is kept here, and what others may be given. */
export interface ModelChunksApi {
  /** Null where this device keeps nothing, or the model is none that devices give to each other. Rejects as opening the model would. */
  open(request: { readonly model: ModelSource; readonly origin: string }): Promise<readonly ChunkedFile[] | null>;
  /**
   * Of a model in a folder of the host's: what files there are, and their bytes. From then on they can be kept and read. Null where this device
   * keeps nothing.
   */
  announce(request: {
    readonly model: ModelSource;
    readonly origin: string;
    readonly files: readonly { readonly file: string; readonly bytes: number }[];
  }): Promise<readonly ChunkedFile[] | null>;
  /** The chunks that a run needs, in the order of the files. Those with the files' headers have to be kept already, or are fetched. */
  wanted(request: {
    readonly settings: SessionSettings;
    readonly origin: string;
    readonly run: UnitRun;
  }): Promise<readonly { readonly file: string; readonly chunk: number }[]>;
  /** The files of the session's model, where it lies in a folder that this device's person has chosen. */
  useFolder(files: readonly File[]): Promise<void>;
  /** Fetches a chunk from the hub and keeps it. Rejects where that cannot be had, or there is no room. */
  fetch(file: string, chunk: number): Promise<void>;
  /** Keeps a chunk that came from another device, where it is what it should be; false where it is not. Rejects where there is no room. */
  keep(file: string, chunk: number, bytes: Uint8Array, sha256: string): Promise<boolean>;
  /** A chunk that is kept here, whole; null where it is not. */
  read(file: string, chunk: number): Promise<Uint8Array | null>;
  /** Chunks that were kept, or read and found right, since this worker began: those after the first `from`. */
  hashed(from: number): Promise<readonly HashedChunk[]>;
}
