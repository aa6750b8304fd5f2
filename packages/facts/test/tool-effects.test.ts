import { beforeAll, describe, expect, it } from 'vitest';
import type { Facts } from '@countersign/protocol';
import { createParsers } from '../src/parsers.ts';
import { SQL_LIMITS } from '../src/sql-limits.ts';
import { createUnderstanding, type Understanding } from '../src/understand.ts';
import { actionOf } from './actions.ts';
import { wasmBytes } from './wasm-bytes.ts';

let understanding: Understanding;

beforeAll(async () => {
  understanding = createUnderstanding(await createParsers(wasmBytes()));
});

function factsOf(command: string): Facts {
  return understanding.understand(actionOf('shell.exec', { tool: 'shell.exec', params: { command } }), []);
}

/** `kind place target` of every effect on a place elsewhere. */
function effectsOf(command: string): readonly string[] {
  const local = new Set(['', 'public', 'program', 'scratch', 'domain', 'unknown']);
  return factsOf(command)
    .effects.filter(({ place }) => !local.has(place))
    .map(({ kind, place, target }) => `${kind} ${place} ${target}`);
}

describe('RULE-125 what a call of a tool brings about', () => {
  const cases: readonly (readonly [command: string, ...effects: readonly string[]])[] = [
    ['git push origin main', 'writes shared-history origin main'],
    ['git push -f origin main', 'deletes shared-history origin main'],
    ['git push origin :topic', 'deletes shared-history origin :topic'],
    ['git push --force-with-lease', 'deletes shared-history git push'],
    ['git clean -fdx', 'deletes worktree git clean'],
    ['git clean -nfdx'],
    ['git reset --hard', 'deletes worktree git reset'],
    ['git reset --soft a1'],
    ['git status'],
    ['kubectl delete ns/web', 'deletes cluster ns/web'],
    ['kubectl get pods'],
    ['kubectl get secret db', 'reads secret-store secret db'],
    ['kubectl create clusterrolebinding x --clusterrole=view', 'escalates cluster clusterrolebinding x'],
    ['kubectl apply -f a.yaml', 'writes cluster kubectl apply'],
    ['docker run -v /:/host alpine', 'escalates host alpine'],
    ['docker run --pid=host alpine', 'escalates host alpine'],
    ['docker run alpine', 'executes container alpine'],
    ['docker compose down -v', 'deletes container docker compose down'],
    ['docker compose down'],
    ['terraform destroy', 'deletes cloud terraform destroy'],
    ['terraform apply -destroy', 'deletes cloud terraform apply'],
    ['terraform apply plan.out', 'writes cloud plan.out'],
    ['aws s3 rm s3://logs/a', 'deletes cloud s3://logs/a'],
    ['aws ec2 terminate-instances', 'deletes cloud aws ec2 terminate-instances'],
    ['aws cloudtrail stop-logging --name main', 'hides cloud-log main'],
    ['aws iam create-access-key', 'escalates cloud aws iam create-access-key'],
    ['aws secretsmanager get-secret-value --secret-id db', 'reads secret-store db'],
    ['aws sqs create-queue', 'writes cloud aws sqs create-queue'],
    ['aws ec2 describe-instances'],
    ['gcloud projects add-iam-policy-binding shop', 'escalates cloud shop'],
    ['az group list'],
    ['npm install left', 'executes package left'],
    ['npm install'],
    ['npm publish', 'writes registry npm publish'],
    ['redis-cli flushall', 'deletes database redis flushall'],
    ['redis-cli set a b', 'writes database a b'],
    ['redis-cli get a'],
  ];
  it.each(cases.map(([command, ...effects]) => [command, effects] as const))('%s', (command, effects) => {
    expect(effectsOf(command)).toEqual(effects);
  });
});

