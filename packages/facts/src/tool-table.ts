/**
 * @module The command lines of developers' and operators' tools, one row each: which options take the next word, what the short ones
 * are called in full, and how many words make the verb. What a row does not know is read as an option without a value.
 */
import { wordSet } from './word-set.ts';

/** How one tool's command line is written. */
export interface ToolRow {
  readonly tool: string;
  /** Long options whose value is the next word; `verb.name` where only one verb's does. */
  readonly values: ReadonlySet<string>;
  /** Letters to long options, joined by `+` where one letter says two things; `.C` before the verb, `push.f` after that verb. */
  readonly letters: ReadonlyMap<string, string>;
  /** Long options that may be shortened while they stay the only one. */
  readonly shortened: readonly string[];
  /** First words that are only groups: the verb is two words long. */
  readonly groups: ReadonlySet<string>;
  /** Words of the verb: one (two behind a group), a fixed number, up to and with a word that acts, or all before the first option. */
  readonly depth: 'grouped' | 'acting' | 'all' | number;
  /** Other spellings of a verb. */
  readonly aliases: ReadonlyMap<string, string>;
  /** A single dash begins a long option (`-auto-approve`). */
  readonly oneDash: boolean;
  /** Verbs whose options end at the first operand: what follows is another command's. */
  readonly inner: ReadonlySet<string>;
  /** The value of an option follows its letter at once (`-pSECRET`), for these letters only. */
  readonly attached: boolean;
}

interface Written {
  readonly values?: string;
  readonly letters?: string;
  readonly shortened?: string;
  readonly groups?: string;
  readonly depth?: ToolRow['depth'];
  readonly aliases?: string;
  readonly oneDash?: boolean;
  readonly inner?: string;
  readonly attached?: boolean;
}

function pairs(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pair of text.split(' ')) {
    const at = pair.indexOf('=');
    if (at > 0) found.set(pair.slice(0, at).replaceAll('_', ' '), pair.slice(at + 1).replaceAll('_', ' '));
  }
  return found;
}

function words(text = ''): ReadonlySet<string> {
  return text === '' ? new Set() : wordSet(text);
}

function row(tool: string, written: Written): ToolRow {
  return {
    tool,
    values: words(written.values),
    letters: pairs(written.letters ?? ''),
    shortened: [...words(written.shortened)],
    groups: words(written.groups),
    depth: written.depth ?? 'grouped',
    aliases: pairs(written.aliases ?? ''),
    oneDash: written.oneDash ?? false,
    inner: new Set([...words(written.inner)].map((verb) => verb.replaceAll('_', ' '))),
    attached: written.attached ?? true,
  };
}

const GIT = row('git', {
  values:
    'attr-source config directory git-dir work-tree namespace config-env super-prefix output message push-option receive-pack exec upload-pack template origin branch.set-upstream-to depth format-patch.output-directory filter-branch.index-filter filter-branch.tree-filter filter-branch.msg-filter filter-branch.env-filter commit.author',
  letters:
    '.C=directory .c=config push.f=force push.d=delete push.o=push-option push.u=set-upstream push.n=dry-run clean.f=force clean.d=directories clean.x=ignored clean.X=ignored-only clean.n=dry-run clean.e=exclude branch.D=delete+force branch.d=delete branch.f=force branch.M=move+force tag.d=delete tag.f=force checkout.f=force submodule.f=force clone.c=config clone.u=upload-pack clone.b=branch clone.o=origin filter-branch.f=force commit.m=message commit.n=no-verify rebase.x=exec rebase.i=interactive update-ref.d=delete log.S=search grep.O=open-files-in-pager format-patch.o=output-directory archive.o=output',
  shortened:
    'force force-with-lease force-if-includes delete mirror prune hard soft mixed expire dry-run receive-pack upload-pack no-verify all tags',
  groups: 'remote stash reflog submodule worktree credential bundle lfs notes bisect maintenance sparse-checkout svn',
  aliases: 'remote_remove=remote_rm',
});

const CONTAINER_GROUPS =
  'container image volume network system builder buildx compose swarm secret service stack node context config plugin manifest trust machine pod generate';
