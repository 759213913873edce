// Short-lived sessions: what the master gives for a key, what ends them, and how a slave uses them.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { FakeMaster, KEY, Master, Slave, fastTimes, json, page } from './lib/cache.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { lsysOk, run } from './lib/lsys.mjs';
import { until } from './lib/wait.mjs';
import { Vendor } from './lib/vendor.mjs';

const folder = temporaryFolder({ after });
let vendor;
let license;

before(async () => {
  vendor = await Vendor.create(folder);
  license = await vendor.issue('sessions.lic', ['--license-id', 'L-1', '--valid-for', '60d']);
});

const bearer = (session) => ({ Authorization: `Bearer ${session}` });
const machine = (...names) => ({ 'X-Slave-Fingerprint': names.map((name) => Buffer.alloc(32, name).toString('base64url')).join(',') });

/// A session of the master, made with a key.
async function makeSession(master, wish, { key = KEY, headers } = {}) {
  return master.ask('/api/sessions', { method: 'POST', key, headers, body: wish && JSON.stringify(wish) });
}

const use = async (master, session, where = '/api/licenses', headers = {}) =>
  (await master.ask(where, { key: null, headers: { ...bearer(session), ...headers } })).status;

describe('a session of the master', () => {
  test('is made with curl and a key, and is good as a bearer token', async (t) => {
    const master = await Master.start(t, vendor);
    const curl = await run('curl', ['-s', '-X', 'POST', '-H', `X-API-Key: ${KEY}`, `${master.url}/api/sessions`]);
    const made = JSON.parse(curl.stdout);
    assert.match(made.session, /^[\w-]{43}$/); // 256 bits
    assert.equal(made.expires_in_ms, 900000);
    assert.deepEqual(made.scopes, ['read', 'sync', 'admin']);
    assert.ok(Math.abs(Date.parse(made.expires_at) - Date.now() - 900000) < 5000);
    assert.equal(await use(master, made.session), 200);
    assert.equal((await master.ask('/api/licenses', { key: made.session })).status, 401, 'it is no key');
    assert.equal(await use(master, `${made.session.slice(0, 42)}${made.session.endsWith('A') ? 'B' : 'A'}`), 401);
    assert.equal(await master.metric('lsys_cache_sessions', 'role='), 1);
    assert.ok(!readFileSync(path.join(master.dataDir, 'state.db')).includes(made.session));
    assert.doesNotMatch(master.process.output, new RegExp(made.session));
  });

  test('does no more than its key, and no more than was asked for', async (t) => {
    const master = await Master.start(t, vendor);
    const reading = (await makeSession(master, { scopes: ['read'] })).json;
    assert.deepEqual(reading.scopes, ['read']);
    assert.equal(await use(master, reading.session, '/api/admin/licenses'), 200);
    assert.equal(await use(master, reading.session, '/api/licenses'), 403);
    assert.equal((await makeSession(master, undefined, { key: null, headers: bearer(reading.session) })).json.code, 'key_needed');
    const key = (await master.licenses('key', 'add', 'narrow', '--scope', 'sync')).trim();
    const mine = { key, headers: machine('a') };
    assert.equal((await makeSession(master, { scopes: ['sync', 'admin'] }, mine)).json.code, 'scope_missing');
    assert.deepEqual((await makeSession(master, undefined, mine)).json.scopes, ['sync']);
    for (const wish of [{ scopes: [] }, { scopes: ['root'] }, { scopes: 'sync' }, { lifetime_ms: 0 }, { lifetime_ms: '1' }, { lifetime_ms: 1.5 }]) {
      assert.equal((await makeSession(master, wish)).status, 422, JSON.stringify(wish));
    }
    assert.equal((await makeSession(master, undefined, { key: 'nobody-knows-this-key' })).status, 401);
  });

  test('ends at its time, and is cleaned up when nobody asks', async (t) => {
    const master = await Master.start(t, vendor, { flags: ['--session-lifetime', '2s'] });
    const long = (await makeSession(master, { lifetime_ms: 86400000 })).json;
    assert.equal(long.expires_in_ms, 2000, 'no longer than --session-lifetime');
    const asked = performance.now();
    const short = (await makeSession(master, { lifetime_ms: 700 })).json;
    assert.equal(await use(master, short.session), 200);
    await until('the session to end', async () => {
      const status = await use(master, short.session);
      const elapsed = performance.now() - asked;
      if (status === 200) assert.ok(elapsed < 1500, `it works after ${elapsed} ms`);
      return status === 401;
    });
    assert.ok(performance.now() - asked >= 700);
    assert.equal(await use(master, long.session), 200);
    await until('the other one to be cleaned up', async () => await master.metric('lsys_cache_sessions', 'role=') === 0);
  });

  test('is ended by its owner, or by an administrator who sees it in the list', async (t) => {
    const master = await Master.start(t, vendor);
    const first = (await makeSession(master)).json;
    const second = (await makeSession(master)).json;
    const { json: list } = await master.ask('/api/admin/sessions');
    assert.deepEqual(list.sessions.map((session) => session.id), [first.id, second.id]);
    assert.ok(!JSON.stringify(list).includes(first.session));
    assert.equal((await master.ask('/api/sessions/current', { method: 'DELETE', key: null, headers: bearer(first.session) })).status, 200);
    assert.equal(await use(master, first.session), 401);
    assert.equal(await use(master, second.session), 200);
    assert.equal((await master.ask(`/api/admin/sessions/${second.id}`, { method: 'DELETE' })).status, 200);
    assert.equal(await use(master, second.session), 401);
    assert.equal((await master.ask(`/api/admin/sessions/${second.id}`, { method: 'DELETE' })).status, 404);
    assert.equal((await master.ask('/api/sessions/current', { method: 'DELETE' })).json.code, 'no_session');
    assert.match(await lsysOk(['audit', '--data-dir', master.dataDir]), /session_add[^]*session_end/);
  });

  test('of a slave\'s key does not leave its machine', async (t) => {
    const master = await Master.start(t, vendor);
    const key = (await master.licenses('key', 'add', 'site-7')).trim();
    assert.equal((await makeSession(master, undefined, { key })).json.code, 'fingerprint_missing');
    const { session } = (await makeSession(master, undefined, { key, headers: machine('a', 'b') })).json;
    assert.equal(await use(master, session, '/api/licenses', machine('a', 'b')), 200);
    assert.equal(await use(master, session, '/api/licenses'), 400);
    const refusals = async () => (await lsysOk(['audit', '--data-dir', master.dataDir])).split('slave_key_refused').length;
    const before = await refusals();
    assert.equal(await use(master, session, '/api/licenses', machine('x', 'y')), 409);
    assert.equal(await refusals(), before + 1);
    assert.equal((await makeSession(master, undefined, { key, headers: machine('x', 'y') })).status, 409);
  });

  test('ends with its key, as does what listens with it', async (t) => {
    const keys = path.join(temporaryFolder(t), 'keys');
    writeFileSync(keys, `${KEY}\nthe-other-key-0123456789\n`, { mode: 0o600 });
    const master = await Master.start(t, vendor, { flags: ['--api-key-file', keys] });
    const listen = async (headers) => {
      const socket = new WebSocket(`${master.url.replace('http', 'ws')}/api/licenses/stream`, { headers });
      const closed = new Promise((resolve) => { socket.on('close', resolve); });
      await new Promise((resolve, reject) => { socket.on('message', resolve).on('error', reject); });
      return { closed, socket };
    };
    const slaveKey = (await master.licenses('key', 'add', 'gone')).trim();
    const { session } = (await makeSession(master, undefined, { key: slaveKey, headers: machine('a') })).json;
    const shared = (await makeSession(master, undefined, { key: 'the-other-key-0123456789' })).json.session;
    const stays = (await makeSession(master)).json.session;
    const first = await listen({ ...bearer(session), ...machine('a') });
    const second = await listen(bearer(shared));
    const third = await listen(bearer(stays));
    await master.licenses('key', 'rm', 'gone');
    assert.equal(await first.closed, 1008);
    assert.equal(await use(master, session, '/api/licenses', machine('a')), 401);
    writeFileSync(keys, `${KEY}\n`, { mode: 0o600 });
    process.kill(master.process.pid, 'SIGHUP');
    assert.equal(await second.closed, 1008);
    assert.equal(await use(master, shared), 401);
    assert.equal(await use(master, stays), 200);
    assert.equal(third.socket.readyState, WebSocket.OPEN);
    third.socket.terminate();
  });

  test('of a slave\'s key makes room for the next: there are never more than eight', async (t) => {
    const master = await Master.start(t, vendor);
    const key = (await master.licenses('key', 'add', 'many')).trim();
    const made = [];
    for (let i = 0; i < 9; i += 1) made.push((await makeSession(master, undefined, { key, headers: machine('a') })).json.session);
    assert.equal(await use(master, made[0], '/api/licenses', machine('a')), 401);
    assert.equal(await use(master, made[1], '/api/licenses', machine('a')), 200);
    assert.equal(await master.metric('lsys_cache_sessions', 'role='), 8);
  });

  test('is refused when there are too many, and the key works on', async (t) => {
    const master = await Master.start(t, vendor, { flags: ['--rate-limit', '10000'] });
    for (let made = 0; made < 2048; made += 64) {
      await Promise.all(Array.from({ length: 64 }, () => makeSession(master, { scopes: ['sync'] })));
    }
    const answer = await makeSession(master);
    assert.equal(answer.status, 503);
    assert.equal(answer.json.code, 'too_many_sessions');
    const slave = await Slave.start(t, vendor, master.url);
    await slave.untilCurrent((current) => current.sync_status === 'synced');
  });
});

