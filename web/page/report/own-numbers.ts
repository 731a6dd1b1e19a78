import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../../../signaling/protocol/profile.ts';
import {
  byteRateText,
  bytesText,
  flopsText,
  rateText,
  secondsText,
} from '../../../signaling/protocol/words/quantities.ts';
import type { DeviceFacts } from '../../tab/device-facts.ts';
import type { Fact } from '../parts/facts.tsx';

/** What a device measured of itself, for those who look; `gpu` undefined while the browser has not told of it. */
export function ownNumbers(profile: Profile, gpu: DeviceFacts['gpu'] | undefined): readonly Fact[] {
  const { backend, flopsPerSecond, memoryBytesPerSecond, linkBitsPerSecond, downloadBitsPerSecond, memory } = profile;
  const { embed, forwardPerLayer, backwardPerLayer, head } = profile.secondsPerSample;
  const isHost = linkBitsPerSecond >= LOCAL_LINK_BITS_PER_SECOND;
  return [
    { what: 'Graphics processor', value: gpu === undefined ? '…' : gpuText(gpu) },
    { what: 'Computes on', value: backend },
    { what: 'Speed in training', value: flopsText(flopsPerSecond) },
    { what: 'Copies in memory', value: byteRateText(memoryBytesPerSecond) },
    {
      what: 'One sample',
      value: `a layer ${exactSeconds(forwardPerLayer)} forward and ${exactSeconds(backwardPerLayer)} backward, embeddings ${exactSeconds(embed)}, head ${exactSeconds(head)}`,
    },
    { what: 'A pass besides', value: secondsText(profile.overheadSeconds) },
    { what: 'Memory', value: `${bytesText(memory.limitBytes)} at most, ${bytesText(memory.weightsBytes)} are weights` },
    { what: 'Link to the host', value: isHost ? 'none needed: it is the host' : rateText(linkBitsPerSecond) },
    ...(downloadBitsPerSecond === undefined ? [] : [{ what: 'Download', value: rateText(downloadBitsPerSecond) }]),
  ];
}

function gpuText(gpu: DeviceFacts['gpu']): string {
  if (gpu === null) return 'none that WebGPU gives';
  const name = gpu.name === '' ? 'not named by the browser' : gpu.name;
  return gpu.software ? `${name}, in software` : name;
}

/** Parts of a sample are far below a second: "0.31 ms", "12 ms". */
function exactSeconds(seconds: number): string {
  return seconds < 0.00995 ? `${Number((1000 * seconds).toPrecision(2))} ms` : secondsText(seconds);
}
