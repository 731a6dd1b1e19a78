import type { Crumb } from './memory/crumb.ts';
import { claimBytes, lookBack } from './memory/crumbs.ts';

/** What a browser tells of itself and its graphics processor; nothing of the person. */
export interface DeviceFacts {
  readonly browser: string;
  readonly cores: number;
  readonly touchPoints: number;
  readonly screen: string;
  readonly secure: boolean;
  readonly isolated: boolean;
  /** Null without an adapter. */
  readonly gpu: {
    readonly name: string;
    readonly software: boolean;
    readonly features: readonly string[];
    readonly limits: Readonly<Record<string, number>>;
  } | null;
  /** What training may take in this tab, in bytes. */
  readonly claimBytes: number;
  /** What a page of this browser was at when it ended without a word; null where none did lately. */
  readonly ended: Crumb | null;
}

/** Those that decide what fits, and how it is cut. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
] as const;

export async function deviceFacts(): Promise<DeviceFacts> {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  const info = adapter?.info;
  return {
    browser: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    touchPoints: navigator.maxTouchPoints,
    screen: `${screen.width} x ${screen.height} at ${devicePixelRatio}`,
    secure: isSecureContext,
    isolated: crossOriginIsolated,
    gpu: adapter
      ? {
          name: [info?.vendor, info?.architecture, info?.device, info?.description].filter(Boolean).join(', '),
          software: info?.isFallbackAdapter ?? false,
          features: [...adapter.features].sort(),
          limits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
        }
      : null,
    claimBytes: claimBytes(),
    ended: (await lookBack()).ended,
  };
}
