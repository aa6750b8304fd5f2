/** @module PostgreSQL parse trees (libpg-query JSON) to statements: kinds, tables, conditions that are always true. */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { StatementKind } from '@countersign/protocol';
import { SQL_LIMITS } from './sql-limits.ts';

/** What a tree says about one statement. */
export interface TreeStatement {
  readonly kind: StatementKind;
  readonly tables: readonly string[];
  readonly object?: string;
  readonly hasWhere: boolean;
  readonly tautology: boolean;
  readonly hasLimit: boolean;
  readonly star: boolean;
  readonly features: readonly string[];
  /** UTF-8 byte offset and length in the text; length 0 means up to the end. */
  readonly at: number;
  readonly length: number;
  readonly nodes: number;
  readonly cut: boolean;
}

const KINDS: Readonly<Record<string, StatementKind>> = {
  SelectStmt: 'select',
  InsertStmt: 'insert',
  UpdateStmt: 'update',
  DeleteStmt: 'delete',
  MergeStmt: 'merge',
  DropStmt: 'drop',
  DropdbStmt: 'drop',
  DropRoleStmt: 'drop',
  DropTableSpaceStmt: 'drop',
  DropOwnedStmt: 'drop',
  TruncateStmt: 'truncate',
  GrantStmt: 'grant',
  GrantRoleStmt: 'grant',
  CopyStmt: 'copy',
  CallStmt: 'call',
  DoStmt: 'call',
  ExecuteStmt: 'call',
  VariableSetStmt: 'set',
  VariableShowStmt: 'other',
  TransactionStmt: 'transaction',
  ExplainStmt: 'explain',
  RenameStmt: 'alter',
  ViewStmt: 'create',
  IndexStmt: 'create',
  RuleStmt: 'create',
};
const OBJECTS: Readonly<Record<string, string>> = {
  DropdbStmt: 'database',
  DropRoleStmt: 'role',
  DropOwnedStmt: 'owned',
  TruncateStmt: 'table',
  CreateStmt: 'table',
  CreateTableAsStmt: 'table',
  CreatedbStmt: 'database',
  CreateRoleStmt: 'role',
  AlterRoleStmt: 'role',
  AlterRoleSetStmt: 'role',
  CreateSchemaStmt: 'schema',
  ViewStmt: 'view',
  IndexStmt: 'index',
  CreateFunctionStmt: 'function',
  CreateTrigStmt: 'trigger',
  CreateExtensionStmt: 'extension',
  AlterDatabaseStmt: 'database',
  AlterDatabaseSetStmt: 'database',
  AlterSystemStmt: 'system',
};