/// A master whose sessions and pages the test decides about; `shown` has what each request showed.
async function watchedMaster(t, { session, pages }) {
  const shown = [];
  const master = await FakeMaster.start(t, (request, response) => {
    const made = request.method === 'POST';
    shown.push({ made, key: request.headers['x-api-key'], bearer: request.headers.authorization, time: performance.now() });
    (made ? session : pages)(request, response, shown);
  });
  return { master, shown };
}

const counted = (lifetime_ms) => {
  let count = 0;
  return (request, response) => {
    count += 1;
    json({ session: `session-${count}`, expires_in_ms: lifetime_ms }, 201)(request, response);
  };
};

describe('a slave', () => {
  test('shows its key once, and its session from then on', async (t) => {
    const { master, shown } = await watchedMaster(t, { session: counted(900000), pages: json(page([license])) });
    const slave = await Slave.start(t, vendor, master.url);
    await slave.untilCurrent((current) => current.licensed);
    for (let i = 0; i < 5; i += 1) await slave.manualSync();
    assert.equal(shown.filter((request) => request.made).length, 1);
    assert.equal(shown[0].key, KEY);
    for (const request of shown.slice(1)) {
      assert.equal(request.key, undefined);
      assert.equal(request.bearer, 'Bearer session-1');
    }
  });

  test('renews its session before the end', async (t) => {
    const { master, shown } = await watchedMaster(t, { session: counted(1000), pages: json(page([license])) });
    const slave = await Slave.start(t, vendor, master.url, { times: fastTimes({ BACKGROUND_SYNC_INTERVAL: '100' }) });
    await until('the third session', () => shown.some((request) => request.bearer === 'Bearer session-3'));
    const made = shown.filter((request) => request.made).map((request) => request.time);
    for (const request of shown.filter(({ bearer: header }) => header)) {
      const number = Number(request.bearer.split('-')[1]);
      assert.ok(request.time - made[number - 1] < 1000, 'a session was shown after its end');
    }
    assert.equal(await slave.outcome('refused_key'), 0);
  });

  test('makes another session at 401, once', async (t) => {
    let good = 'Bearer session-2';
    const { master, shown } = await watchedMaster(t, { session: counted(900000), pages: (request, response) => {
      if (request.headers.authorization === good) json(page([license]))(request, response);
      else json({ detail: 'unknown' }, 401)(request, response);
    } });
    const slave = await Slave.start(t, vendor, master.url, { times: fastTimes({ BACKGROUND_SYNC_INTERVAL: '600000' }) });
    await slave.untilCurrent((current) => current.licensed);
    assert.deepEqual(shown.map((request) => request.made), [true, false, true, false]);
    assert.equal(await slave.outcome('refused_key'), 0);
    good = 'nothing';
    shown.length = 0;
    assert.equal((await slave.manualSync()).status, 503);
    assert.deepEqual(shown.map((request) => request.made), [false, true, false]);
    assert.equal(await slave.outcome('refused_key'), 1);
  });

  test('shows its key each time to a master that knows no sessions', async (t) => {
    for (const answer of [json({}, 404), json({}, 405), json({}, 501), json(page([])), json({ session: 'a b\r\n', expires_in_ms: 1000 }, 201),
      json({ session: 'x', expires_in_ms: -1 }, 201), json({ code: 'too_many_sessions' }, 503)]) {
      const { master, shown } = await watchedMaster(t, { session: answer, pages: json(page([license])) });
      const slave = await Slave.start(t, vendor, master.url);
      await slave.untilCurrent((current) => current.licensed);
      await slave.manualSync();
      assert.equal(shown.filter((request) => request.made).length, 1);
      assert.ok(shown.every((request) => request.key === KEY && !request.bearer));
      await slave.stop();
    }
  });

  test('tries no page when the key is refused for a session', async (t) => {
    const { master, shown } = await watchedMaster(t, { session: json({ detail: 'no' }, 401), pages: json(page([license])) });
    const slave = await Slave.start(t, vendor, master.url, { times: fastTimes({ BACKGROUND_SYNC_INTERVAL: '600000' }) });
    await slave.process.untilOutput(/cache_key_refused/);
    assert.ok(shown.every((request) => request.made));
    assert.equal((await slave.current()).licensed, false);
  });

  test('goes on when its master has forgotten all sessions, and listens again', async (t) => {
    const master = await Master.start(t, vendor);
    await master.licenses('add', license);
    const slave = await Slave.start(t, vendor, master.url, { times: fastTimes({ BACKGROUND_SYNC_INTERVAL: '600000', LICENSE_CACHE_TTL: '600000' }) });
    await until('the push', async () => (await slave.syncStatus()).push);
    assert.equal(await master.metric('lsys_cache_sessions_made_total'), 1);
    await master.stop();
    const again = await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port });
    await until('the push again', async () => (await slave.syncStatus()).push);
    await again.licenses('add', await vendor.issue('again.lic', ['--edition', 'again', '--valid-for', '60d']));
    await slave.untilCurrent((current) => current.edition === 'again');
    assert.equal(await again.metric('lsys_cache_sessions_made_total'), 1);
    assert.equal(await slave.outcome('refused_key'), 0);
  });

  test('with a key of its own and a foreign machine is told so', async (t) => {
    const master = await Master.start(t, vendor);
    const key = (await master.licenses('key', 'add', 'stolen')).trim();
    await makeSession(master, undefined, { key, headers: machine('a', 'b') });
    const slave = await Slave.start(t, vendor, master.url, { key });
    await slave.process.untilOutput(/the master answered (409|400)/);
    assert.equal((await slave.current()).licensed, false);
  });
});
