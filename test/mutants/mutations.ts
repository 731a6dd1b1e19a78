import { parseSync } from 'vite';

/**
 * Small changes of a source file that a person would feel: flipped signs and comparisons, an index or a constant that is off, a unit
 * that is eight times another, a guard that is gone, a call that is not made. Each is one replacement in the text.
 */
export interface Mutation {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly kind: MutationKind;
}

export type MutationKind = 'operator' | 'number' | 'guard' | 'branch' | 'sign' | 'bound' | 'call' | 'update';

type Node = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly start: number;
  readonly end: number;
};

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    'start' in value &&
    typeof value.start === 'number' &&
    'end' in value &&
    typeof value.end === 'number'
  );
}

const OPERATORS: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '**': '*',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '&&': '||',
  '||': '&&',
  '&': '|',
  '|': '&',
  '>>>': '>>',
  '>>': '<<',
  '<<': '>>',
};

const UPDATES: Readonly<Record<string, string>> = { '+=': '-=', '-=': '+=', '*=': '/=', '/=': '*=' };

const BOUNDS: Readonly<Record<string, string>> = { min: 'max', max: 'min', floor: 'ceil', ceil: 'floor' };

/** Wrappers of an expression that say something of its type alone. */
const TRANSPARENT = new Set(['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression']);

/** Every change, in the order of the text. */
export function mutationsOf(text: string): readonly Mutation[] {
  const found: Mutation[] = [];
  const add = (
    kind: MutationKind,
    node: { readonly start: number; readonly end: number },
    replacement: string,
  ): void => {
    found.push({ kind, start: node.start, end: node.end, text: replacement });
  };
  const source = (node: Node): string => text.slice(node.start, node.end);

  /** Between two operands stands the operator, with blanks or comments around. */
  const between = (left: Node, right: Node, operator: string): { start: number; end: number } | null => {
    const at = text.slice(left.end, right.start).indexOf(operator);
    return at < 0 ? null : { start: left.end + at, end: left.end + at + operator.length };
  };

  const visit = (node: Node): void => {
    const { type, left, right, operator, argument } = node;
    if (type.startsWith('TS') && !TRANSPARENT.has(type)) return;
    if (type === 'ImportDeclaration' || type === 'ThrowStatement') return;
    if ((type === 'BinaryExpression' || type === 'LogicalExpression') && isNode(left) && isNode(right)) {
      const changed = OPERATORS[String(operator)];
      const place = between(left, right, String(operator));
      // Texts are joined by + too: to take one from another only makes nonsense that says so.
      const joins = operator === '+' && [left, right].some((side) => /^['"`]/.test(source(side)));
      if (changed !== undefined && place !== null && !joins) add('operator', place, changed);
    }
    if (type === 'AssignmentExpression' && isNode(left) && isNode(right)) {
      const changed = UPDATES[String(operator)];
      const place = between(left, right, String(operator));
      if (changed !== undefined && place !== null) add('update', place, changed);
    }
    // Which negative number says "none" makes no difference.
    if (type === 'UnaryExpression' && operator === '-' && isNode(argument) && argument.value === 1) return;
    if (type === 'UnaryExpression' && isNode(argument) && (operator === '-' || operator === '!'))
      add('sign', { start: node.start, end: argument.start }, '');
    if (type === 'Literal' && typeof node.value === 'number' && !isLeeway(node.value))
      add('number', node, changedNumber(node.value));
    if (type === 'IfStatement' && isNode(node.test) && !isNode(node.alternate)) add('guard', node.test, 'false');
    if (type === 'ConditionalExpression' && isNode(node.test) && isNode(node.consequent) && isNode(node.alternate))
      add('branch', node, `${source(node.test)} ? ${source(node.alternate)} : ${source(node.consequent)}`);
    if (type === 'MemberExpression' && isNode(node.object) && source(node.object) === 'Math' && isNode(node.property)) {
      const changed = BOUNDS[source(node.property)];
      if (changed !== undefined) add('bound', node.property, changed);
    }
    if (type === 'ExpressionStatement' && isNode(node.expression) && isCall(node.expression)) add('call', node, ';');
    for (const value of Object.values(node)) {
      if (isNode(value)) visit(value);
      else if (Array.isArray(value)) for (const one of value) if (isNode(one)) visit(one);
    }
  };
  const program: unknown = parseSync('source.ts', text, { lang: 'ts' }).program;
  if (!isNode(program)) throw new Error('The parser gave no program.');
  visit(program);
  return found.sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Small numbers count or index: one more. Large ones measure: eight times as much, as bits are of bytes. */
function changedNumber(value: number): string {
  if (Number.isInteger(value) && value < 8) return String(value + 1);
  return String(value * 8);
}

/** What rounding is forgiven may be eight times as much. */
const isLeeway = (value: number): boolean => value !== 0 && value < 1e-5;

function isCall(node: Node): boolean {
  if (node.type === 'AwaitExpression') return isNode(node.argument) && isCall(node.argument);
  return node.type === 'CallExpression';
}

export function mutated(text: string, { start, end, text: replacement }: Mutation): string {
  return text.slice(0, start) + replacement + text.slice(end);
}
