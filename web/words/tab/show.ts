import type { Said } from '../said.ts';

// added-devices.ts
export const thisSessionHasNoLink = 'This session has no link yet.';
export const devicesWereAdded = (mostAdded: Said): string =>
  `${mostAdded} devices were added in this tab; more would help nobody.`;
export const waitUntilThisDeviceHas = 'Wait until this device has measured itself.';
export const thisTab = (value: Said): string => `This tab, ${value}`;

// demonstration.ts
export const laptop = 'Laptop';
export const oldLaptop = 'Old laptop';
export const tablet = 'Tablet';
export const phone = 'Phone';