function child(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return value !== undefined && isJsonObject(value) ? getOwn(value, key) : undefined;
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function names(value: JsonValue | undefined): string {
  return list(value)
    .map((item) => text(child(child(item, 'String'), 'sval')))
    .filter((name) => name !== '')
    .join('.');
}

interface Walk {
  readonly tables: Set<string>;
  readonly commons: Set<string>;
  readonly features: Set<string>;
  nodes: number;
  cut: boolean;
}

function tableName(range: JsonObject): string {
  const parts = [getOwn(range, 'catalogname'), getOwn(range, 'schemaname'), getOwn(range, 'relname')].map(text);
  return parts.filter((part) => part !== '').join('.');
}

function visit(walk: Walk, key: string, value: JsonObject): void {
  if (key === 'RangeVar' || key === 'relation' || key === 'rel' || key === 'view') {
    const name = tableName(value);
    if (name !== '' && walk.tables.size < SQL_LIMITS.tablesMax) walk.tables.add(name);
  } else if (key === 'CommonTableExpr') walk.commons.add(text(getOwn(value, 'ctename')));
  else if (key === 'SubLink' || key === 'RangeSubselect') walk.features.add('subquery');
  if (text(getOwn(value, 'op')) === 'setop_union') walk.features.add('union');
}

function descend(walk: Walk, value: JsonValue, depth: number): void {
  walk.nodes += 1;
  if (depth > SQL_LIMITS.treeDepthMax) {
    walk.cut = true;
    return;
  }
  if (Array.isArray(value)) {
    for (const item of list(value)) descend(walk, item, depth + 1);
    return;
  }
  if (!isJsonObject(value)) return;
  for (const key of Object.keys(value)) {
    const item = getOwn(value, key);
    if (item === undefined || typeof item !== 'object' || item === null) continue;
    if (isJsonObject(item)) visit(walk, key, item);
    descend(walk, item, depth + 1);
  }
}

/** A constant of the tree as comparable text, or undefined. */
function constant(node: JsonValue | undefined): string | undefined {
  const value = child(node, 'A_Const');
  if (value === undefined) {
    const cast = child(child(node, 'TypeCast'), 'arg');
    return cast === undefined ? undefined : constant(cast);
  }
  for (const [field, inner] of [
    ['ival', 'ival'],
    ['fval', 'fval'],
    ['sval', 'sval'],
    ['boolval', 'boolval'],
  ] as const) {
    const found = child(value, field);
    if (found === undefined) continue;
    const plain = child(found, inner) ?? (field === 'ival' ? 0 : field === 'boolval' ? false : '');
    return `${field === 'fval' ? 'ival' : field}:${String(typeof plain === 'object' ? '' : plain)}`;
  }
  return undefined;
}

function isName(node: JsonValue | undefined): boolean {
  return child(node, 'ColumnRef') !== undefined;
}

function sameName(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  return (
    isName(left) && isName(right) && names(child(child(left, 'ColumnRef'), 'fields')) === names(child(child(right, 'ColumnRef'), 'fields'))
  );
}

function compareNumbers(operator: string, x: number, y: number): boolean | undefined {
  switch (operator) {
    case '=':
      return x === y;
    case '<>':
      return x !== y;
    case '<':
      return x < y;
    case '>':
      return x > y;
    case '<=':
      return x <= y;
    case '>=':
      return x >= y;
    default:
      return undefined;
  }
}

/** Truth of `left op right` where both are constants or one name twice. */
function compare(operator: string, left: JsonValue | undefined, right: JsonValue | undefined): boolean | undefined {
  const [a, b] = [constant(left), constant(right)];
  if (a === undefined || b === undefined) return sameName(left, right) && ['=', '>=', '<='].includes(operator) ? true : undefined;
  if (a.startsWith('ival:') && b.startsWith('ival:')) return compareNumbers(operator, Number(a.slice(5)), Number(b.slice(5)));
  if (operator === '=' || operator === '~~') return a === b;
  return operator === '<>' ? a !== b : undefined;
}

function truthOfExpression(node: JsonValue): boolean | undefined {
  const kind = text(child(node, 'kind'));
  const [left, right] = [child(node, 'lexpr'), child(node, 'rexpr')];
  if (kind === 'aexpr_like' || kind === 'aexpr_ilike') {
    if (constant(right) === 'sval:%' && names(child(node, 'name')).startsWith('~')) return true;
  }
  if (kind === 'aexpr_in') {
    const members = list(child(child(right, 'List'), 'items'));
    return members.some((member) => compare('=', left, member) === true) ? true : undefined;
  }
  return kind === 'aexpr_op' || kind === 'aexpr_like' ? compare(names(child(node, 'name')), left, right) : undefined;
}

function truthOfBoolean(node: JsonValue, depth: number): boolean | undefined {
  const parts = list(child(node, 'args')).map((part) => truth(part, depth + 1));
  const operator = text(child(node, 'boolop'));
  if (operator === 'not_expr') return parts[0] === undefined ? undefined : !parts[0];
  const decisive = operator === 'or_expr';
  if (parts.includes(decisive)) return decisive;
  return parts.includes(undefined) ? undefined : !decisive;
}

/** Truth of a condition: true or false where it is the same for every row, undefined where it is not known to be. */
function truth(node: JsonValue | undefined, depth: number): boolean | undefined {
  if (node === undefined || depth > SQL_LIMITS.treeDepthMax) return undefined;
  const value = constant(node);
  if (value !== undefined) return value === 'boolval:true' || (value.startsWith('ival:') && Number(value.slice(5)) !== 0);
  const expression = child(node, 'A_Expr');
  if (expression !== undefined) return truthOfExpression(expression);
  const boolean = child(node, 'BoolExpr');
  if (boolean !== undefined) return truthOfBoolean(boolean, depth);
  const nulls = child(node, 'NullTest');
  if (nulls === undefined || constant(child(nulls, 'arg')) === undefined) return undefined;
  return text(child(nulls, 'nulltesttype')) === 'is_not_null';
}

function isStar(body: JsonObject): boolean {
  return list(getOwn(body, 'targetList')).some((target) => {
    const fields = list(child(child(child(child(target, 'ResTarget'), 'val'), 'ColumnRef'), 'fields'));
    return fields.some((field) => child(field, 'A_Star') !== undefined);
  });
}

/** The first text that is not empty, or ``. */
function firstOf(texts: readonly string[]): string {
  return texts.find((one) => one !== '') ?? '';
}

function dropped(body: JsonObject): readonly string[] {
  return list(getOwn(body, 'objects')).map((item) => {
    const inList = names(child(child(item, 'List'), 'items'));
    return firstOf([inList, text(child(child(item, 'String'), 'sval')), names(child(child(item, 'TypeName'), 'names'))]);
  });
}

function objectOf(type: string, body: JsonObject): string | undefined {
  const removed = firstOf(['removeType', 'renameType', 'objtype'].map((key) => text(getOwn(body, key))));
  if (removed.startsWith('object_')) return removed.slice(7).replace('matview', 'view');
  return OBJECTS[type];
}

function kindOf(type: string): StatementKind {
  const known = KINDS[type];
  if (known !== undefined) return known;
  if (type.startsWith('Create') || type.startsWith('Define')) return 'create';
  return type.startsWith('Alter') ? 'alter' : 'other';
}

function special(type: string, body: JsonObject, features: Set<string>): void {
  if (type !== 'CopyStmt') return;
  if (getOwn(body, 'is_program') === true) features.add('copy-program').add('os');
  else if (getOwn(body, 'filename') !== undefined) features.add('file');
}

function conditions(body: JsonObject): readonly (JsonValue | undefined)[] {
  return [getOwn(body, 'whereClause'), getOwn(body, 'havingClause')];
}

/** The conditions of a select and of both sides of its unions. */
function anyTautology(body: JsonObject, depth: number): boolean {
  if (depth > SQL_LIMITS.treeDepthMax) return false;
  if (conditions(body).some((condition) => truth(condition, 0) === true)) return true;
  const sides = [getOwn(body, 'larg'), getOwn(body, 'rarg')];
  return sides.some((side) => side !== undefined && isJsonObject(side) && anyTautology(side, depth + 1));
}

function joinTautology(body: JsonObject): boolean {
  return list(getOwn(body, 'fromClause')).some((item) => truth(child(child(item, 'JoinExpr'), 'quals'), 0) === true);
}

interface Inner {
  readonly type: string;
  readonly body: JsonObject;
}

function onlyChild(value: JsonValue | undefined): Inner | undefined {
  const type = value !== undefined && isJsonObject(value) ? Object.keys(value)[0] : undefined;
  const body = type === undefined ? undefined : child(value, type);
  return type === undefined || body === undefined || !isJsonObject(body) ? undefined : { type, body };
}

/** `explain analyze delete ...` runs what it explains: the inner statement counts. */
function unwrapExplain(outer: Inner): Inner {
  if (outer.type !== 'ExplainStmt') return outer;
  const runs = list(getOwn(outer.body, 'options')).some((option) => text(child(child(option, 'DefElem'), 'defname')) === 'analyze');
  return (runs ? onlyChild(getOwn(outer.body, 'query')) : undefined) ?? outer;
}

function numberOf(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function readStatement(item: JsonValue): TreeStatement | undefined {
  const outer = onlyChild(child(item, 'stmt'));
  if (outer === undefined) return undefined;
  const walk: Walk = { tables: new Set(), commons: new Set(), features: new Set(), nodes: 0, cut: false };
  visit(walk, outer.type, outer.body);
  descend(walk, outer.body, 0);
  const { type, body } = unwrapExplain(outer);
  if (type === 'DropStmt')
    for (const name of dropped(body)) if (name !== '' && walk.tables.size < SQL_LIMITS.tablesMax) walk.tables.add(name);
  special(type, body, walk.features);
  const object = objectOf(type, body);
  return {
    kind: kindOf(type),
    tables: [...walk.tables].filter((name) => !walk.commons.has(name)),
    ...(object === undefined ? {} : { object }),
    hasWhere: getOwn(body, 'whereClause') !== undefined,
    tautology: anyTautology(body, 0) || joinTautology(body),
    hasLimit: getOwn(body, 'limitCount') !== undefined,
    star: isStar(body),
    features: [...walk.features],
    at: numberOf(child(item, 'stmt_location')),
    length: numberOf(child(item, 'stmt_len')),
    nodes: walk.nodes,
    cut: walk.cut,
  };
}

/** Statements of a parse tree, in order. */
export function readTree(tree: JsonValue): readonly TreeStatement[] {
  return list(child(tree, 'stmts')).flatMap((item) => readStatement(item) ?? []);
}
