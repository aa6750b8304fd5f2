/**
 * @module Places: what a path is to the machine and its owner, by where it lies. A place turns "writes `/etc/cron.d/x`" into "persists
 * through cron"; rules state the place and not its spellings.
 */

/** Names of places, in the order in which they are tried: the first that fits is the place. All patterns are anchored on path segments. */
const PLACES: readonly (readonly [place: string, pattern: string])[] = [
  ['cron', '^/(?:etc/(?:cron|anacrontab|periodic/)|(?:private/)?var/(?:spool/(?:cron|anacron|at)|at)/|usr/lib/cron/|var/cron/)'],
  [
    'service',
    '^/(?:(?:etc|run|lib|usr/lib|usr/local/lib)/systemd/(?:system|user)/|etc/(?:init\\.d|rc\\.d|rc[0-6s]\\.d|init)/|etc/(?:rc\\.local|rc\\.common|inittab|rc\\.conf)$|usr/local/etc/rc\\.d/)|/\\.config/systemd/user/|/library/(?:launchagents|launchdaemons|startupitems)/',
  ],
  [
    'login',
    '^/etc/(?:profile(?:$|\\.d/)|bash\\.bashrc$|bashrc$|zshenv$|zshrc$|zprofile$|csh\\.|update-motd\\.d/|xdg/autostart/|environment$)|/\\.config/autostart/|(?:^~|/)/?\\.(?:xinitrc|xprofile|xsession|ssh/rc)$|/start menu/programs/startup/|/com\\.apple\\.loginwindow|/com\\.apple\\.loginitems|/backgrounditems\\.btm$|/etc/emond\\.d/|/etc/udev/rules\\.d/',
  ],
  [
    'shell-start',
    '(?:^~|^/root|^/home/[^/]{1,64}|^/users/[^/]{1,64})/\\.(?:bash_?(?:rc|profile|login|logout|aliases)|profile|zshrc|zprofile|zshenv|zlogin|kshrc|cshrc|tcshrc|config/fish/config\\.fish)$',
  ],
  ['preload', '^/etc/ld\\.so\\.(?:preload|conf)'],
  [
    'code-hook',
    '/(?:(?:user|site)customize\\.py$|(?:site|dist)-packages/[^/]{1,64}\\.pth$)|(?:site|dist|user)_packages\\}?/(?:usercustomize\\.py|sitecustomize\\.py|[^/]{1,64}\\.pth)$|(?:^|/)\\.git/hooks/[a-z-]{1,40}$',
  ],
  [
    'kernel',
    '^/(?:etc/(?:modules$|modules-load\\.d/|modprobe\\.d/)|lib/modules/|dev/k?mem$|proc/(?:kcore|kallsyms|sysrq-trigger)$|sys/kernel/(?:debug|security)|library/extensions/)',
  ],
  ['kernel-setting', '^/proc/sys/'],
  ['process-memory', '^/proc/[^/]{1,32}/(?:mem|maps|environ)$'],
  [
    'privileges',
    '^/etc/(?:sudoers|doas\\.conf$|polkit-1/|pam\\.d/|pam\\.conf$|security/(?:access|limits)\\.conf$)|^(?:/usr)?/lib(?:/[^/]{1,40})?/security/pam_',
  ],
  ['accounts', '^/etc/(?:passwd|group|subuid|subgid|master\\.passwd|login\\.defs|shadow|gshadow)-?$'],
  [
    'history',
    '(?:^|/)\\.(?:bash|zsh|sh|ash|ksh|python|node_repl|mysql|psql|sqlite|rediscli|lesshst|history)_?(?:history|hist)$|/\\.history$|/fish_history$|/consolehost_history\\.txt$',
  ],
  [
    'log-setup',
    '^/etc/(?:r?syslog|syslog-ng|audit|libaudit|audisp|newsyslog|logrotate|systemd/journald|security/audit|osquery|fluent|filebeat|auditbeat)|^/usr/local/etc/(?:r?syslog|audit)',
  ],
  ['log', '^/(?:private/)?var/(?:log|audit|run/utmp|account)(?:/|$)|^/run/log/|/library/logs/diagnosticreports/|/winevt/logs/'],
  [
    'firewall-setup',
    '^/etc/(?:ufw/|default/ufw$|iptables|nftables|firewalld/|pf\\.(?:conf|anchors)|hosts\\.(?:allow|deny)$|fail2ban/|ipfw)',
  ],
  [
    'defence-setup',
    '^/etc/(?:apparmor|selinux|clamav|clamd|falco|wazuh|ossec|crowdstrike|mdatp)|^/(?:opt|var)/(?:ossec|crowdstrike|falcon|wazuh)',
  ],
  [
    'browser-store',
    '/(?:login data|cookies|web data|local state|key[34]\\.db|logins\\.json|cookies\\.sqlite|cookies\\.binarycookies|formhistory\\.sqlite|signons\\.sqlite)(?: for account)?(?:-journal|\\?.{0,40})?$',
  ],
  [
    'private-key',
    '(?:^|/)(?:\\.ssh/)?id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$|/\\.ssh/(?:identity|[^/]{1,40}\\.pem)$|/etc/ssh/ssh_host_[a-z0-9]{1,12}_key$|/\\.gnupg/(?:private-keys|secring)',
  ],
  [
    'credentials',
    '(?:^|/)\\.(?:aws/(?:credentials|sso/)|azure/(?:accesstokens|azureprofile|msal)|config/gcloud/|kube/config$|docker/config\\.json$|netrc$|pgpass$|my\\.cnf$|git-credentials$|config/gh/hosts|vault-token$|password-store/)|/library/keychains/|/\\.local/share/keyrings/|^/etc/krb5\\.keytab$|^/tmp/krb5cc|\\.kdbx$|^/(?:var/)?run/secrets/',
  ],
  ['mailbox', '^/var/(?:spool/)?mail(?:/|$)|/library/mail(?:/|$)|/\\.thunderbird/|\\.(?:pst|ost)$'],
  ['program', '^/(?:usr/)?(?:local/)?s?bin/[^/]{1,64}$|^/(?:usr/)?lib(?:64)?/[^/]{0,64}\\.so'],
  ['scratch', '^/(?:private/)?(?:var/)?tmp/|^/dev/shm/'],
];

const ANY = new RegExp(PLACES.map(([, pattern]) => `(${pattern})`).join('|'));

/** The place of a normalized path, or `` for a path of no note. Linear: every alternative is anchored or bounded. */
export function placeOf(normalized: string): string {
  const found = ANY.exec(normalized.toLowerCase().replaceAll('\\', '/'));
  if (found === null) return '';
  const group = found.findIndex((text, i) => i > 0 && text !== undefined);
  return PLACES[group - 1]?.[0] ?? '';
}

/** Writing here makes something run later. */
export const PERSISTS: ReadonlySet<string> = new Set(['cron', 'service', 'login', 'shell-start', 'preload', 'code-hook']);
/** Writing here changes who may do what. */
export const ESCALATES: ReadonlySet<string> = new Set(['privileges', 'accounts', 'preload', 'kernel']);
/** Writing or deleting here hides what was done. */
export const HIDES: ReadonlySet<string> = new Set(['history', 'log', 'log-setup', 'firewall-setup', 'defence-setup']);