const DOCKER = row('docker', {
  values:
    'host context config log-level connection url volume mount env env-file publish expose user workdir hostname label network name entrypoint cap-add cap-drop security-opt device pid ipc uts userns cgroupns add-host dns restart cpus memory ulimit platform pull filter format tag file build-arg target runtime shm-size tmpfs group-add volumes-from ip link log-driver sysctl stop-signal username password detach-keys tlscacert tlscert tlskey annotation blkio-weight blkio-weight-device cgroup-parent cidfile cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpuset-cpus cpuset-mems device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops dns-option dns-search domainname gpus health-cmd health-interval health-retries health-start-period health-timeout ip6 isolation kernel-memory label-file link-local-ip log-opt mac-address memory-reservation memory-swap memory-swappiness network-alias oom-score-adj pids-limit stop-timeout storage-opt umask volume-driver secret arch os rootfs project-name profile project-directory build.output',
  letters:
    '.H=host .c=context .D=debug v=volume e=env p=publish u=user w=workdir h=hostname l=label m=memory f=force a=all t=tty i=interactive d=detach q=quiet login.u=username login.p=password build.t=tag build.f=file ps.f=filter ps.a=all images.f=filter system.f=force compose.f=file compose.p=project-name compose_down.v=volumes compose_down.t=timeout rm.v=volumes logs.f=follow exec.e=env network.f=force',
  groups: CONTAINER_GROUPS,
  aliases:
    'container_rm=rm container_remove=rm container_run=run container_exec=exec container_create=create container_kill=kill container_stop=stop container_cp=cp container_ls=ps image_rm=rmi image_remove=rmi image_push=push image_pull=pull image_build=build buildx_build=build volume_remove=volume_rm network_remove=network_rm',
  inner: 'run exec create compose_run compose_exec',
});
const COMPOSE = row('docker compose', {
  values: 'file project-name profile project-directory env-file',
  letters: '.f=file .p=project-name down.v=volumes rm.f=force rm.v=volumes',
  inner: 'run exec',
});

const KUBECTL = row('kubectl', {
  values:
    'namespace context cluster user token server kubeconfig as as-group as-uid cache-dir certificate-authority client-certificate client-key request-timeout tls-server-name v output selector field-selector filename kustomize container patch type replicas current-replicas image port target-port name overrides clusterrole role serviceaccount group verb resource from-literal from-file vmodule profile profile-output log-file log-dir username password as-user-extra tls-private-key-file grace-period timeout env labels restart tail since sort-by address',
  letters:
    'n=namespace s=server A=all-namespaces f=filename k=kustomize l=selector o=output c=container p=patch i=stdin t=tty w=watch R=recursive logs.f=follow logs.p=previous',
  groups: 'config rollout auth set certificate plugin krew adm top policy',
  aliases: 'remove=delete adm_drain=drain adm_cordon=cordon',
  inner: 'exec debug',
});

const HELM = row('helm', {
  values:
    'namespace kube-as-user kube-as-group kube-ca-file kube-tls-server-name burst-limit qps kube-context kubeconfig kube-token kube-apiserver registry-config repository-config repository-cache set set-string set-file values version repo username password timeout output description post-renderer',
  letters: 'n=namespace f=values o=output',
  groups: 'repo plugin dependency get registry show search',
  aliases: 'delete=uninstall del=uninstall un=uninstall',
});

const TERRAFORM = row('terraform', {
  values: '',
  groups: 'state workspace providers metadata run-all stacks',
  aliases: 'run-all_destroy=destroy run-all_apply=apply',
  oneDash: true,
});
const PULUMI = row('pulumi', {
  values: 'stack cwd config message color target config-file',
  letters: 's=stack C=cwd y=yes f=skip-preview c=config m=message',
  groups: 'stack state config plugin policy org',
  aliases: 'down=destroy dn=destroy update=up',
});

