#!/usr/bin/env node
// The command of the package: the sources run as they are, read by tsx.
import { register } from 'tsx/esm/api';

register();
await import('./tabloom.ts');
