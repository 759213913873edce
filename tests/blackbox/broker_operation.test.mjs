// Running a broker: how it starts, refuses to start, reloads, says what it does, and ends.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync, chmodSync, existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as nats from 'nats';
import { startLsysBroker } from './lib/brokers.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get, untilAnswer } from './lib/http.mjs';
import { lsys } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { RawNats } from './lib/raw_nats.mjs';
import { until } from './lib/wait.mjs';

const CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"name":"tester"}\r\n';

async function connected(t, port, more = '') {
  const raw = await RawNats.connect(t, port);
  raw.send(CONNECT + more);
  await raw.flush();
  return raw;
}

describe('starting', () => {
  const refused = [
    ['a taken port', async (t) => ['--listen', `127.0.0.1:${(await startLsysBroker(t)).port}`], /--listen.*already listens/],
    ['off loopback without saying so', async () => ['--listen', '0.0.0.0:0'],
      /^lsys broker: --listen 0\.0\.0\.0:0 would be open .*--insecure-listen/m],
    ['off loopback with a user but without TLS', async (t, folder) => {
      writeFileSync(path.join(folder, 'password'), 'x', { mode: 0o600 });
      return ['--listen', '0.0.0.0:0', '--user', 'a', '--password-file', path.join(folder, 'password')];
    }, /--insecure-listen/],
    ['a user without a password', async () => ['--user', 'a'], /--user needs --password-file/],
    ['a password without a user', async (t, folder) => {
      writeFileSync(path.join(folder, 'password'), 'x', { mode: 0o600 });
      return ['--password-file', path.join(folder, 'password')];
    }, /--password-file needs --user/],
    ['a password that others can read', async (t, folder) => {
      writeFileSync(path.join(folder, 'password'), 'x', { mode: 0o644 });
      chmodSync(path.join(folder, 'password'), 0o644);
      return ['--user', 'a', '--password-file', path.join(folder, 'password')];
    }, /chmod/],
    ['an address without port', async () => ['--listen', '127.0.0.1'], /--listen/],
    ['a drain without pid file', async () => ['--drain'], /--pid-file/],
    ['a drain of nobody', async (t, folder) => {
      writeFileSync(path.join(folder, 'pid'), '1\n');
      return ['--drain', '--pid-file', path.join(folder, 'pid')];
    }, /no running broker/],
    ...[['{}', /users/], ['{"users":[]}', /users/], ['nonsense', /users\.json/], ['{"users":[{"user":"a"}]}', /user 1 \(a\).*password/],
      ['{"users":[{"user":"a","password":"x"},{"user":"a","password":"y"}]}', /twice/],
      ['{"users":[{"user":"a","password":"x","permission":{}}]}', /unknown member "permission"/],
      ['{"users":[{"user":"a","password":"x","permissions":{"publish":{"denied":["b"]}}}]}', /unknown member "denied"/],
      ['{"users":[{"user":"a","password":"x","permissions":{"publish":["a..b"]}}]}', /"a\.\.b" is not a subject/],
      ['{"users":[{"nkey":"UABC"}]}', /user 1/]].map(([content, message]) => [`the users file ${content}`, async (t, folder) => {
      writeFileSync(path.join(folder, 'users.json'), content, { mode: 0o600 });
      return ['--users-file', path.join(folder, 'users.json')];
    }, message]),
  ];
  for (const [name, args, message] of refused) {
    test(`${name} is refused with the reason`, async (t) => {
      const result = await lsys(['broker', '--listen', '127.0.0.1:0', ...await args(t, temporaryFolder(t))], { deadline_ms: 3000 });
      assert.notEqual(result.code, 0);
      assert.equal(result.signal, null);
      assert.match(result.stderr, message);
    });
  }

  test('several listeners, IPv6 and a unix socket', async (t) => {
    const port = await freePort();
    const socket = path.join(temporaryFolder(t), 'nats.sock');
    const broker = await startLsysBroker(t, { flags: ['--listen', `[::1]:${port}`, '--listen', `unix:${socket}`] });
    assert.match(broker.process.output, new RegExp(`nats://\\[::1\\]:${port}`));
    const connection = await nats.connect({ servers: `[::1]:${port}`, reconnect: false });
    await connection.flush();
    await connection.close();
    assert.ok(existsSync(socket));
    await broker.process.stop();
    assert.ok(!existsSync(socket));
  });
});

