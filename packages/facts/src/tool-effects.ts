/**
 * @module What a tool call brings about in the place it speaks to: a repository others share, a cluster, a cloud, a registry, a database.
 * A row names verbs; what a cloud's verb does is read from its first word, as its makers name them all alike.
 */
import type { CommandFact, EffectKind, ToolCall } from '@countersign/protocol';
import type { CommandEffect } from './command-effects.ts';

type Row = (call: ToolCall) => readonly CommandEffect[];

const NONE: readonly CommandEffect[] = [];

function flagValue(call: ToolCall, ...names: readonly string[]): string | undefined {
  const found = call.flags.find((flag) => names.some((name) => flag.startsWith(`--${name}=`)));
  return found?.slice(found.indexOf('=') + 1);
}

function has(call: ToolCall, ...flags: readonly string[]): boolean {
  return flags.some((flag) => call.flags.includes(flag));
}

/** What the operands say, or what stands for it where there are none. */
function targetOf(call: ToolCall, otherwise: string): string {
  return call.operands.length === 0 ? otherwise : call.operands.join(' ');
}

/** One effect on the operands, or on what the call names in another way. */
function one(call: ToolCall, kind: EffectKind, place: string): readonly CommandEffect[] {
  return [{ kind, target: targetOf(call, call.resources[0] ?? call.verb), place }];
}

function always(kind: EffectKind, place: string): Row {
  return (call) => one(call, kind, place);
}

function when(test: (call: ToolCall) => boolean, kind: EffectKind, place: string): Row {
  return (call) => (test(call) ? one(call, kind, place) : NONE);
}

/** A reference that is set whatever stood there: `+main`, or taken away: `:main`. */
const FORCED = /^\+|^:./;

function push(call: ToolCall): readonly CommandEffect[] {
  const gone = has(call, '--force', '--mirror', '--delete', '--prune') || call.operands.some((operand) => FORCED.test(operand));
  const lease = call.flags.some((flag) => flag.startsWith('--force-with-lease'));
  return one(call, gone || lease ? 'deletes' : 'writes', 'shared-history');
}

/** Parts of a cluster that hold others, or what all share. */
const SECRET = 'secret';

function kubernetesReads(call: ToolCall): readonly CommandEffect[] {
  return call.resources.includes(SECRET) ? one(call, 'reads', 'secret-store') : NONE;
}

const GRANTS: ReadonlySet<string> = new Set(['clusterrolebinding', 'rolebinding', 'clusterrole', 'role']);

function kubernetesWrites(call: ToolCall): readonly CommandEffect[] {
  return one(call, call.resources.some((resource) => GRANTS.has(resource)) ? 'escalates' : 'writes', 'cluster');
}

const HOST_MOUNT = /^--(?:volume|mount)=(?:.{0,64}(?:source|src)=)?\/(?:[:,]|$)/;

function containerRun(call: ToolCall): readonly CommandEffect[] {
  const host = has(call, '--privileged') || call.flags.some((flag) => HOST_MOUNT.test(flag) || /^--(?:pid|userns|ipc)=host$/.test(flag));
  return host ? one(call, 'escalates', 'host') : one(call, 'executes', 'container');
}

function database(verb: string): Row {
  const kind = /^(?:flush|swapdb|del$|unlink$)/.test(verb) ? 'deletes' : 'writes';
  return always(kind, 'database');
}

