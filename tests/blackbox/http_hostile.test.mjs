// What every HTTP port of every role refuses: names that are not its own (DNS rebinding), pages of other sites, and being
// locked out by connections that say nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { startLsys } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { Vendor } from './lib/vendor.mjs';
import { DEADLINE_MS, until } from './lib/wait.mjs';

const EVIL = 'evil.example';
const COMMON = ['/healthz', '/readyz', '/metrics', '/nothing-here'];
const WEBSOCKET = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' };

/// The status of the answer to GET `target`, on a TCP port or a unix socket, with exactly these fields.
async function statusOf(where, target, fields) {
  const socket = net.connect(where);
  await once(socket, 'connect');
  const lines = Object.entries({ Host: 'localhost', ...fields }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const [beginning] = await once(socket, 'data', { signal: AbortSignal.timeout(DEADLINE_MS) });
  socket.destroy();
  return Number(beginning.toString().match(/^HTTP\/1\.1 (\d{3}) /)[1]);
}

/// Starts everything that serves HTTP. Gives, by name, where that is, its paths, and which of them speak WebSocket.
async function startEverything(t) {
  const folder = temporaryFolder(t);
  const port = {};
  for (const name of ['page', 'nats', 'server', 'client', 'master', 'slave', 'monitor', 'browsers']) port[name] = await freePort();
  const socket = path.join(folder, 'client.socket');
  const vendor = await Vendor.create(folder);
  const upFlags = { http: 'page', listen: 'nats', 'server-http': 'server', 'client-http': 'client', 'master-http': 'master',
    'slave-http': 'slave' };
  startLsys(t, ['up', '--data-dir', path.join(folder, 'up'),
    ...Object.entries(upFlags).flatMap(([flag, name]) => [`--${flag}`, `127.0.0.1:${port[name]}`])]);
  startLsys(t, ['broker', '--listen', '127.0.0.1:0', '--http', `127.0.0.1:${port.monitor}`,
    '--websocket', `127.0.0.1:${port.browsers}`]);
  startLsys(t, ['license-client', '--keys', vendor.keys, '--nats', `nats://127.0.0.1:${port.nats}`,
    '--data-dir', path.join(folder, 'client'), '--http', '127.0.0.1:0', '--socket', socket]);
  const license = ['/v1/license', '/v1/events', '/v1/features/sso'];
  const ports = {
    'the page of up': { where: { port: port.page }, paths: ['/', '/page.js', '/v1/stack', '/v1/events'] },
    'license-server': { where: { port: port.server }, paths: ['/v1/license', '/v1/license/token'] },
    'license-client': { where: { port: port.client }, paths: license },
    "license-client's unix socket": { where: { path: socket }, paths: license },
    'cache-master': { where: { port: port.master }, paths: ['/api/licenses/changes'], websocket: '/api/licenses/stream' },
    'cache-slave': { where: { port: port.slave }, paths: ['/api/licenses/current', '/api/licenses/sync-status'] },
    "the broker's monitor": { where: { port: port.monitor }, paths: ['/varz', '/connz'] },
    "the broker's WebSocket": { where: { port: port.browsers }, paths: ['/any'], websocket: '/' },
  };
  for (const [name, { where, paths }] of Object.entries(ports)) {
    await until(`${name} to answer`, () => statusOf(where, '/healthz', {}));
  }
  return ports;
}

test('names and pages of others are refused on every port', async (t) => {
  for (const [name, { where, paths, websocket }] of Object.entries(await startEverything(t))) {
    for (const target of [...paths, ...COMMON]) {
      const asked = (fields) => statusOf(where, target, fields);
      const own = await asked({});
      assert.ok(![421, 403].includes(own) || target === '/v1/features/sso', `${name} ${target}: ${own}`);
      assert.equal(await asked({ Host: EVIL }), 421, `${name} ${target}: Host`);
      assert.equal(await asked({ Host: EVIL, Origin: `http://${EVIL}` }), 421, `${name} ${target}: a rebound page`);
      if (target === '/nothing-here' && own === 404) continue;
      if (websocket === '/') continue; // any path is a WebSocket's, which judges below
      assert.equal(await asked({ Origin: `http://${EVIL}` }), 403, `${name} ${target}: Origin`);
      assert.equal(await asked({ 'Sec-Fetch-Site': 'cross-site' }), 403, `${name} ${target}: Sec-Fetch-Site`);
      assert.equal(await asked({ ...WEBSOCKET, Origin: `http://${EVIL}` }), 403, `${name} ${target}: WebSocket`);
      assert.equal(await asked({ Origin: 'http://localhost' }), own, `${name} ${target}: its own page`);
    }
    if (!websocket) continue;
    const opened = (fields) => statusOf(where, websocket, { ...WEBSOCKET, ...fields });
    assert.equal(await opened({ Host: EVIL, Origin: `http://${EVIL}` }), 421, `${name}: WebSocket of a rebound page`);
    const own = await opened({});
    assert.ok([101, 401].includes(own), `${name}: WebSocket: ${own}`);
    assert.equal(await opened({ Origin: `http://${EVIL}` }), own === 101 ? 403 : 401, `${name}: WebSocket of another page`);
  }
});

test('connections that send nothing, or not all of it, do not keep others of their address out', async (t) => {
  const folder = temporaryFolder(t);
  const vendor = await Vendor.create(folder);
  const client = startLsys(t, ['license-client', '--keys', vendor.keys, '--nats', 'nats://127.0.0.1:1',
    '--data-dir', path.join(folder, 'data'), '--http', '127.0.0.1:0']);
  const url = (await client.untilOutput(/listening url=(\S+)/))[1];
  const beginnings = ['', 'GET /v1/license HTTP/1.1\r\n', 'GET /v1/license HTTP/1.1\r\nHost: localhost\r\n'];
  const flood = Array.from({ length: 300 }, (_, index) => {
    const socket = net.connect(new URL(url).port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write(beginnings[index % beginnings.length]);
    return socket;
  });
  t.after(() => flood.forEach((socket) => socket.destroy()));
  await until('128 to be left', () => flood.filter((socket) => socket.closed).length === 300 - 128);
  assert.equal((await get(`${url}/v1/license`)).status, 200);
  const { text } = await get(`${url}/metrics`);
  assert.match(text, /^lsys_http_displaced_connections_total\{role="license-client"\} 17[3-9]$/m);
  assert.match(text, /^lsys_http_refused_connections_total\{role="license-client"\} 0$/m);
});
