import { parseSync } from 'vite';

/** Sentences in a source file, read from its syntax tree: what a person would see of it, and a translator would have to find. */

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

const nodesOf = (value: unknown): readonly Node[] =>
  Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [];

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The name of `f` in `f()` and in `a.f()`. */
function nameOf(node: unknown): string {
  if (!isNode(node)) return '';
  if (node.type === 'MemberExpression') return nameOf(node.property);
  return textOf(node.name);
}

/** Attributes that are read by programs alone. */
const TECHNICAL =
  /^(class|style|d|points|transform|viewBox|name|type|role|id|for|href|rel|key|src|data-.*|aria-(labelledby|describedby|live|controls)|auto.*|inputMode|target|accept|text-anchor|stroke.*|fill.*)$/;

/** Attributes that are read aloud or shown whatever stands in them. */
const SHOWN = /^(label|title|hint|alt|placeholder|aria-label|caption)$/;

/** Functions of the platform whose strings name things. */
const PLATFORM =
  /^(querySelector(All)?|closest|matches|(add|remove)EventListener|getContext|(set|get|remove)Attribute|createElement(NS)?|matchMedia|getPropertyValue|(starts|ends)With|includes|split|join|RegExp|add|remove|toggle|test|DateTimeFormat|NumberFormat)$/;

/** A text with words apart, or with a capital at its front; not a path, a heading's tag or names of styles. */
export function isSentence(text: string, styles: ReadonlySet<string>): boolean {
  if (!/[A-Za-z]/.test(text) || /^\S*\/\S*$/.test(text) || /\dpx\b/.test(text) || /^h[1-6]$/.test(text)) return false;
  const wordsApart = /[A-Za-z’,;:.)] +[(“A-Za-z0-9]/.test(text) || /^[“(]?[A-Z][a-z]+/.test(text);
  return (
    wordsApart &&
    !text
      .trim()
      .split(/\s+/)
      .every((word) => styles.has(word))
  );
}

/** Sentences that stand in a file themselves, as they are written. `styles` are the names that style sheets have. */
export function sentencesIn(path: string, text: string, styles: ReadonlySet<string>): readonly string[] {
  const found: string[] = [];
  const says = (said: string): void => {
    if (isSentence(said, styles)) found.push(said);
  };
  const children = (node: Node): void => {
    for (const [key, value] of Object.entries(node)) if (key !== 'parent') nodesOf(value).forEach(visit);
  };
  const visit = (node: Node): void => {
    const { type } = node;
    if (/^TS(?!AsExpression|SatisfiesExpression|NonNullExpression)/.test(type) || /^(Import|ExportAll)/.test(type))
      return;
    if (type === 'JSXText') {
      const said = textOf(node.value).trim();
      if (/[A-Za-z]/.test(said)) found.push(said);
    } else if (
      type === 'JSXElement' &&
      isNode(node.openingElement) &&
      /^(code|pre)$/.test(nameOf(node.openingElement.name))
    ) {
      return;
    } else if (type === 'JSXAttribute') {
      const name = nameOf(node.name);
      if (TECHNICAL.test(name)) return;
      const said = isNode(node.value) && node.value.type === 'Literal' ? textOf(node.value.value) : '';
      if (SHOWN.test(name) && /[A-Za-z]/.test(said) && !/^h[1-6]$/.test(said)) found.push(said);
      else children(node);
    } else if (type === 'Property') {
      nodesOf(node.value).forEach(visit);
    } else if (type === 'BinaryExpression' && /^([!=]==?|in)$/.test(textOf(node.operator))) {
      [...nodesOf(node.left), ...nodesOf(node.right)].filter((side) => side.type !== 'Literal').forEach(visit);
    } else if (type === 'SwitchCase') {
      nodesOf(node.consequent).forEach(visit);
    } else if (/^(Call|New)Expression$/.test(type) && PLATFORM.test(nameOf(node.callee))) {
      nodesOf(node.callee).forEach(visit);
      nodesOf(node.arguments)
        .filter((one) => !/^(Literal|TemplateLiteral)$/.test(one.type))
        .forEach(visit);
    } else if (type === 'Literal') {
      says(textOf(node.value));
    } else if (type === 'TemplateLiteral') {
      const quasis = nodesOf(node.quasis).map(({ value }) =>
        typeof value === 'object' && value !== null && 'cooked' in value ? textOf(value.cooked) : '',
      );
      // Values are no words: what stands around them is asked alone.
      if (/[A-Za-z]{2,} |[A-Z][a-z]+/.test(quasis.join(' '))) says(quasis.join('0').trim());
      nodesOf(node.expressions).forEach(visit);
    } else children(node);
  };
  const program: unknown = parseSync(path, text).program;
  nodesOf(program).forEach(visit);
  return found;
}