const AWS = row('aws', {
  values:
    'profile cli-binary-format cli-auto-prompt region output endpoint-url query color ca-bundle cli-read-timeout cli-connect-timeout acl policy-arn policy-document user-name role-name group-name cidr cidr-ip ip-permissions port protocol group-id bucket key policy name names trail-name db-instance-identifier snapshot-id attribute operation-type user-ids group-names launch-permission image-id key-id pending-window-in-days secret-id query-string sql public-access-block-configuration create-volume-permission attribute-name values-to-add db-snapshot-identifier storage-class include exclude principal action function-name statement-id function-url-auth-type instance-ids document-name parameters targets zip-file detector-id stack-name table-name cluster',
  letters: '',
  depth: 2,
});
const GCLOUD = row('gcloud', {
  values:
    'project trace-token flags-file access-token-file account configuration format filter verbosity impersonate-service-account billing-project zone region role member source-ranges allow rules secret location cluster database network retention-days min-instances max-instances num-nodes size priority direction image tag key-file service-account member-type instance',
  letters: 'q=quiet',
  depth: 'acting',
});
const AZ = row('az', {
  values: 'subscription output query resource-group name',
  letters: 'g=resource-group n=name o=output y=yes',
  depth: 'all',
});
const GSUTIL = row('gsutil', {
  values: '',
  letters: 'm=parallel r=recursive R=recursive f=force a=all-versions d=delete .o=option .h=header .u=project u=user',
  groups: 'acl iam defacl retention bucketpolicyonly ubla versioning',
});
const BQ = row('bq', { values: 'project_id dataset_id location format', letters: 'r=recursive f=force t=table d=dataset' });

const NPM_ALIASES =
  'i=install in=install ins=install add=install isntall=install un=uninstall rm=uninstall r=uninstall remove=uninstall unlink=uninstall x=exec dlx=exec ci=ci t=test run-script=run pub=publish';
const NPM = row('npm', {
  values:
    'registry prefix workspace userconfig cache otp tag access filter dir cwd auth-type loglevel script-shell node-options ignore-scripts-list package',
  letters: 'g=global D=save-dev w=workspace C=prefix f=force p=package',
  groups: 'config cache access owner token profile org team dist-tag pkg global workspace',
  aliases: `${NPM_ALIASES} config_delete=config_rm set=config_set c_set=config_set`,
  inner: 'exec',
});
const NPX = row('npx', { values: 'package registry', letters: 'p=package c=call y=yes', depth: 0, inner: 'npx' });
const PIP = row('pip', {
  values:
    'index-url extra-index-url trusted-host find-links requirement constraint target prefix root cache-dir proxy cert client-cert log python platform only-binary no-binary editable global-option config-settings retries timeout index default-index src upgrade-strategy',
  letters: 'i=index-url f=find-links r=requirement c=constraint t=target e=editable U=upgrade y=yes q=quiet v=verbose',
  groups: 'config cache index',
});
const PUBLISHER = row('twine', {
  values: 'repository repository-url username password config-file comment',
  letters: 'r=repository u=username p=password',
});
const POETRY = row('poetry', {
  values: 'source group directory username password repository',
  letters: 'G=group C=directory u=username p=password r=repository',
  groups: 'config self env cache source',
});
const CARGO = row('cargo', {
  values: 'git branch tag rev path registry index version token package features target-dir manifest-path config target root vers',
  letters: 'p=package F=features j=jobs q=quiet f=force',
});
const GEM = row('gem', {
  values: 'source version install-dir http-proxy key host otp',
  letters: 's=source v=version i=install-dir p=http-proxy k=key',
});
const GO = row('go', { values: 'C modfile o tags ldflags', letters: '', oneDash: true, groups: 'mod env tool work' });
const APT = row('apt', { values: 'option target-release config-file', letters: 'y=yes o=option t=target-release c=config-file q=quiet' });
const DNF = row('dnf', {
  values: 'enablerepo disablerepo repo setopt config installroot releasever',
  letters: 'y=assumeyes c=config q=quiet',
});
const APK = row('apk', { values: 'repository root keys-dir repositories-file', letters: 'X=repository p=root U=update-cache' });
const BREW = row('brew', { values: '', letters: 'f=force', groups: 'services' });
const COMPOSER = row('composer', {
  values: 'working-dir repository',
  letters: 'd=working-dir n=no-interaction W=with-all-dependencies',
  groups: 'global config',
});

