// The brokers that the same tests run against: lsys broker, and the real nats-server in the versions that it follows.
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { temporaryFolder } from './folders.mjs';
import { start, startLsys } from './lsys.mjs';
import { natsServers } from './peers.mjs';
import { freePort } from './ports.mjs';
import { until } from './wait.mjs';

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

async function ready(server) {
  await until(`${server.name} to accept clients`, async () => {
    if (server.process.exit) throw new Error(`it ended:\n${server.process.output}`);
    return accepts(server.port);
  });
  return server;
}

/// Starts `lsys broker`. `users` is the content of its users file; `flags` are added.
export async function startLsysBroker(t, { users, token, flags = [], port } = {}) {
  const folder = temporaryFolder(t);
  port ??= await freePort();
  const args = ['broker', '--listen', `127.0.0.1:${port}`, ...flags];
  if (users) {
    const file = path.join(folder, 'users.json');
    writeFileSync(file, JSON.stringify({ users }), { mode: 0o600 });
    args.push('--users-file', file);
  }
  if (token) {
    const file = path.join(folder, 'token');
    writeFileSync(file, token, { mode: 0o600 });
    args.push('--token-file', file);
  }
  return ready({ name: 'lsys', port, folder, process: startLsys(t, args) });
}

/// The same users in nats-server's words.
function natsUsers(users) {
  return users.map(({ permissions, ...user }) => ({
    ...user,
    ...(permissions && { permissions: { ...permissions } }),
  }));
}

async function startNatsServer(t, { name, program }, { users, token, options = {} } = {}) {
  const folder = temporaryFolder(t);
  const port = await freePort();
  const config = path.join(folder, 'nats.conf');
  const authorization = users ? { users: natsUsers(users) } : token ? { token } : undefined;
  writeFileSync(config, JSON.stringify({ listen: `127.0.0.1:${port}`, authorization, ...options }));
  return ready({ name, port, folder, process: start(t, program, ['-c', config]) });
}

/// What each option of a test is called: by lsys as a flag, by nats-server in its file.
const options = {
  maxPayload: (bytes) => ({ flags: ['--max-payload', `${bytes}`], options: { max_payload: bytes } }),
  maxSubscriptions: (count) => ({ flags: ['--max-subscriptions', `${count}`], options: { max_subscriptions: count } }),
  maxConnections: (count) => ({ flags: ['--max-connections', `${count}`], options: { max_connections: count } }),
  websocket: (port) => ({ flags: ['--websocket', `127.0.0.1:${port}`],
    options: { websocket: { listen: `127.0.0.1:${port}`, no_tls: true } } }),
  pingInterval: (seconds) => ({ flags: ['--ping-interval', `${seconds}s`], options: { ping_interval: `${seconds}s` } }),
  tls: ({ cert, key, clientCa }) => ({
    flags: ['--tls-cert', cert, '--tls-key', key, ...(clientCa ? ['--tls-client-ca', clientCa] : [])],
    options: { tls: { cert_file: cert, key_file: key, ...(clientCa && { ca_file: clientCa, verify: true }) } },
  }),
  flags: (flags) => ({ flags, options: {} }),
};

function configured({ users, token, ...wanted }) {
  const parts = Object.entries(wanted).map(([key, value]) => options[key](value));
  return { users, token, flags: parts.flatMap((part) => part.flags),
    options: Object.assign({}, ...parts.map((part) => part.options)) };
}

/// Every broker as {name, start(t, config)}. `config`: users (rows of lsys's users file), token, and the names of
/// `options` above. start gives {name, port, process}.
export function brokers() {
  return [
    { name: 'lsys', start: (t, config = {}) => startLsysBroker(t, configured(config)) },
    ...natsServers().map((server) => ({
      name: server.name,
      start: (t, config = {}) => startNatsServer(t, server, configured(config)),
    })),
  ];
}
