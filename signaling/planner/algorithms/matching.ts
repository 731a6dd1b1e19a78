/**
 * Maximum bipartite matching by Hopcroft and Karp (SIAM J. Comput. 1973), O(E sqrt(V)).
 * `allowed[b]` lists the right vertices that left vertex b may take; answers with a right vertex for each left one, -1 where unmatched.
 */
export function maximumMatching(allowed: readonly (readonly number[])[], rightCount: number): Int32Array {
  const leftCount = allowed.length;
  const rightOf = new Int32Array(leftCount).fill(-1);
  const leftOf = new Int32Array(rightCount).fill(-1);
  const layer = new Int32Array(leftCount);
  const nextEdge = new Int32Array(leftCount);
  const queue = new Int32Array(leftCount);

  /** Breadth first from the free left vertices; says whether a free right vertex was reached. */
  const layers = (): boolean => {
    layer.fill(-1);
    let tail = 0;
    for (let left = 0; left < leftCount; left++) {
      if (rightOf[left]! >= 0) continue;
      layer[left] = 0;
      queue[tail++] = left;
    }
    let reached = false;
    for (let head = 0; head < tail; head++) {
      const left = queue[head]!;
      for (const right of allowed[left]!) {
        const owner = leftOf[right]!;
        if (owner < 0) reached = true;
        else if (layer[owner]! < 0) {
          layer[owner] = layer[left]! + 1;
          queue[tail++] = owner;
        }
      }
    }
    return reached;
  };

  /** Depth first along the layers; recursion is at most as deep as there are left vertices. */
  const augment = (left: number): boolean => {
    const edges = allowed[left]!;
    for (; nextEdge[left]! < edges.length; nextEdge[left]!++) {
      const right = edges[nextEdge[left]!]!;
      const owner = leftOf[right]!;
      if (owner >= 0 && (layer[owner]! !== layer[left]! + 1 || !augment(owner))) continue;
      leftOf[right] = left;
      rightOf[left] = right;
      return true;
    }
    layer[left] = -1;
    return false;
  };

  while (layers()) {
    nextEdge.fill(0);
    for (let left = 0; left < leftCount; left++) if (rightOf[left]! < 0) augment(left);
  }
  return rightOf;
}
