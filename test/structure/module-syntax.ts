import { parseSync } from 'vite';

/**
 * What a source file says about itself, read from its syntax tree: what it imports and which names it takes from outside.
 * Vite's parser reads TypeScript as it is written, so that imports of types, which a compiler drops, are seen too.
 */

/**
 * `value`: runs the other module. `type`: names its types only (`import type`, `import { type A }`, `import('./a.ts').A`).
 * `dynamic`: `import('./a.ts')` as an expression. `url`: `new URL('./a.ts', import.meta.url)`, the way to start a worker.
 */
export type ImportKind = 'value' | 'type' | 'dynamic' | 'url';

export interface ModuleImport {
  /** As written, without a query such as `?worker`; undefined where it is computed. */
  readonly specifier: string | undefined;
  readonly kind: ImportKind;
}

export interface ModuleSyntax {
  readonly imports: readonly ModuleImport[];
  /** Names used in the file and bound nowhere in it: globals, of the language or of a platform. */
  readonly globals: ReadonlySet<string>;
  /** `object.property` pairs whose object is such a name, as `Date.now`. */
  readonly globalMembers: ReadonlySet<string>;
  /** True where every statement re-exports from elsewhere. */
  readonly onlyReexports: boolean;
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function nodesOf(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [];
}

/** The string of a literal, or of a template without holes. */
function constantString(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  const quasis = node.type === 'TemplateLiteral' ? nodesOf(node.quasis) : [];
  const text = quasis.length === 1 ? quasis[0]?.value : undefined;
  return typeof text === 'object' && text !== null && 'cooked' in text && typeof text.cooked === 'string'
    ? text.cooked
    : undefined;
}

function identifierName(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' && typeof node.name === 'string' ? node.name : undefined;
}

/** Adds the names that a declaration or a pattern binds. */
function bind(pattern: unknown, bound: Set<string>): void {
  for (const node of nodesOf(pattern)) {
    const name = identifierName(node);
    if (name !== undefined) bound.add(name);
    else if (node.type === 'ObjectPattern') bind(node.properties, bound);
    else if (node.type === 'Property') bind(node.value, bound);
    else if (node.type === 'ArrayPattern') bind(node.elements, bound);
    else if (node.type === 'AssignmentPattern') bind(node.left, bound);
    else if (node.type === 'RestElement') bind(node.argument, bound);
    else if (node.type === 'TSParameterProperty') bind(node.parameter, bound);
  }
}

/** Fields of a node in which an identifier is a label of something, not a use of a name. */
function labelFields(node: Node): readonly string[] {
  switch (node.type) {
    case 'MemberExpression':
      return node.computed === true ? [] : ['property'];
    case 'Property':
    case 'PropertyDefinition':
    case 'MethodDefinition':
    case 'AccessorProperty':
    case 'TSPropertySignature':
    case 'TSMethodSignature':
    case 'TSAbstractPropertyDefinition':
    case 'TSAbstractMethodDefinition':
      return node.computed === true ? [] : ['key'];
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'TSNamedTupleMember':
      return ['label'];
    case 'ImportDeclaration':
      return ['specifiers', 'attributes'];
    case 'ExportSpecifier':
      return ['exported'];
    case 'ExportAllDeclaration':
      return ['exported'];
    case 'MetaProperty':
      return ['meta', 'property'];
    case 'TSQualifiedName':
      return ['right'];
    case 'TSImportType':
      return ['qualifier'];
    case 'TSTypePredicate':
      return ['parameterName'];
    default:
      return [];
  }
}

function isTypeOnly(node: Node): boolean {
  if (node.importKind === 'type' || node.exportKind === 'type') return true;
  const specifiers = nodesOf(node.specifiers);
  return specifiers.length > 0 && specifiers.every((s) => s.importKind === 'type' || s.exportKind === 'type');
}

function importOf(node: Node): ModuleImport | undefined {
  const clean = (text: string | undefined): string | undefined => text?.replace(/\?.*$/s, '');
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration': {
      const specifier = clean(constantString(node.source));
      return specifier === undefined ? undefined : { specifier, kind: isTypeOnly(node) ? 'type' : 'value' };
    }
    case 'ImportExpression':
      return { specifier: clean(constantString(node.source)), kind: 'dynamic' };
    case 'TSImportType':
      return { specifier: clean(constantString(node.source)), kind: 'type' };
    case 'NewExpression': {
      const [target, base] = nodesOf(node.arguments);
      const specifier = clean(constantString(target));
      const beside = base?.type === 'MemberExpression' && isNode(base.object) && base.object.type === 'MetaProperty';
      return identifierName(node.callee) === 'URL' && beside && specifier !== undefined
        ? { specifier, kind: 'url' }
        : undefined;
    }
    default:
      return undefined;
  }
}

/** Reads one module; throws with the parser's message where the text is not TypeScript. */
export function readModule(path: string, text: string): ModuleSyntax {
  const { program, errors } = parseSync(path, text);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);

  const imports: ModuleImport[] = [];
  const bound = new Set<string>();
  const used = new Set<string>();
  const direct = new Set<string>();
  const members: { object: string; property: string }[] = [];

  const visit = (node: Node): void => {
    const found = importOf(node);
    if (found !== undefined) imports.push(found);

    // Bound anywhere in the file counts as bound: a parameter called `window` is no use of the global, here or elsewhere in the file.
    for (const field of ['params', 'param', 'local', 'parameters'] as const) bind(node[field], bound);
    if (node.type.endsWith('Declaration') || node.type.endsWith('Declarator') || /^(Function|Class)/.test(node.type)) {
      bind(node.id, bound);
    }
    if (node.type === 'TSTypeParameter') bind(node.name, bound);
    if (node.type === 'ImportDeclaration') for (const s of nodesOf(node.specifiers)) bind(s.local, bound);

    const name = identifierName(node);
    if (name !== undefined) used.add(name);
    // `globalThis.fetch` and the type `globalThis.Element` name the global itself, whatever the file binds.
    const viaGlobal = identifierName(node.object) === 'globalThis' || identifierName(node.left) === 'globalThis';
    const named = viaGlobal ? identifierName(node.type === 'TSQualifiedName' ? node.right : node.property) : undefined;
    if (named !== undefined) {
      direct.add(named);
      return;
    }
    if (node.type === 'MemberExpression') {
      const object = identifierName(node.object);
      const property = node.computed === true ? constantString(node.property) : identifierName(node.property);
      if (object !== undefined && property !== undefined) members.push({ object, property });
    }

    const skipped = labelFields(node);
    for (const [field, value] of Object.entries(node)) {
      if (!skipped.includes(field)) for (const child of nodesOf(value)) visit(child);
    }
  };
  const body = nodesOf(program.body);
  for (const statement of body) visit(statement);

  return {
    imports,
    globals: new Set([...direct, ...[...used].filter((name) => !bound.has(name))]),
    globalMembers: new Set(members.filter((m) => !bound.has(m.object)).map((m) => `${m.object}.${m.property}`)),
    onlyReexports: body.length > 0 && body.every((node) => /^Export(Named|All)/.test(node.type) && isNode(node.source)),
  };
}
