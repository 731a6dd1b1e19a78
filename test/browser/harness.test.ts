import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { BROWSER_KINDS } from './find-browser.ts';
import { type Tab, withBrowser } from './harness.ts';
import { type LocalServer, withLocalServer } from './local-server.ts';
import { type ExchangeRequest, type ExchangeResult, exchange, expectedChecksum } from './peer-exchange.ts';

const NODE_PEER = fileURLToPath(new URL('node-peer.ts', import.meta.url));
const MEGABYTE = 1024 * 1024;

const PAGE = `<!doctype html><meta charset="utf-8"><title>trial</title><link rel="icon" href="data:,">
<script src="/peerjs.js"></script><h1>A page</h1>`;

const onTrialPage = <T>(body: (server: LocalServer) => Promise<T>): Promise<T> =>
  withLocalServer(
    {
      pages: { '/': PAGE },
      files: { '/peerjs.js': createRequire(import.meta.url).resolve('peerjs/dist/peerjs.min.js') },
    },
    body,
  );

function exchangeInTab(tab: Tab, request: ExchangeRequest): Promise<ExchangeResult> {
  return tab.page.evaluate(`(${exchange})(peerjs.Peer, ${JSON.stringify(request)})`) as Promise<ExchangeResult>;
}

describe.each(BROWSER_KINDS)('%s', (kind) => {
  test('loads a page at a phone’s and a laptop’s width and keeps a screenshot', () =>
    onTrialPage((server) =>
      withBrowser(kind, async (browser) => {
        for (const width of [390, 1280] as const) {
          const tab = await browser.open(server.url, { width });
          await tab.until('the heading is there', (text) => document.querySelector('h1')?.textContent === text, {
            args: ['A page'],
          });
          expect(await tab.page.evaluate(() => window.innerWidth)).toBe(width);
          expect(existsSync(await tab.screenshot(`harness-${kind}-${width}`))).toBe(true);
          expect(tab.errors).toEqual([]);
        }
      }),
    ));

  test('computes on WebGPU', () =>
    onTrialPage((server) =>
      withBrowser(kind, async (browser) => {
        const tab = await browser.open(server.url);
        const doubled = await tab.page.evaluate(async () => {
          const adapter = await navigator.gpu?.requestAdapter();
          if (!adapter) throw new Error('This browser has no WebGPU adapter.');
          const device = await adapter.requestDevice();
          const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
          const buffer = device.createBuffer({ size: 16, usage, mappedAtCreation: true });
          new Float32Array(buffer.getMappedRange()).set([1, 2.5, -3, 1e6]);
          buffer.unmap();
          const read = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
          const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
            @compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) { x[i] *= 2; }`;
          const module = device.createShaderModule({ code });
          const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
          const entries = [{ binding: 0, resource: { buffer } }];
          const encoder = device.createCommandEncoder();
          const pass = encoder.beginComputePass();
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
          pass.dispatchWorkgroups(1);
          pass.end();
          encoder.copyBufferToBuffer(buffer, 0, read, 0, 16);
          device.queue.submit([encoder.finish()]);
          await read.mapAsync(GPUMapMode.READ);
          return [...new Float32Array(read.getMappedRange())];
        });
        expect(doubled).toEqual([2, 5, -6, 2e6]);
      }),
    ));

  test('reports what the page said when a test fails', async () => {
    const failing = onTrialPage((server) =>
      withBrowser(kind, async (browser) => {
        const tab = await browser.open(server.url);
        await tab.page.evaluate(() => console.error('the page is unwell'));
        await tab.until('it is late', () => false, { timeoutMs: 300 });
      }),
    );
    await expect(failing).rejects.toThrow(/not within 300 ms: it is late[\s\S]*error: the page is unwell/);
  });
});

describe('PeerJS through a PeerServer on this machine, without STUN', () => {
  const base = { sendBytes: MEGABYTE, expectBytes: MEGABYTE };

  /** `results` of the ends with seeds 1 and 2. */
  const check = (results: readonly ExchangeResult[], bytes = MEGABYTE): void => {
    expect(results).toHaveLength(2);
    for (const [i, result] of results.entries()) {
      expect(result.receivedBytes).toBe(bytes);
      expect(result.checksum).toBe(expectedChecksum(i === 0 ? 2 : 1, bytes));
      expect(result.candidateTypes).toEqual(['host']);
    }
  };

  test.each([
    ['chromium', 'firefox'],
    ['firefox', 'chromium'],
  ] as const)('%s calls %s: a megabyte each way over a negotiated channel', (caller, callee) =>
    onTrialPage((server) =>
      withBrowser(caller, (first) =>
        withBrowser(callee, async (second) => {
          const { port, peerPath: path } = server;
          const tabs = [await first.open(server.url), await second.open(server.url)] as const;
          const answering = exchangeInTab(tabs[1], { ...base, id: 'b', remote: null, port, path, seed: 2 });
          const calling = exchangeInTab(tabs[0], { ...base, id: 'a', remote: 'b', port, path, seed: 1 });
          check(await Promise.all([calling, answering]));
        }),
      ),
    ),
  );

  test.each(BROWSER_KINDS)('a Node process calls %s, and ends by itself afterwards', (kind) =>
    onTrialPage((server) =>
      withBrowser(kind, async (browser) => {
        const { port, peerPath: path } = server;
        const tab = await browser.open(server.url);
        const answering = exchangeInTab(tab, { ...base, id: 'b', remote: null, port, path, seed: 2 });
        await withNodePeer({ ...base, id: 'a', remote: 'b', port, path, seed: 1 }, async (node) => {
          const answer = await answering;
          check([await node.result(), answer]);
        });
      }),
    ),
  );

  test('two Node processes exchange more than their buffers hold', () =>
    onTrialPage(({ port, peerPath: path }) => {
      const bytes = 8 * MEGABYTE;
      const both = { sendBytes: bytes, expectBytes: bytes, port, path };
      return withNodePeer({ ...both, id: 'b', remote: null, seed: 2 }, (callee) =>
        withNodePeer({ ...both, id: 'a', remote: 'b', seed: 1 }, async (caller) => {
          check(await Promise.all([caller.result(), callee.result()]), bytes);
        }),
      );
    }));
});

interface NodePeer {
  result(): Promise<ExchangeResult>;
}

/** An end in a process of its own; fails where the process does not end by itself, with code 0, once it is told that all is done. */
async function withNodePeer(request: ExchangeRequest, body: (peer: NodePeer) => Promise<void>): Promise<void> {
  const node = spawn(process.execPath, ['--import', 'tsx', NODE_PEER, JSON.stringify(request)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  try {
    const ended = once(node, 'exit');
    const line = once(createInterface(node.stdout), 'line');
    await body({
      async result() {
        const [text] = await Promise.race([line, ended.then(([code]) => [`"exit code ${code}"`])]);
        return JSON.parse(text);
      },
    });
    node.stdin.end();
    expect(await ended).toEqual([0, null]);
  } finally {
    node.kill('SIGKILL');
  }
}
