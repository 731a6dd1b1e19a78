import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../../../signaling/protocol/profile.ts';
import {
  byteRateText,
  bytesText,
  flopsText,
  rateText,
  secondsText,
} from '../../../signaling/protocol/words/quantities.ts';
import type { DeviceFacts } from '../../tab/device-facts.ts';
import * as say from '../../words/take/report.ts';
import type { Fact } from '../parts/facts.tsx';

/** What a device measured of itself, for those who look; `gpu` undefined while the browser has not told of it. */
export function ownNumbers(profile: Profile, gpu: DeviceFacts['gpu'] | undefined): readonly Fact[] {
  const { backend, flopsPerSecond, memoryBytesPerSecond, linkBitsPerSecond, downloadBitsPerSecond, memory } = profile;
  const { embed, forwardPerLayer, backwardPerLayer, head } = profile.secondsPerSample;
  const isHost = linkBitsPerSecond >= LOCAL_LINK_BITS_PER_SECOND;
  return [
    { what: say.graphicsProcessorTitle, value: gpu === undefined ? '…' : gpuText(gpu) },
    { what: say.computesOn, value: backend },
    { what: say.speedInTraining, value: flopsText(flopsPerSecond) },
    { what: say.copiesInMemory, value: byteRateText(memoryBytesPerSecond) },
    {
      what: say.oneSample,
      value: say.aLayerForwardAndBackward(
        exactSeconds(forwardPerLayer),
        exactSeconds(backwardPerLayer),
        exactSeconds(embed),
        exactSeconds(head),
      ),
    },
    { what: say.aPassBesides, value: secondsText(profile.overheadSeconds) },
    { what: say.memory, value: say.atMostAreWeights(bytesText(memory.limitBytes), bytesText(memory.weightsBytes)) },
    { what: say.linkToTheHost, value: isHost ? say.noneNeeded : rateText(linkBitsPerSecond) },
    ...(downloadBitsPerSecond === undefined ? [] : [{ what: say.download, value: rateText(downloadBitsPerSecond) }]),
  ];
}

function gpuText(gpu: DeviceFacts['gpu']): string {
  if (gpu === null) return say.noneThatWebGPUGives;
  const name = gpu.name === '' ? say.notNamedByTheBrowser : gpu.name;
  return gpu.software ? say.inSoftwareWithName(name) : name;
}

/** Parts of a sample are far below a second: "0.31 ms", "12 ms". */
function exactSeconds(seconds: number): string {
  return seconds < 0.00995 ? `${Number((1000 * seconds).toPrecision(2))} ms` : secondsText(seconds);
}
