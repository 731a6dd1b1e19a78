/** Milliseconds of computing that this process has done: bounds on work hold on a busy machine too, where the clock says little. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
