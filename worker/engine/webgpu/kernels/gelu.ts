/**
 * Exact GELU and its derivative, `torch.nn.functional.gelu(u)` without approximation: u * phi(u), phi the normal distribution function.
 * WGSL has no erf: formula 7.1.26 of Abramowitz and Stegun, off by at most 1.5e-7, shares its exponential with the derivative.
 *
 *   gelu(u), geluSlope(u)  on vec4f
 */
export const GELU_WGSL = /* wgsl */ `
struct Normal { below: vec4f, density: vec4f }
fn normal(u: vec4f) -> Normal {
  let x = abs(u) * 0.7071067811865476;
  let t = 1.0 / (1.0 + 0.3275911 * x);
  let bell = exp(-x * x);
  let tail = 0.5 * bell * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Normal(select(tail, 1.0 - tail, u > vec4f(0)), bell * 0.3989422804014327);
}
fn gelu(u: vec4f) -> vec4f {
  return u * normal(u).below;
}
fn geluSlope(u: vec4f) -> vec4f {
  let n = normal(u);
  return n.below + u * n.density;
}
`;

/** erf to double precision: its series for small arguments, the continued fraction of erfc for large ones (Abramowitz and Stegun 7.1.5, 7.1.14). */
function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x > 3) {
    let fraction = 0;
    for (let k = 60; k > 0; k--) fraction = k / 2 / (x + fraction);
    return 1 - Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction));
  }
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * sum; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

export const geluReference = (u: number): number => 0.5 * u * (1 + erf(u * Math.SQRT1_2));

export const geluSlopeReference = (u: number): number =>
  0.5 * (1 + erf(u * Math.SQRT1_2)) + (u * Math.exp((-u * u) / 2)) / Math.sqrt(2 * Math.PI);
