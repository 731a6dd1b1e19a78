/** A minimum-cost assignment of every row to its own column. */
export interface MinCostAssignment {
  /** (rows) column of each row. */
  readonly columnOf: Int32Array;
  readonly cost: number;
}

/**
 * Rectangular minimum-cost assignment, rows <= columns, by shortest augmenting paths with potentials: Jonker and Volgenant (Computing
 * 1987) in the rectangular form of Crouse (IEEE T-AES 2016), which SciPy uses too. O(rows^2 * columns).
 * `cost` is (rows, columns) row-major; Infinity forbids a pair. Null when some row can not be served.
 */
export function assign(cost: Float64Array, rows: number, columns: number): MinCostAssignment | null {
  const rowPrice = new Float64Array(rows);
  const columnPrice = new Float64Array(columns);
  const columnOf = new Int32Array(rows).fill(-1);
  const rowOf = new Int32Array(columns).fill(-1);
  const distance = new Float64Array(columns);
  const before = new Int32Array(columns);
  const open = new Int32Array(columns);
  const reachedRows: number[] = [];
  const reachedColumns: number[] = [];

  for (let start = 0; start < rows; start++) {
    distance.fill(Infinity);
    for (let c = 0; c < columns; c++) open[c] = c;
    let openCount = columns;
    let row = start;
    let shortest = 0;
    let sink = -1;
    reachedRows.length = 0;
    reachedColumns.length = 0;
    while (sink < 0) {
      reachedRows.push(row);
      const base = row * columns;
      const offset = shortest - rowPrice[row]!;
      let nearest = Infinity;
      let at = -1;
      for (let i = 0; i < openCount; i++) {
        const c = open[i]!;
        const through = offset + cost[base + c]! - columnPrice[c]!;
        if (through < distance[c]!) {
          distance[c] = through;
          before[c] = row;
        }
        // Among equals a free column ends the search sooner.
        if (distance[c]! < nearest || (distance[c] === nearest && nearest < Infinity && rowOf[c]! < 0)) {
          nearest = distance[c]!;
          at = i;
        }
      }
      if (at < 0) return null;
      shortest = nearest;
      const column = open[at]!;
      open[at] = open[--openCount]!;
      if (rowOf[column]! < 0) sink = column;
      else {
        reachedColumns.push(column);
        row = rowOf[column]!;
      }
    }
    rowPrice[start] = rowPrice[start]! + shortest;
    for (const reached of reachedRows) {
      if (reached !== start) rowPrice[reached] = rowPrice[reached]! + shortest - distance[columnOf[reached]!]!;
    }
    for (const column of reachedColumns) columnPrice[column] = columnPrice[column]! - (shortest - distance[column]!);
    for (let column = sink; ; ) {
      const owner = before[column]!;
      rowOf[column] = owner;
      const next = columnOf[owner]!;
      columnOf[owner] = column;
      if (owner === start) break;
      column = next;
    }
  }
  let total = 0;
  for (let r = 0; r < rows; r++) total += cost[r * columns + columnOf[r]!]!;
  return { columnOf, cost: total };
}
