import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { partSuite } from './part-suite.ts';

partSuite('parts on the reference engine', (request) => createReferenceEngine(request), { tolerance: 1e-6 });
partSuite('parts on the onnx engine on WASM', (request) => createOnnxEngine(request, 'wasm'), { tolerance: 0 });
