/**
 * The part of the protocol-buffers wire format that ONNX models need (protobuf.dev/programming-guides/encoding): a message is a list of
 * fields, each a tag and a varint, 4 bytes or a length-delimited run. Written out, because libraries that read descriptors compile code
 * at run time, which a strict Content-Security-Policy forbids.
 */
export type Bytes = readonly Uint8Array[];

const encoder = new TextEncoder();

function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function tag(field: number, wireType: 0 | 2 | 5): Uint8Array {
  return varint((field << 3) | wireType);
}

export function integer(field: number, value: number): Bytes {
  return [tag(field, 0), varint(value)];
}

export function float32(field: number, value: number): Bytes {
  return [tag(field, 5), new Uint8Array(Float32Array.of(value).buffer)];
}

/** Tag and length of a run of bytes that follows. */
export function opening(field: number, byteLength: number): Bytes {
  return [tag(field, 2), varint(byteLength)];
}

export function bytes(field: number, value: Uint8Array): Bytes {
  return [...opening(field, value.length), value];
}

export function text(field: number, value: string): Bytes {
  return bytes(field, encoder.encode(value));
}

export function message(field: number, ...parts: readonly Bytes[]): Bytes {
  return bytes(field, concatenate(parts.flat()));
}

/** Repeated integers, one after the other in one run ("packed"). */
export function packedIntegers(field: number, values: readonly number[]): Bytes {
  return bytes(field, concatenate(values.map(varint)));
}

export function concatenate(parts: Bytes): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