const CURL = row('curl', {
  values:
    'request data data-raw data-binary data-urlencode data-ascii json header user form form-string upload-file output proxy user-agent cookie cookie-jar url cert key cacert capath resolve connect-to max-time connect-timeout retry referer range interface unix-socket config write-out dns-servers doh-url socks5 socks5-hostname socks4 preproxy oauth2-bearer limit-rate netrc-file',
  letters:
    'X=request d=data H=header u=user F=form T=upload-file o=output O=remote-name x=proxy A=user-agent b=cookie c=cookie-jar k=insecure I=head m=max-time e=referer r=range K=config w=write-out E=cert G=get s=silent S=show-error L=location f=fail v=verbose i=include j=junk-session-cookies',
  depth: 0,
});
const WGET = row('wget', {
  values:
    'method body-data body-file post-data post-file header user password user-agent output-document output-file directory-prefix input-file tries timeout http-user http-password execute ca-certificate',
  letters:
    'O=output-document o=output-file P=directory-prefix i=input-file t=tries T=timeout U=user-agent e=execute q=quiet r=recursive c=continue',
  depth: 0,
});
const HTTPIE = row('http', {
  values: 'auth auth-type proxy verify output session',
  letters: 'a=auth A=auth-type o=output f=form j=json',
  depth: 0,
});

const REDIS = row('redis', {
  values: 'host port pass user sentinel db url',
  letters: 'h=host p=port a=pass u=url n=db x=stdin i=interval r=repeat',
  depth: 1,
});
const MONGO = row('mongo', {
  values: 'eval host port username password authenticationDatabase file',
  letters: 'u=username h=host f=file',
  depth: 0,
});
const PSQL = row('psql', {
  values: 'command dbname file host port username set variable output',
  letters: 'c=command d=dbname f=file h=host p=port U=username v=variable o=output',
  depth: 0,
});
const MYSQL = row('mysql', {
  values: 'execute host port user database socket protocol init-command password-file',
  letters: 'e=execute h=host P=port u=user D=database S=socket p=password B=batch N=skip-column-names s=silent',
  depth: 0,
});
const SQLITE = row('sqlite', { values: 'cmd init separator', letters: '', depth: 0, oneDash: true });
const SQLCMD = row('sqlcmd', {
  values: 'query server database user password input-file',
  letters: 'Q=query q=query S=server d=database U=user P=password i=input-file',
  depth: 0,
});
const SQL_CLIENT = row('sql-client', {
  values: 'query execute command host port user password database connection url format statement keyspace ssl-mode',
  letters: 'q=query e=execute c=command h=host p=port u=user d=database k=keyspace f=file s=command',
  depth: 0,
});
const COCKROACH = row('cockroach', { values: 'execute host url database user', letters: 'e=execute u=user d=database' });

const ANSIBLE = row('ansible', {
  values: 'inventory args module-name limit user become-user extra-vars private-key forks tags vault-password-file',
  letters: 'i=inventory a=args m=module-name l=limit u=user b=become e=extra-vars f=forks K=ask-become-pass C=check',
  depth: 0,
});
const GH = row('gh', {
  values: 'repo body title method field raw-field header input hostname visibility',
  letters: 'R=repo X=method f=raw-field F=field H=header b=body t=title',
  groups: 'repo secret auth release api-group ssh-key gpg-key workflow run gist variable ruleset cache codespace extension org',
});
const VAULT = row('vault', {
  values: '',
  oneDash: true,
  groups: 'kv secrets auth policy token operator lease audit namespace',
});
const SERVERLESS = row('serverless', { values: 'stage region', letters: 's=stage r=region', aliases: 'rm=remove' });
const GROUPED =
  'apps pg addons config domains kubernetes compute databases droplet cluster volume db secrets machine project env d1 r2 kv pages nodegroup';
const PLATFORM = (tool: string): ToolRow =>
  row(tool, { values: 'app org region stage context project', letters: 'a=app', groups: GROUPED, aliases: 'rm=remove' });