describe('ending', () => {
  test('SIGTERM ends within two seconds, with clients, with one that stopped reading, while draining', async (t) => {
    for (const busy of [async () => {}, async (port) => connected(t, port, 'SUB a 1\r\n'), async (port) => {
      const stopped = await connected(t, port, 'SUB a 1\r\n');
      stopped.socket.pause();
      const publisher = await connected(t, port);
      publisher.send('PUB a 1000000\r\n' + 'x'.repeat(1_000_000) + '\r\n');
      await publisher.flush();
    }, async (port, broker) => {
      await connected(t, port);
      broker.process.signal('SIGUSR2');
      await broker.process.untilOutput(/lame duck/);
    }]) {
      const broker = await startLsysBroker(t);
      await busy(broker.port, broker);
      const before = performance.now();
      const { code } = await broker.process.stop('SIGTERM');
      assert.equal(code, 0);
      assert.ok(performance.now() - before < 2000);
    }
  });

  test('lame duck: told, closed by and by, ended; nobody new comes in', async (t) => {
    const http = await freePort();
    const pidFile = path.join(temporaryFolder(t), 'broker.pid');
    const broker = await startLsysBroker(t, { flags: ['--http', `127.0.0.1:${http}`, '--pid-file', pidFile,
      '--lame-duck-grace', '500ms', '--lame-duck-duration', '1s'] });
    const clients = [];
    for (let i = 0; i < 20; i++) clients.push(await connected(t, broker.port, 'SUB a 1\r\n'));
    assert.equal(Number(readFileSync(pidFile, 'latin1')), broker.process.pid);
    const told = await lsys(['broker', '--drain', '--pid-file', pidFile]);
    assert.equal(told.code, 0, told.stderr);
    for (const client of clients) await client.untilText(/INFO \{[^\r]*"ldm":true/);
    assert.equal((await get(`http://127.0.0.1:${http}/readyz`)).status, 503);
    assert.equal((await get(`http://127.0.0.1:${http}/varz`)).json.lame_duck_mode, true);
    await assert.rejects(RawNats.connect(t, broker.port));
    clients[0].send('PUB a 2\r\nhi\r\n');
    await clients[1].untilText(/MSG a 1 2\r\nhi/);
    const { code } = await broker.process.ended(10_000);
    assert.equal(code, 0);
    for (const client of clients) await client.untilClosed();
    assert.ok(!existsSync(pidFile));
  });

  test('lame duck ends at once when nobody is there', async (t) => {
    const broker = await startLsysBroker(t);
    broker.process.signal('SIGUSR2');
    assert.equal((await broker.process.ended(3000)).code, 0);
  });

  test('a second broker does not take the pid file', async (t) => {
    const pidFile = path.join(temporaryFolder(t), 'broker.pid');
    await startLsysBroker(t, { flags: ['--pid-file', pidFile] });
    const second = await lsys(['broker', '--listen', '127.0.0.1:0', '--pid-file', pidFile], { deadline_ms: 3000 });
    assert.notEqual(second.code, 0);
    assert.match(second.stderr, /already/);
  });

  test('clients of npm nats come back after a restart', async (t) => {
    const port = await freePort();
    const first = await startLsysBroker(t, { port });
    const connection = await nats.connect({ servers: `127.0.0.1:${port}`, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    t.after(() => connection.close());
    const received = [];
    connection.subscribe('a', { callback: (_, message) => received.push(message.string()) });
    await connection.flush();
    await first.process.stop();
    await startLsysBroker(t, { port });
    await until('a message through the second broker', async () => {
      connection.publish('a', 'again');
      return received.length > 0;
    });
  });
});

describe('while it runs', () => {
  test('SIGHUP takes over users: who is gone is closed, permissions change, a bad file changes nothing', async (t) => {
    const broker = await startLsysBroker(t, { users: [{ user: 'a', password: 'p' }, { user: 'b', password: 'p' }] });
    const login = (user) => `CONNECT {"verbose":false,"pedantic":false,"user":"${user}","pass":"p"}\r\n`;
    const open = async (user, more = '') => {
      const raw = await RawNats.connect(t, broker.port);
      raw.send(login(user) + more);
      await raw.flush();
      return raw;
    };
    const a = await open('a', 'SUB kept 1\r\nSUB taken 2\r\n');
    const b = await open('b');
    const file = path.join(broker.folder, 'users.json');
    writeFileSync(file, 'nonsense', { mode: 0o600 });
    broker.process.signal('SIGHUP');
    await broker.process.untilOutput(/refused/);
    await b.flush();
    writeFileSync(file, JSON.stringify({ users: [{ user: 'a', password: 'p', permissions: { subscribe: ['kept'] } }] }), { mode: 0o600 });
    broker.process.signal('SIGHUP');
    await b.untilClosed();
    assert.match(b.transcript, /-ERR 'Authorization Violation'\r\n$/);
    await a.untilText(/Permissions Violation for Subscription to "taken"/);
    a.send('PUB taken 1\r\nx\r\nPUB kept 1\r\ny\r\n');
    await a.untilText(/MSG kept 1 1\r\ny/);
    assert.doesNotMatch(a.text, /MSG taken/);
    await assert.rejects(nats.connect({ servers: `127.0.0.1:${broker.port}`, user: 'b', pass: 'p', reconnect: false }), /authorization/i);
  });

  test('the users file of the README works', async (t) => {
    const readme = readFileSync(new URL('../../roles/broker/README.md', import.meta.url), 'utf8');
    const file = path.join(temporaryFolder(t), 'users.json');
    writeFileSync(file, readme.match(/```json\n([^]*?)```/)[1], { mode: 0o600 });
    const broker = await startLsysBroker(t, { flags: ['--users-file', file] });
    for (const login of [{ user: 'app', pass: 'a long random one' }, { user: 'app2', pass: 'password123' }, { token: 'another long random one' }]) {
      const connection = await nats.connect({ servers: `127.0.0.1:${broker.port}`, reconnect: false, ...login });
      t.after(() => connection.close());
      const received = new Promise((resolve) => connection.subscribe('app.>', { callback: (_, message) => resolve(message) }));
      connection.publish('app.x', 'hi');
      assert.equal((await received).string(), 'hi');
    }
  });

  test('--user and --token-file, and no secret is shown anywhere', async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(path.join(folder, 'password'), 'pa55word-secret\n', { mode: 0o600 });
    const http = await freePort();
    const broker = await startLsysBroker(t, { token: 't0ken-secret', flags: ['--user', 'app', '--password-file',
      path.join(folder, 'password'), '--http', `127.0.0.1:${http}`, '--log-level', 'debug'] });
    for (const login of [{ user: 'app', pass: 'pa55word-secret' }, { token: 't0ken-secret' }]) {
      const connection = await nats.connect({ servers: `127.0.0.1:${broker.port}`, reconnect: false, ...login });
      t.after(() => connection.close());
      await connection.flush();
    }
    await assert.rejects(nats.connect({ servers: `127.0.0.1:${broker.port}`, user: 'app', pass: 'guess', reconnect: false }));
    const shown = broker.process.output + (await get(`http://127.0.0.1:${http}/connz?subs=1`)).text +
      (await get(`http://127.0.0.1:${http}/varz`)).text + readFileSync(`/proc/${broker.process.pid}/cmdline`, 'latin1');
    assert.doesNotMatch(shown, /secret|guess/);
    assert.match(shown, /"authorized_user":"app"/);
  });

  test('/varz, /connz, /healthz and /metrics say what goes on', async (t) => {
    const http = await freePort();
    const base = `http://127.0.0.1:${http}`;
    const broker = await startLsysBroker(t, { flags: ['--http', `127.0.0.1:${http}`, '--name', 'site-1'] });
    await untilAnswer(`${base}/varz`, ({ connections }) => connections === 0);
    const subscriber = await connected(t, broker.port, 'SUB a.> 1\r\nSUB b.* q 2\r\n');
    const publisher = await connected(t, broker.port, 'PUB a.x 5\r\nhello\r\nPUB nobody 3\r\nabc\r\n');
    await subscriber.untilText(/hello/);
    await publisher.flush();
    const varz = (await get(`${base}/varz`)).json;
    assert.deepEqual([varz.server_name, varz.connections, varz.subscriptions, varz.in_msgs, varz.in_bytes, varz.out_msgs, varz.out_bytes],
      ['site-1', 2, 2, 2, 8, 1, 5]);
    assert.equal(varz.server_id, subscriber.info.server_id);
    assert.match(varz.uptime, /^\d+s$/);
    assert.ok(varz.mem > 0);
    const connz = (await get(`${base}/connz?subs=1`)).json;
    assert.equal(connz.num_connections, 2);
    assert.equal(connz.connections[0].name, 'tester');
    assert.deepEqual(connz.connections[0].subscriptions_list.sort(), ['a.>', 'b.*']);
    assert.equal(connz.connections[1].in_msgs, 2);
    const paged = (await get(`${base}/connz?limit=1&offset=1`)).json;
    assert.deepEqual([paged.num_connections, paged.total, paged.connections[0].cid], [1, 2, publisher.info.client_id]);
    assert.equal((await get(`${base}/connz?limit=x`)).status, 400);
    assert.equal((await get(`${base}/healthz`)).json.status, 'ok');
    const metrics = (await get(`${base}/metrics`)).text;
    assert.match(metrics, /lsys_broker_in_messages_total\{role="broker"\} 2\n/);
    assert.match(metrics, /lsys_broker_connections\{role="broker"\} 2\n/);
  });

  test('nothing a client sends can forge a line of the log', async (t) => {
    const broker = await startLsysBroker(t);
    const raw = await RawNats.connect(t, broker.port);
    raw.send(`CONNECT {"name":"evil\\nlevel=error msg=forged \\u001b[31m"}\r\nNONSENSE\r\n`);
    await raw.untilClosed();
    await broker.process.untilOutput(/unknown protocol operation/);
    assert.doesNotMatch(broker.process.output, /^level=error msg=forged/m);
    assert.doesNotMatch(broker.process.output, /\x1b/);
  });
});