describe('RULE-123 what a client of a database is given is read as statements and commands', () => {
  const kinds = (command: string): readonly string[] =>
    factsOf(command).statements.map(({ kind, tables }) => `${kind} ${tables.join(' ')}`);

  it.each([
    ["psql -h db -c 'DROP TABLE orders'", ['drop orders']],
    ["mysql shop -e 'DELETE FROM orders'", ['delete orders']],
    ["echo 'TRUNCATE orders' | psql shop", ['truncate orders']],
    ["psql shop <<'EOF'\n\\timing\nUPDATE staff SET pay = 1;\nEOF", ['update staff']],
    ['ssh db \'psql -c "DROP TABLE orders"\'', ['drop orders']],
    ["kubectl exec db-0 -- psql -c 'DROP TABLE orders'", ['drop orders']],
    ["bq query 'DELETE FROM `p.d.orders` WHERE true'", ['delete p.d.orders']],
    ["psql -c '\\dt'", []],
    ["mongosh --eval 'db.orders.find()'", []],
    ["echo 'DROP TABLE orders' > notes.txt", []],
  ])('%s', (command, statements) => expect(kinds(command)).toEqual(statements));

  it.each(["psql -c '\\! id -u'", "sqlite3 a.db '.shell id -u'", "mysql -e 'system id -u'"])('%s hands a command to a shell', (command) => {
    expect(factsOf(command).commands.map(({ line }) => line)).toContain('id -u');
  });
});

describe('RULE-127 texts that run inside texts that run', () => {
  it('as deep as the limit, and what is deeper says that it was cut', () => {
    const nested = (depth: number): string => {
      let text = 'DROP TABLE orders';
      for (let i = 0; i < depth; i += 1) text = `EXEC('${text.replaceAll("'", "''")}')`;
      return text;
    };
    const read = (depth: number): readonly [readonly string[], readonly string[]] => {
      const facts = understanding.understand(actionOf('db.query', { tool: 'database.query', params: { sql: nested(depth) } }), []);
      return [facts.statements.map(({ kind }) => kind), facts.cuts];
    };
    expect(read(SQL_LIMITS.innerDepthMax)[0]).toContain('drop');
    expect(read(SQL_LIMITS.innerDepthMax)[1]).toEqual([]);
    expect(read(SQL_LIMITS.innerDepthMax + 1)[0]).not.toContain('drop');
    expect(read(SQL_LIMITS.innerDepthMax + 1)[1]).toEqual(['sql-unknown']);
  });
});

describe('RULE-126 statements that no semicolon parts', () => {
  const kinds = (sql: string): readonly string[] =>
    understanding.understand(actionOf('db.query', { tool: 'database.query', params: { sql } }), []).statements.map(({ kind }) => kind);

  it.each([
    ['SELECT 1 DROP TABLE orders', ['select', 'drop']],
    ['USE shop GO TRUNCATE TABLE orders GO', ['other', 'truncate']],
    ['IF 1=1 DELETE FROM orders', ['other', 'delete']],
    ['CREATE TRIGGER x ON t AFTER INSERT AS BEGIN DELETE FROM log END', ['create']],
    ['SELECT id FROM t FOR UPDATE', ['select']],
    ['INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1', ['insert']],
    ['ALTER TABLE a ADD FOREIGN KEY (x) REFERENCES b ON DELETE SET NULL', ['alter']],
  ])('%s', (sql, found) => expect(kinds(sql)).toEqual(found));
});

describe('RULE-128 what dialects do outside their tables', () => {
  const features = (sql: string): readonly string[] =>
    understanding
      .understand(actionOf('db.query', { tool: 'database.query', params: { sql } }), [])
      .statements.flatMap((one) => one.features);

  it.each([
    ["BULK INSERT t FROM 'c:/a.csv'", 'file'],
    ["ATTACH '/tmp/x.db' AS x", 'file'],
    ["SELECT * FROM file('/etc/passwd')", 'file'],
    ["INSTALL PLUGIN x SONAME 'x.so'", 'os'],
    ["ALTER SYSTEM SET archive_command = 'cp x y'", 'os'],
    ["BACKUP DATABASE shop TO DISK = 'a.bak'", 'export'],
    ["UNLOAD ('SELECT 1') TO 's3://drop/x'", 'export'],
    ['RESET MASTER', 'log-loss'],
    ['SET GLOBAL max_connections = 5', 'server-setup'],
    ['KILL 55', 'stops'],
  ])('%s', (sql, feature) => expect(features(sql)).toContain(feature));

  it('a column of the same name is none of it', () => {
    expect(features('SELECT kill, file, language FROM s3 WHERE attach = 1')).toEqual([]);
  });
});