/** Names to rows; a digit behind `pip` and its kin is a version. */
const ROWS: readonly (readonly [names: string, row: ToolRow])[] = [
  ['git', GIT],
  ['docker podman nerdctl', DOCKER],
  ['docker-compose podman-compose', COMPOSE],
  ['kubectl oc k3s-kubectl microk8s.kubectl kubecolor', KUBECTL],
  ['helm helm3', HELM],
  ['terraform tofu terragrunt', TERRAFORM],
  ['pulumi', PULUMI],
  ['cdk', row('cdk', { values: 'app profile context', letters: 'a=app f=force c=context' })],
  ['aws awslocal', AWS],
  ['gcloud', GCLOUD],
  ['az', AZ],
  ['gsutil', GSUTIL],
  ['bq', BQ],
  ['npm pnpm yarn bun', NPM],
  ['npx bunx pnpx', NPX],
  ['uvx', row('uvx', { values: 'from index-url index with', letters: '', depth: 0, inner: 'uvx' })],
  ['pip pipx', PIP],
  [
    'uv',
    row('uv', {
      values: [...PIP.values].join(' '),
      letters: 'i=index-url f=find-links r=requirement',
      groups: 'pip tool cache python',
      aliases: 'pip_install=install tool_install=install add=install',
    }),
  ],
  ['twine', PUBLISHER],
  ['poetry pdm hatch flit', POETRY],
  ['cargo', CARGO],
  ['gem', GEM],
  ['go', GO],
  ['apt apt-get aptitude', APT],
  ['dnf yum microdnf zypper', DNF],
  ['apk', APK],
  ['brew', BREW],
  ['composer', COMPOSER],
  ['curl', CURL],
  ['wget', WGET],
  ['http https xh xhs', HTTPIE],
  ['redis-cli valkey-cli keydb-cli', REDIS],
  ['mongo mongosh', MONGO],
  ['psql usql pgcli', PSQL],
  ['mysql mariadb mycli mysqlsh', MYSQL],
  ['sqlite3 sqlite litecli sqlcipher', SQLITE],
  ['sqlcmd mssql-cli osql', SQLCMD],
  ['clickhouse-client cqlsh snowsql trino presto duckdb isql vsql impala-shell beeline hive spark-sql', SQL_CLIENT],
  ['cockroach dolt', COCKROACH],
  ['ansible ansible-playbook', ANSIBLE],
  ['gh glab', GH],
  ['vault bao', VAULT],
  ['serverless sls', SERVERLESS],
  ...[
    'heroku',
    'doctl',
    'flyctl',
    'fly',
    'eksctl',
    'wrangler',
    'vercel',
    'netlify',
    'supabase',
    'turso',
    'railway',
    'linode-cli',
    'hcloud',
    'argocd',
    'kind',
    'minikube',
    'k3d',
    'vagrant',
  ].map((name): readonly [string, ToolRow] => [name, PLATFORM(name === 'flyctl' ? 'fly' : name)]),
];

const TABLE: ReadonlyMap<string, ToolRow> = new Map(ROWS.flatMap(([names, tool]) => names.split(' ').map((name) => [name, tool] as const)));
const VERSIONED = /^(?:pip|npm|pipx|gem)(?=[\d.-])/;

/** The row of a command by its name, or undefined. */
export function toolRow(name: string): ToolRow | undefined {
  return TABLE.get(name) ?? (VERSIONED.test(name) ? TABLE.get(/^[a-z]+/.exec(name)?.[0] ?? '') : undefined);
}

/** Words behind which the verb of a grouped command line such as gcloud's ends. */
export const ACTS: ReadonlySet<string> = wordSet(
  'create delete list describe update get set unset deploy start stop reset restart resume suspend ssh scp cp mv rm rsync cat ls export import clone patch',
  'add-iam-policy-binding remove-iam-policy-binding set-iam-policy get-iam-policy add-metadata remove-metadata print-access-token',
  'print-identity-token login activate-service-account revoke access destroy disable enable undelete restore query execute',
  'get-credentials add remove connect promote failover call submit tail read write drain cordon resize rollback schedule-destroy lookup',
);
