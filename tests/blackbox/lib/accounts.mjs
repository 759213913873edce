// NATS in operator mode: a deployment made by `lsys nats`, and the servers that trust it.
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { connect, credsAuthenticator, ErrorCode } from 'nats';
import { temporaryFolder } from './folders.mjs';
import { lsys, lsysOk, start, startLsys } from './lsys.mjs';
import { natsServers } from './peers.mjs';
import { freePort } from './ports.mjs';
import { until } from './wait.mjs';

/// An operator with accounts and users, in a folder of its own.
export class Deployment {
  static async create(t, { accounts = ['SITE'] } = {}) {
    const deployment = new Deployment();
    deployment.folder = temporaryFolder(t);
    deployment.dir = path.join(deployment.folder, 'nats');
    await lsysOk(['nats', 'init', '--out', deployment.dir]);
    for (const name of accounts) await deployment.addAccount(name);
    return deployment;
  }

  /// `lsys nats ... --dir` this one.
  run(...args) {
    return lsysOk(['nats', ...args, '--dir', this.dir]);
  }

  /// The same, when it may fail: {code, stdout, stderr}.
  try(...args) {
    return lsys(['nats', ...args, '--dir', this.dir]);
  }

  addAccount(name, ...flags) {
    return this.run('account', 'add', name, ...flags);
  }

  /// Gives the path of the new user's credentials.
  async addUser(account, name, ...flags) {
    const creds = path.join(this.folder, `${account}-${name}.creds`);
    await this.run('user', 'add', account, name, '--creds', creds, ...flags);
    return creds;
  }

  get systemCreds() {
    return path.join(this.dir, 'keys', 'sys.creds');
  }

  async list() {
    return JSON.parse(await this.run('ls', '--json'));
  }

  async account(wanted) {
    const { accounts } = await this.list();
    return accounts.find(({ name }) => name === wanted);
  }

  /// The text of a token's file: token('accounts/SITE').
  token(name) {
    return readFileSync(path.join(this.dir, `${name}.jwt`), 'utf8').trim();
  }

  /// Writes the configuration of a nats-server and gives its path.
  async config(resolver = 'memory') {
    const file = path.join(this.folder, `${resolver}.conf`);
    await this.run('config', '--out', file, '--resolver', resolver);
    return file;
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/// A server that trusts a deployment.
export class TrustingServer {
  constructor(t, deployment, port, process) {
    Object.assign(this, { t, deployment, port, process });
    this.url = `nats://127.0.0.1:${port}`;
  }

  async ready() {
    await until('the server to accept clients', () => this.process.exit || accepts(this.port));
    if (this.process.exit) throw new Error(`the server ended:\n${this.process.output}`);
    return this;
  }

  /// Tells it what the deployment now says.
  push(...flags) {
    return this.deployment.run('push', '--nats', this.url, '--timeout', '500ms', ...flags);
  }

  /// Connects with credentials, or with other `options` of npm nats; no second attempt.
  async connect(creds, options = {}) {
    const nc = await connect({ servers: this.url, reconnect: false, timeout: 5000,
      ...(creds && { authenticator: credsAuthenticator(readFileSync(creds)) }), ...options });
    const watched = new WatchedConnection(nc);
    this.t.after(() => nc.close());
    return watched;
  }

  /// Fails unless the server refuses the credentials.
  async refuses(creds, options) {
    try {
      await this.connect(creds, options);
    } catch (error) {
      if (error.code !== ErrorCode.AuthorizationViolation) throw error;
      return;
    }
    throw new Error(`${creds} was let in`);
  }
}

/// A connection of npm nats with what the server told it of errors.
class WatchedConnection {
  constructor(nc) {
    this.nc = nc;
    this.errors = []; // of nats' status(): {type: 'error', data, permissionContext}
    this.watch();
  }

  async watch() {
    for await (const event of this.nc.status()) if (event.type === 'error') this.errors.push(event);
  }

  /// Waits until the server complained about a subject: untilDenied('publish', 'a.b').
  untilDenied(operation, subject) {
    return until(`a violation for ${operation} to ${subject}`, () => this.errors.some((event) =>
      event.permissionContext?.operation === operation && event.permissionContext.subject === subject));
  }

  /// Subscribes and gives the texts that come as an array that grows.
  async collect(subject, options) {
    const texts = [];
    this.nc.subscribe(subject, { ...options, callback: (error, message) => {
      if (!error) texts.push(message.string());
    } });
    await this.nc.flush();
    return texts;
  }

  /// Publishes and waits until the server has it.
  async say(subject, text) {
    this.nc.publish(subject, text);
    await this.nc.flush();
  }

  /// Waits until the server has ended the connection; gives its reason.
  async untilEnded() {
    const ended = await until('the server to end the connection', () => this.nc.isClosed() && this.nc.closed());
    return ended;
  }
}

async function startReal(t, program, deployment, resolver) {
  const port = await freePort();
  const process = start(t, program, ['-c', await deployment.config(resolver), '-p', `${port}`]);
  const server = await new TrustingServer(t, deployment, port, process).ready();
  if (resolver === 'full') await server.push();
  return server;
}

/// `flags` are added.
export async function startTrustingBroker(t, deployment, { flags = [], resolver } = {}) {
  const port = await freePort();
  resolver ??= path.join(deployment.dir, 'accounts');
  const process = startLsys(t, ['broker', '--listen', `127.0.0.1:${port}`, '--operator',
    path.join(deployment.dir, 'operator.jwt'), '--resolver-dir', resolver, ...flags]);
  return new TrustingServer(t, deployment, port, process).ready();
}

/// A broker that begins with an empty folder: all accounts have to be pushed.
async function startPushedBroker(t, deployment) {
  const resolver = path.join(deployment.folder, 'resolver');
  const server = await startTrustingBroker(t, deployment, { resolver });
  await server.push();
  return server;
}

/// Every server that can be told of accounts while it runs, as {name, start(t, deployment)}.
export function trustingServers() {
  return [
    { name: 'lsys broker', start: startPushedBroker },
    ...natsServers().map(({ name, program }) => ({
      name, start: (t, deployment) => startReal(t, program, deployment, 'full') })),
  ];
}

/// The real servers with a memory resolver.
export function memoryServers() {
  return natsServers().map(({ name, program }) => ({
    name, start: (t, deployment) => startReal(t, program, deployment, 'memory') }));
}

