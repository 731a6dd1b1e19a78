import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { engineSuite } from './suite.ts';

engineSuite('onnx engine on WASM', (request) => createOnnxEngine(request, 'wasm'));
