// session-lock.ts
export const thisSessionIsOpen = 'This session is open in a tab of this browser; end it there first.';
