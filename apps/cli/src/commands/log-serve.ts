/** @module `log serve`: the published files of a log over HTTP, read-only, until Ctrl-C. */
import { resolve } from 'node:path';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { LOG_NAME_OPTION, namedLog, placeOfLog } from '../log-directory.ts';
import { type ListenAddress, publishedFolder, serveLog } from '../log-server.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';

const DEFAULT_LISTEN = '127.0.0.1:8090';
/** A name or address, or an IPv6 address in brackets, and a port. */
const LISTEN = /^(?:\[([0-9a-fA-F:.%]{2,64})\]|([A-Za-z0-9.-]{1,253})):([0-9]{1,5})$/;
const PORT_MAX = 65_535;

function readListen(text: string): ListenAddress {
  const [, bracketed, plain, portText = ''] = LISTEN.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(portText);
  if (host !== undefined && port <= PORT_MAX) return { host, port };
  throw usageError('--listen must be a host and a port from 0 to 65535', `countersign log serve --listen ${DEFAULT_LISTEN}`);
}

function stopped({ world }: Context): Promise<void> {
  return new Promise((done) => {
    if (world.stop.aborted) done();
    else world.stop.addEventListener('abort', () => done(), { once: true });
  });
}

async function serve(input: Input, context: Context): Promise<Outcome> {
  const address = readListen(textOption(input, 'listen') ?? DEFAULT_LISTEN);
  const named = textOption(input, 'log');
  const place = placeOfLog(context, namedLog(input, context));
  const directory = named === undefined ? place.directory : resolve(context.world.cwd, named);
  const folder = publishedFolder(directory);
  const server = await serveLog(folder, address);
  context.line(context.json ? JSON.stringify({ url: server.url, directory: folder }) : `${folder} at ${server.url} until Ctrl-C`);
  await stopped(context);
  await server.close();
  return { exitCode: EXIT.ok, json: {}, text: '' };
}

export const logServeCommand: Command = {
  path: 'log serve',
  summary: 'the published files of a log over HTTP, entries included, until Ctrl-C',
  options: [
    { flags: '--log <dir>', summary: 'directory of the log; `log` in the data directory where it is not said' },
    LOG_NAME_OPTION,
    { flags: '--listen <host:port>', summary: `${DEFAULT_LISTEN} where it is not said; port 0 for any` },
  ],
  examples: ['countersign log serve', 'countersign log serve --log /srv/copy/log --listen 0.0.0.0:8090'],
  run: serve,
};
