/**
 * onnxruntime-web writes to GPU buffers straight from its WASM memory, which is shared between threads; Dawn in Node refuses that, browsers
 * do not. Such writes are copied first: a few kilobytes in a step.
 */
export function copySharedWrites(): void {
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, ...rest) {
    Reflect.apply(writeBuffer, this, [buffer, offset, sharedCopy(data) ?? data, ...rest]);
  };
}

function sharedCopy(data: unknown): Uint8Array<ArrayBuffer> | null {
  if (!ArrayBuffer.isView(data) || !(data.buffer instanceof SharedArrayBuffer)) return null;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}
