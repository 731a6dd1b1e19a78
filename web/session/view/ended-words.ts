/** How a session is over for who left it; a page thanks whoever this is told. */
export const YOU_LEFT = 'You left the session.';
