import { describe, expect, it } from 'vitest';
import { FACTS_LIMITS } from '../src/limits.ts';
import { readToolCall } from '../src/tool-call.ts';

/** `verb | flags | operands`, of words that are separated by one blank. */
function shown(line: string, input?: string): string {
  const [name = '', ...args] = line.split(' ');
  const call = readToolCall(name, args, input);
  return call === undefined ? '' : [call.verb, call.flags.join(' '), call.operands.join(' ')].join(' | ');
}

describe('RULE-120 a tool is asked for its verb, wherever the words stand', () => {
  const cases: readonly (readonly [line: string, reading: string])[] = [
    ['git push origin main', 'git push |  | origin main'],
    ['git -C x --no-pager push -f origin', 'git push | --directory=x --no-pager --force | origin'],
    ['git -Cproject push -fu origin +main', 'git push | --directory=project --force --set-upstream | origin +main'],
    ['git push --mirr', 'git push | --mirror | '],
    ['git push --force-w', 'git push | --force-with-lease | '],
    ['git push --no-force=false', 'git push |  | '],
    ['git -c core.sshCommand=x fetch', 'git fetch | --config=core.sshCommand=x | '],
    ['git clone -c a.b=1 u', 'git clone | --config=a.b=1 | u'],
    ['git remote set-url origin u', 'git remote set-url |  | origin u'],
    ['git branch -D topic', 'git branch | --delete --force | topic'],
    ['git clean -fdx', 'git clean | --force --directories --ignored | '],
    ['git log -- -f', 'git log |  | -f'],
    ['kubectl -n prod --context=c delete pod web', 'kubectl delete | --namespace=prod --context=c | pod web'],
    ['kubectl delete -n=prod pod web', 'kubectl delete | --namespace=prod | pod web'],
    ['kubectl rollout undo deploy/web', 'kubectl rollout undo |  | deploy/web'],
    ['oc exec web -- rm -rf /', 'kubectl exec |  | web'],
    ['docker run --rm -v /:/host alpine ls -v', 'docker run | --rm --volume=/:/host | alpine'],
    ['docker container rm -f a', 'docker rm | --force | a'],
    ['podman image prune -a', 'docker image prune | --all | '],
    ['docker compose -f x.yml down -v', 'docker compose down | --file=x.yml --volumes | '],
    ['docker run --privileged=false alpine', 'docker run |  | alpine'],
    ['docker run --privileged --privileged=0 alpine', 'docker run |  | alpine'],
    ['terraform -chdir=infra destroy -auto-approve', 'terraform destroy | --chdir=infra --auto-approve | '],
    ['tofu state rm a.b', 'terraform state rm |  | a.b'],
    ['aws --profile p s3 rm s3://b --recursive', 'aws s3 rm | --profile=p --recursive | s3://b'],
    ['gcloud beta compute instances delete vm-1 --quiet', 'gcloud compute instances delete | --quiet | vm-1'],
    ['az vm delete -g rg -n vm -y', 'az vm delete | --resource-group=rg --name=vm --yes | '],
    ['az --subscription s vm delete', 'az vm delete | --subscription=s | '],
    ['helm -n web delete shop', 'helm uninstall | --namespace=web | shop'],
    ['npm --prefix app i -D left', 'npm install | --prefix=app --save-dev | left'],
    ['yarn global add x', 'npm global add |  | x'],
    ['pip3.11 install -i u x', 'pip install | --index-url=u | x'],
    ['python3 -m pip install x', 'pip install |  | x'],
    ['python3 -m http.server', ''],
    ['curl -sX DELETE https://a.example/x', 'http delete | --silent --request=DELETE | https://a.example/x'],
    ['curl -d a=b https://a.example/x', 'http post | --data=a=b | https://a.example/x'],
    ['curl -G -d a=b https://a.example/x', 'http get | --get --data=a=b | https://a.example/x'],
    ['curl -T f https://a.example/x', 'http put | --upload-file=f | https://a.example/x'],
    ['curl -I https://a.example/x', 'http head | --head | https://a.example/x'],
    ['http DELETE a.example/x', 'http delete |  | a.example/x'],
    ['http a.example/x', 'http get |  | a.example/x'],
    ['wget --method=PUT a.example/x', 'http put | --method=PUT | a.example/x'],
    ['redis-cli -h cache -n 2 FLUSHALL', 'redis flushall | --host=cache --db=2 | '],
    ['vault kv get -field=x secret/a', 'vault kv get | --field=x | secret/a'],
    ['docker rm --link --force web', 'docker rm | --link=--force --force | web'],
    ['docker run -itv /:/host alpine', 'docker run | --interactive --tty --volume=/:/host | alpine'],
    ['ls -la', ''],
    ['git', 'git |  | '],
  ];
  for (const [line, reading] of cases) it(line, () => expect(shown(line)).toBe(reading));

  it('what is typed into a client of redis is its command line', () => {
    expect(shown('redis-cli -h cache', 'FLUSHALL\nQUIT\n')).toBe('redis flushall | --host=cache | ');
    expect(shown('redis-cli get key', 'FLUSHALL')).toBe('redis get |  | key');
  });
});

