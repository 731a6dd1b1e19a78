/**
 * Of a button that was pressed and is busy with it: it stays in its place in the order of the keyboard, and does nothing. A button that the
 * browser disables while it has the focus loses it, and whoever goes by keyboard is at the top of the page again.
 */
export const pressable = (busy: boolean, onPress?: () => void) => ({
  'aria-disabled': busy ? true : undefined,
  onClick: (event: Event): void => {
    if (busy) event.preventDefault();
    else onPress?.();
  },
});
