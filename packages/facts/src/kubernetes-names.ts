/** @module Names of what a cluster holds: short names and plurals to the one that rules use. */

const NAMES: ReadonlyMap<string, string> = new Map(
  [
    'namespace=ns,namespaces',
    'node=no,nodes',
    'pod=po,pods',
    'service=svc,services',
    'deployment=deploy,deployments',
    'statefulset=sts,statefulsets',
    'daemonset=ds,daemonsets',
    'replicaset=rs,replicasets',
    'secret=secrets',
    'configmap=cm,configmaps',
    'persistentvolume=pv,persistentvolumes',
    'persistentvolumeclaim=pvc,persistentvolumeclaims',
    'customresourcedefinition=crd,crds,customresourcedefinitions',
    'clusterrolebinding=clusterrolebindings',
    'clusterrole=clusterroles',
    'rolebinding=rolebindings',
    'role=roles',
    'serviceaccount=sa,serviceaccounts',
    'networkpolicy=netpol,networkpolicies',
    'ingress=ing,ingresses',
    'job=jobs',
    'cronjob=cj,cronjobs',
    'storageclass=sc,storageclasses',
    'project=projects',
    'validatingwebhookconfiguration=validatingwebhookconfigurations',
    'mutatingwebhookconfiguration=mutatingwebhookconfigurations',
    'volumesnapshot=volumesnapshots',
  ].flatMap((line) => {
    const [name = '', others = ''] = line.split('=');
    return [name, ...others.split(',')].map((other): [string, string] => [other, name]);
  }),
);

function nameOf(written: string): string {
  const [plain = ''] = written.toLowerCase().split('.', 1);
  return NAMES.get(plain) ?? plain;
}

/** Verbs whose operand is the name of a pod unless it says otherwise. */
const PODS: ReadonlySet<string> = new Set(['exec', 'logs', 'attach', 'port-forward', 'cp', 'debug', 'run']);
const NODES: ReadonlySet<string> = new Set(['drain', 'cordon', 'uncordon', 'taint']);

/** Kinds of things that a call of kubectl names, each once. */
export function kubernetesResources(verb: string, operands: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const [i, operand] of operands.entries()) {
    const slash = operand.indexOf('/');
    if (slash > 0) found.add(nameOf(operand.slice(0, slash)));
    else if (i === 0 && !PODS.has(verb) && !NODES.has(verb)) for (const kind of operand.split(',')) found.add(nameOf(kind));
  }
  if (found.size === 0 && PODS.has(verb)) found.add('pod');
  if (NODES.has(verb)) found.add('node');
  return [...found];
}