const ROWS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ['git push', push],
  ['git filter-branch', always('deletes', 'history-of-code')],
  ['git filter-repo', always('deletes', 'history-of-code')],
  ['git reset', when((call) => has(call, '--hard'), 'deletes', 'worktree')],
  ['git clean', when((call) => has(call, '--force') && !has(call, '--dry-run'), 'deletes', 'worktree')],
  ['git reflog expire', always('deletes', 'history-of-code')],
  ['git branch', when((call) => has(call, '--delete'), 'deletes', 'history-of-code')],
  ['git credential fill', always('reads', 'secret-store')],
  ['kubectl delete', always('deletes', 'cluster')],
  ['kubectl drain', always('deletes', 'cluster')],
  ['kubectl get', kubernetesReads],
  ['kubectl describe', kubernetesReads],
  ['kubectl exec', always('executes', 'cluster')],
  ['kubectl port-forward', always('connects', 'cluster')],
  ...['apply', 'create', 'replace', 'patch', 'edit', 'scale', 'annotate', 'label', 'cordon', 'taint', 'run', 'expose'].map(
    (verb): [string, Row] => [`kubectl ${verb}`, kubernetesWrites],
  ),
  ['helm uninstall', always('deletes', 'cluster')],
  ['helm install', always('writes', 'cluster')],
  ['helm upgrade', always('writes', 'cluster')],
  ['helm rollback', always('writes', 'cluster')],
  ['docker run', containerRun],
  ['docker create', containerRun],
  ['docker exec', always('executes', 'container')],
  ['docker rm', always('deletes', 'container')],
  ['docker rmi', always('deletes', 'container')],
  ['docker volume rm', always('deletes', 'container')],
  ['docker system prune', always('deletes', 'container')],
  ['docker volume prune', always('deletes', 'container')],
  ['docker image prune', always('deletes', 'container')],
  ['docker container prune', always('deletes', 'container')],
  ['docker compose down', when((call) => has(call, '--volumes'), 'deletes', 'container')],
  ['docker push', always('writes', 'registry')],
  ['terraform destroy', always('deletes', 'cloud')],
  ['terraform apply', (call) => one(call, has(call, '--destroy') ? 'deletes' : 'writes', 'cloud')],
  ['terraform state rm', always('deletes', 'cloud-state')],
  ['terraform state push', always('writes', 'cloud-state')],
  ['pulumi destroy', always('deletes', 'cloud')],
  ['pulumi up', always('writes', 'cloud')],
  ['cdk destroy', always('deletes', 'cloud')],
  ['cdk deploy', always('writes', 'cloud')],
  ['npm publish', always('writes', 'registry')],
  ['npm unpublish', always('deletes', 'registry')],
  ['twine upload', always('writes', 'registry')],
  ['cargo publish', always('writes', 'registry')],
  ['cargo yank', always('deletes', 'registry')],
  ['gem push', always('writes', 'registry')],
  ['gem yank', always('deletes', 'registry')],
  ['poetry publish', always('writes', 'registry')],
  ['uv publish', always('writes', 'registry')],
  ...['npm install', 'pip install', 'uv install', 'gem install', 'cargo install', 'npx', 'npm exec', 'uvx'].map((verb): [string, Row] => [
    verb,
    when(({ resources }) => resources.length > 0, 'executes', 'package'),
  ]),
  ['http delete', always('deletes', 'web')],
  ['http put', always('writes', 'web')],
  ['http patch', always('writes', 'web')],
  ['http post', always('writes', 'web')],
  ['vault kv get', always('reads', 'secret-store')],
  ['vault read', always('reads', 'secret-store')],
  ['gh repo delete', always('deletes', 'shared-history')],
]);

const CLOUDS: ReadonlySet<string> = new Set(['aws', 'gcloud', 'az', 'gsutil', 'bq']);
const DELETING = /^(?:delete|terminate|destroy|purge|remove|rb|rm|deregister|schedule-key-deletion|drop|schedule-destroy)/;
const READING = /^(?:get|list|describe|show|ls|cat|tail|head|lookup|search|query|wait|help|login|view|print|status|export)/;
const SECRETS = /\b(?:get-secret-value|get-parameters?(?:-by-path)?|secrets versions access|keyvault (?:secret|key) (?:show|download))$/;
const LOGGING =
  /\b(?:stop-logging|delete-trail|delete-flow-logs|delete-detector|delete-log-(?:group|stream)|stop-configuration-recorder|disable-alarm-actions|sinks delete|diagnostic-settings delete)$/;
const RIGHTS =
  /\b(?:attach-(?:user|role|group)-policy|put-(?:user|role|group)-policy|create-access-key|create-login-profile|update-assume-role-policy|add-user-to-group|add-iam-policy-binding|set-iam-policy|role assignment create|keys create)$/;

/** What a verb of a cloud does, by the word that acts. */
function cloudEffects(call: ToolCall): readonly CommandEffect[] {
  const { verb } = call;
  const act = verb.slice(verb.lastIndexOf(' ') + 1);
  const target = flagValue(call, 'bucket', 'name', 'resource-group', 'secret-id', 'policy-arn', 'db-instance-identifier') ?? verb;
  const place = (kind: EffectKind, name: string): readonly CommandEffect[] => [{ kind, target: targetOf(call, target), place: name }];
  if (SECRETS.test(verb)) return place('reads', 'secret-store');
  if (LOGGING.test(verb)) return place('hides', 'cloud-log');
  if (RIGHTS.test(verb)) return place('escalates', 'cloud');
  if (DELETING.test(act)) return place('deletes', 'cloud');
  return READING.test(act) || act === call.tool ? NONE : place('writes', 'cloud');
}

/** What a tool call brings about. */
export function toolEffects({ call }: CommandFact): readonly CommandEffect[] {
  if (call === undefined) return NONE;
  if (CLOUDS.has(call.tool)) return cloudEffects(call);
  if (call.tool === 'redis') {
    const verb = call.verb.slice('redis '.length);
    return /^(?:flush|swapdb|del$|unlink$|set$|config$|slaveof$|replicaof$|eval)/.test(verb) ? database(verb)(call) : NONE;
  }
  return ROWS.get(call.verb)?.(call) ?? NONE;
}