describe('RULE-121 things in a cluster have one name', () => {
  const resources = (line: string): string => readToolCall('kubectl', line.split(' '), undefined)?.resources.join(' ') ?? '';
  it.each([
    ['delete ns prod', 'namespace'],
    ['delete ns/prod deploy/web', 'namespace deployment'],
    ['get po,svc', 'pod service'],
    ['delete deployments.apps web', 'deployment'],
    ['exec web -- ls', 'pod'],
    ['exec deploy/web -- ls', 'deployment'],
    ['drain n1', 'node'],
    ['get widgets.example.org', 'widgets'],
  ])('%s', (line, names) => expect(resources(line)).toBe(names));
});

describe('RULE-122 packages and the names they are one slip away from', () => {
  const resembles = (line: string): string => {
    const [name = '', ...args] = line.split(' ');
    return readToolCall(name, args, undefined)?.resembles.join(' ') ?? '';
  };
  it.each([
    ['pip install reqests', 'requests'],
    ['pip install requestss==2.0', 'requests'],
    ['pip install reqeusts[socks]>=2', 'requests'],
    ['pip install rquests', 'requests'],
    ['pip install requests', ''],
    ['pip install scapy', ''],
    ['pip install python_dateutli', 'python-dateutil'],
    ['npm i lodahs@4', 'lodash'],
    ['npm i preact', ''],
    ['npm i @acme/lodahs', ''],
    ['npx chalkk', 'chalk'],
    ['cargo add tokioo', 'tokio'],
    ['cargo add reqwset', 'reqwest'],
    ['gem install nokogirl', 'nokogiri'],
    ['pip install ./requestz', ''],
    ['pip uninstall reqests', ''],
    ['npm run lodahs', ''],
  ])('%s', (line, names) => expect(resembles(line)).toBe(names));
});

describe('RULE-123 statements that clients are given', () => {
  const body = (line: readonly string[], input?: string): string | undefined => readToolCall(line[0] ?? '', line.slice(1), input)?.body;
  it('from options, operands and input', () => {
    expect(body(['psql', '-h', 'db', '-c', 'SELECT 1', '-c', 'SELECT 2'])).toBe('SELECT 1;\nSELECT 2');
    expect(body(['psql', '--command=SELECT 1'])).toBe('SELECT 1');
    expect(body(['mysql', '-uroot', '-pX', 'shop', '-eSELECT 1'])).toBe('SELECT 1');
    expect(body(['sqlite3', 'a.db', 'SELECT 1'])).toBe('SELECT 1');
    expect(body(['bq', 'query', '--format=csv', 'SELECT 1'])).toBe('SELECT 1');
    expect(body(['mongosh', 'app', '--eval', 'db.x.drop()'])).toBe('db.x.drop()');
    expect(body(['psql', 'shop'], 'SELECT 3')).toBe('SELECT 3');
    expect(body(['psql', '-c', 'SELECT 1'], 'SELECT 3')).toBe('SELECT 1');
    expect(body(['sqlite3', 'a.db'])).toBeUndefined();
    expect(body(['git', 'log'], 'SELECT 1')).toBeUndefined();
  });
});

describe('RULE-124 every word is read, once', () => {
  const many = (count: number, word: string): string[] => Array.from({ length: count }, () => word);

  it('behind any number of words, letters and packages', () => {
    expect(readToolCall('git', ['push', ...many(5000, 'x'), '--force'], undefined)?.flags).toEqual(['--force']);
    expect(readToolCall('git', ['push', `-${'x'.repeat(5000)}f`], undefined)?.flags).toEqual(['-x', '--force']);
    expect(readToolCall('npm', ['install', ...many(5000, 'left'), 'lodahs'], undefined)?.resembles).toEqual(['lodash']);
    expect(readToolCall('docker', ['run', ...many(5000, '--privileged=false'), '--privileged', 'x'], undefined)?.flags).toEqual([
      '--privileged',
    ]);
  });

  it('words of a verb', () => {
    const at = (count: number): string => readToolCall('az', many(count, 'x'), undefined)?.operands.join(' ') ?? '';
    expect(at(FACTS_LIMITS.verbWordsMax)).toBe('');
    expect(at(FACTS_LIMITS.verbWordsMax + 1)).toBe('x');
  });
});
