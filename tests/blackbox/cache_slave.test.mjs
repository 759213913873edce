// lsys cache-slave as applications and operators see it: what it answers while all is well, and how it is asked.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Agent, request } from 'undici';
import WebSocket from 'ws';
import { FakeMaster, Master, Slave, KEY, fastTimes, json, page, status } from './lib/cache.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { binary, lsysOk, run } from './lib/lsys.mjs';
import { until } from './lib/wait.mjs';
import { Vendor } from './lib/vendor.mjs';

const folder = temporaryFolder({ after });
let vendor;

before(async () => {
  vendor = await Vendor.create(folder);
});

/// A master with one license, and a slave that has it.
async function pair(t, { issue = [], ...options } = {}) {
  const master = await Master.start(t, vendor);
  const license = await vendor.issue(`${t.name.replace(/\W+/g, '-')}.lic`,
    ['--feature', 'sso', '--feature', 'nodes=50', '--valid-for', '60d', ...issue]);
  await master.licenses('add', license);
  const slave = await Slave.start(t, vendor, master.url, options);
  await slave.untilCurrent((current) => current.licensed);
  return { master, slave, license };
}

const quiet = fastTimes({ LICENSE_CACHE_TTL: '60000', BACKGROUND_SYNC_INTERVAL: '60000' });

describe('current', () => {
  test('has what scripts rely on', async (t) => {
    const { slave } = await pair(t);
    const current = await slave.current();
    assert.equal(current.licensed, true);
    assert.equal(current.edition, 'enterprise');
    assert.deepEqual(current.features, { sso: true, nodes: 50 });
    assert.equal(current.rests_on, 'master');
    assert.ok(current.age_ms >= 0 && current.age_ms < 5000);
    assert.ok(current.reason.length > 10);
    assert.equal(current.license.customer, 'ACME');
    assert.equal(current.license.sync_status, 'synced');
    assert.deepEqual(current.license.features, { sso: true, nodes: 50 });
    assert.match(current.license.expires_at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.match(current.license.last_sync, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.ok(current.license.id);
  });

  test('is the highest serial, even if it has expired', async (t) => {
    const { master, slave } = await pair(t, { times: quiet });
    const short = await vendor.issue('short.lic', ['--valid-for', '2s', '--license-id', 'short']);
    await master.licenses('add', short);
    assert.equal((await slave.manualSync()).status, 200);
    assert.equal((await slave.current()).license.id, 'short');
    const expired = await slave.untilCurrent((current) => current.sync_status === 'expired');
    assert.equal(expired.licensed, false);
    assert.equal(expired.edition, 'community');
    assert.deepEqual(expired.features, {});
    assert.deepEqual(expired.license.features, {});
    assert.equal(expired.license.id, 'short');
    const renewed = await vendor.issue('renewed.lic', ['--valid-for', '60d', '--license-id', 'renewed']);
    await master.licenses('add', renewed);
    await slave.manualSync();
    assert.equal((await slave.current()).license.id, 'renewed');
    assert.equal((await slave.current()).licensed, true);
  });

  test('asked without a pause, grants nothing after the end of the license, a revocation or its new edition', async (t) => {
    const { master, slave } = await pair(t, { times: quiet });
    const short = await vendor.issue('ends.lic', ['--valid-for', '3s', '--license-id', 'ends', '--edition', 'professional']);
    const agent = new Agent({ connections: 8, pipelining: 1 });
    t.after(() => agent.close());
    const seen = [];
    let asking = true;
    const ask = async () => {
      while (asking) {
        const asked_at = Date.now();
        const { body } = await request(`${slave.url}/api/licenses/current`, { dispatcher: agent });
        seen.push({ asked_at, answered_at: Date.now(), ...await body.json() });
      }
    };
    const askers = Array.from({ length: 8 }, ask);
    const pushed = async (...args) => {
      await master.licenses(...args);
      await slave.manualSync();
      return Date.now();
    };
    const added_at = await pushed('add', short);
    const ended = await slave.untilCurrent((current) => current.sync_status === 'expired');
    const ended_at = Date.parse(ended.expires_at);
    await master.licenses('rm', 'ends');
    const next = await vendor.issue('next.lic', ['--license-id', 'next', '--edition', 'professional']);
    await pushed('add', next);
    const revoked_at = await pushed('revoke', 'next');
    await until('an answer after the revocation', () => seen.at(-1).asked_at > revoked_at);
    asking = false;
    await Promise.all(askers);
    const during = (from, to) => seen.filter(({ asked_at, answered_at }) => asked_at >= from && answered_at < to);
    const all = (answers, condition) => assert.ok(answers.length > 0 && answers.every(condition), `${answers.length} answers`);
    all(during(added_at, ended_at), ({ licensed, edition, features }) => licensed && edition === 'professional' && !features.sso);
    all(during(ended_at, Date.now()).filter(({ license: { id } }) => id === 'ends'),
      ({ licensed, edition, features }) => !licensed && edition === 'community' && Object.keys(features).length === 0);
    all(during(revoked_at, Infinity), ({ licensed, license: { id } }) => !licensed && id === 'next');
  });

  test('without any license is an answer, too', async (t) => {
    const master = await Master.start(t, vendor);
    const slave = await Slave.start(t, vendor, master.url);
    const current = await slave.untilCurrent((answer) => answer.sync_status === 'synced');
    assert.equal(current.licensed, false);
    assert.equal(current.edition, 'community');
    assert.deepEqual(current.features, {});
    assert.equal(current.license.id, null);
    assert.equal(typeof current.license.features, 'object');
  });

  test('follows --deployment-id, and says when it has to be given', async (t) => {
    const master = await Master.start(t, vendor);
    for (const site of ['north', 'south']) {
      await master.licenses('add', await vendor.issue(`${site}.lic`, ['--deployment-id', site, '--license-id', `L-${site}`]));
    }
    const north = await Slave.start(t, vendor, master.url, { flags: ['--deployment-id', 'north'] });
    assert.equal((await north.untilCurrent((current) => current.licensed)).license.id, 'L-north');
    const neither = await Slave.start(t, vendor, master.url);
    const current = await neither.untilCurrent((answer) => answer.sync_status === 'synced');
    assert.equal(current.licensed, false);
    assert.match(current.reason, /--deployment-id/);
    const elsewhere = (await get(`${north.url}/api/licenses/L-south`)).json;
    assert.equal(elsewhere.licensed, false);
  });

  test('never goes back to an older license', async (t) => {
    const { master, slave } = await pair(t, { times: quiet, issue: ['--license-id', 'older'] });
    await master.licenses('add', await vendor.issue('newer.lic', ['--license-id', 'newer', '--edition', 'basic']));
    await slave.manualSync();
    assert.equal((await slave.current()).edition, 'basic');
    await master.licenses('rm', 'newer');
    await slave.manualSync();
    const current = await slave.current();
    assert.equal(current.licensed, false);
    assert.match(current.reason, /serial/);
  });
});

describe('one license, and checks', () => {
  test('by id', async (t) => {
    const { slave } = await pair(t, { issue: ['--license-id', 'L/1 ä'] });
    const found = await get(`${slave.url}/api/licenses/${encodeURIComponent('L/1 ä')}`);
    assert.ok([200, 404].includes(found.status)); // a slash in an id cannot be a segment of a path
    assert.equal((await get(`${slave.url}/api/licenses/none`)).status, 404);
  });

  test('of features and limits, one or many in a call', async (t) => {
    const { slave } = await pair(t);
    const { json } = await slave.check({ checks: [{ feature: 'sso' }, { feature: 'nodes', amount: 50 },
      { feature: 'nodes', amount: 51 }, { feature: 'none' }] });
    assert.deepEqual(json.results.map((result) => [result.allowed, result.code]),
      [[true, 'licensed'], [true, 'licensed'], [false, 'over_limit'], [false, 'not_licensed']]);
    assert.equal(json.results[1].limit, 50);
    assert.equal(json.allowed, false);
    assert.equal((await slave.check({ feature: 'sso' })).json.allowed, true);
  });

  test('of nonsense are refused', async (t) => {
    const { slave } = await pair(t);
    for (const body of ['', '{', '[]', '{}', '{"feature":1}', '{"feature":"sso","amount":"many"}', '{"checks":[]}',
      '{"checks":{}}', JSON.stringify({ checks: Array(257).fill({ feature: 'sso' }) })]) {
      const { status } = await get(`${slave.url}/api/licenses/check`, { method: 'POST', body });
      assert.equal(status, 400, body.slice(0, 60));
    }
  });
});

describe('syncs', () => {
  test('take up what is added, replaced, revoked and removed', async (t) => {
    const { master, slave } = await pair(t, { times: quiet, issue: ['--license-id', 'one'] });
    await master.licenses('revoke', 'one', '--reason', 'contract ended');
    assert.equal((await slave.manualSync()).status, 200);
    const revoked = await slave.current();
    assert.equal(revoked.licensed, false);
    assert.equal(revoked.status, 'revoked');
    assert.match(revoked.reason, /contract ended/);
    assert.equal((await slave.check({ feature: 'sso' })).json.allowed, false);
    await master.licenses('add', await vendor.issue('two.lic', ['--license-id', 'one', '--edition', 'professional']));
    await slave.manualSync();
    assert.equal((await slave.current()).edition, 'professional');
    await master.licenses('rm', 'one');
    await slave.manualSync();
    assert.equal((await slave.current()).licensed, false);
  });

  test('run in the background by themselves', async (t) => {
    const { master, slave } = await pair(t);
    await master.licenses('add', await vendor.issue('later.lic', ['--edition', 'later']));
    await slave.untilCurrent((current) => current.edition === 'later');
  });

  test('follow a change at once when the master tells of it, and poll when it does not', async (t) => {
    const { master, slave } = await pair(t, { times: quiet });
    await until('the push', async () => (await slave.syncStatus()).push);
    await master.licenses('add', await vendor.issue('pushed.lic', ['--edition', 'pushed']));
    const added = performance.now();
    await slave.untilCurrent((current) => current.edition === 'pushed');
    assert.ok(performance.now() - added < 5000, `${performance.now() - added} ms`); // a poll would take a minute
    const deaf = await Slave.start(t, vendor, master.url, { flags: ['--no-enable-push'] });
    await deaf.untilCurrent((current) => current.edition === 'pushed');
    assert.equal((await deaf.syncStatus()).push, false);
  });

  test('hear the master again after its restart', async (t) => {
    const { master, slave } = await pair(t, { times: quiet });
    await until('the push', async () => (await slave.syncStatus()).push);
    await master.stop();
    const again = await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port });
    await until('the push again', async () => (await slave.syncStatus()).push);
    await again.licenses('add', await vendor.issue('after.lic', ['--edition', 'after']));
    await slave.untilCurrent((current) => current.edition === 'after');
  });

  test('by hand work with curl, on this machine and not from a web page', async (t) => {
    const { slave } = await pair(t);
    const url = `${slave.url}/api/licenses/manual-sync`;
    const curl = await run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-X', 'POST', url.replace('127.0.0.1', 'localhost')]);
    assert.equal(curl.stdout, '200');
    for (const origin of ['http://evil.example', slave.url]) {
      const { status } = await get(url, { method: 'POST', headers: { Origin: origin } });
      assert.ok([401, 403].includes(status), `${origin}: ${status}`);
    }
    assert.equal((await get(url, { method: 'POST', headers: { 'X-API-Key': KEY } })).status, 200);
  });

  test('by hand see what was changed while another one ran', async (t) => {
    const before = await vendor.issue('before.lic', ['--license-id', 'before', '--valid-for', '60d']);
    const changed = await vendor.issue('changed.lic', ['--license-id', 'changed', '--valid-for', '60d']);
    const master = await FakeMaster.start(t, json(page([before])));
    const slave = await Slave.start(t, vendor, master.url, { times: { ...quiet, SYNC_TIMEOUT: '5000' } });
    await slave.untilCurrent((current) => current.license.id === 'before');
    let release;
    master.answer = (request, response) => { release = () => json(page([before]))(request, response); };
    const first = slave.manualSync();
    await until('the first sync to ask', () => release);
    master.answer = json(page([before, changed], { stream: 'CCCCCCCCCCCCCCCCCCCCCC' }));
    const second = slave.manualSync();
    await until('the second one to be there', async () => await slave.metric('lsys_http_connections') >= 3);
    release();
    assert.equal((await first).status, 200);
    assert.equal((await second).status, 200);
    assert.equal((await slave.current()).license.id, 'changed');
  });

  test('carry revocation lists of the vendor', async (t) => {
    const { slave, master } = await pair(t, { times: quiet, issue: ['--license-id', 'listed'] });
    await master.stop();
    const list = `${vendor.folder}/revocations.jwt`;
    await lsysOk(['revoke', 'add', 'listed', '--key', vendor.key, '--list', list, '--reason', 'resold']);
    const again = await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port, flags: ['--revocations', list] });
    await slave.manualSync();
    assert.equal((await slave.current()).status, 'revoked');
    await again.stop();
  });

  test('survive a restart without the master: warm, with the age going on', async (t) => {
    const { master, slave } = await pair(t, { times: fastTimes({ LICENSE_CACHE_TTL: '60000' }) });
    const before = await slave.current();
    await master.stop();
    await slave.stop();
    const again = await Slave.start(t, vendor, master.url, { dataDir: slave.dataDir, times: quiet });
    const current = await again.current();
    assert.equal(current.licensed, true);
    assert.equal(current.rests_on, 'master');
    assert.equal(current.license.id, before.license.id);
    assert.ok(current.age_ms >= before.age_ms, `${current.age_ms} after ${before.age_ms}`);
    assert.equal((await get(`${again.url}/readyz`)).status, 200);
  });

  test('pass through a slave that is the master of others, with the age of the first word', async (t) => {
    const { master, slave } = await pair(t, { times: quiet });
    const last = await Slave.start(t, vendor, slave.url);
    assert.equal((await last.untilCurrent((current) => current.licensed)).edition, 'enterprise');
    assert.equal((await get(`${slave.url}/api/licenses`)).status, 401);
    await master.stop();
    await until('the last slave to know how old the word is', async () =>
      (await last.manualSync()).status === 200 && (await last.current()).age_ms > 600);
  });
});

test('an id may hold slashes and whatever else has to be escaped in a path', async (t) => {
  const master = await Master.start(t, vendor);
  const id = 'ACME/2027 50% \\ é?#';
  await master.licenses('add', await vendor.issue('slashes.lic', ['--license-id', id, '--valid-for', '60d']));
  const where = `/api/licenses/${encodeURIComponent(id)}`;
  const slave = await Slave.start(t, vendor, master.url);
  await slave.untilCurrent((current) => current.licensed);
  assert.equal((await get(`${slave.url}${where}`)).json.license.id, id);
  assert.equal((await master.ask(where)).json.license.license_id, id);
  assert.equal((await master.ask('/api/licenses/ACME/2027')).status, 404);
  await master.licenses('revoke', id, '--reason', 'slashed');
  await slave.untilCurrent((current) => current.status === 'revoked');
  await master.licenses('rm', id);
  assert.equal((await master.ask(where)).status, 404);
});

test('Retry-After as a date is honoured, by the clock of whoever says it', async (t) => {
  const twoHoursAgo = Date.now() - 7200000;
  const headers = { Date: new Date(twoHoursAgo).toUTCString(), 'Retry-After': new Date(twoHoursAgo + 1800000).toUTCString() };
  const master = await FakeMaster.start(t, (request, response) => {
    response.sendDate = false;
    status(429, headers)(request, response);
  });
  const slave = await Slave.start(t, vendor, master.url);
  const { next_sync_in_ms: wait_ms } = await until('the wait', async () => {
    const answer = await slave.syncStatus();
    return answer.last_error && answer.sync === 'waiting' && answer;
  });
  assert.ok(wait_ms > 1790000 && wait_ms <= 1.25 * 1800000, `${wait_ms} ms`);
});

test('a change goes through a slave to its slaves at once, and only to those with its key', async (t) => {
  const { master, slave } = await pair(t, { times: quiet });
  const last = await Slave.start(t, vendor, slave.url, { times: quiet });
  for (const one of [slave, last]) await until('the push', async () => (await one.syncStatus()).push);
  assert.equal(await slave.metric('lsys_cache_push_listeners'), 1);
  await master.licenses('add', await vendor.issue('through.lic', ['--edition', 'through', '--valid-for', '60d']));
  await last.untilCurrent((current) => current.edition === 'through');
  const socket = new WebSocket(`${slave.url.replace('http', 'ws')}/api/licenses/stream`);
  const [, response] = await once(socket.on('error', () => {}), 'unexpected-response');
  assert.equal(response.statusCode, 401);
  socket.terminate();
  assert.deepEqual(await slave.stop(), { code: 0, signal: null });
});

describe('a thousand requests', () => {
  test('at once make one sync when the grace is over', async (t) => {
    const { master, slave } = await pair(t, { times: fastTimes({ LICENSE_CACHE_TTL: '1', STALE_GRACE_PERIOD: '1', SYNC_TIMEOUT: '8000',
      BACKGROUND_SYNC_INTERVAL: '600000' }) });
    const pulls = await master.metric('lsys_cache_pulls_total');
    const agent = new Agent({ connections: 100, pipelining: 1 });
    t.after(() => agent.close());
    const started = performance.now();
    const answers = await Promise.all(Array.from({ length: 1000 }, async () => {
      const { body } = await request(`${slave.url}/api/licenses/current`, { dispatcher: agent });
      return body.json();
    }));
    assert.ok(answers.every((answer) => answer.licensed));
    const made = await master.metric('lsys_cache_pulls_total') - pulls;
    assert.ok(made >= 1 && made < 250, `${made} syncs in ${performance.now() - started} ms`);
  });

  test('within the TTL make none', async (t) => {
    // Without push, whose first bell makes a sync of its own.
    const { master, slave } = await pair(t, { times: { ...quiet, LSYS_CACHE_SLAVE_ENABLE_PUSH: 'false' } });
    const pulls = await master.metric('lsys_cache_pulls_total');
    const agent = new Agent({ connections: 50 });
    t.after(() => agent.close());
    await Promise.all(Array.from({ length: 1000 }, async () =>
      (await request(`${slave.url}/api/licenses/current`, { dispatcher: agent })).body.dump()));
    assert.equal(await master.metric('lsys_cache_pulls_total'), pulls);
    assert.ok(await slave.metric('lsys_cache_hits_total') >= 1000);
  });
});

test('alert rules and dashboard speak of numbers that there are', async (t) => {
  const { slave } = await pair(t);
  const { text } = await get(`${slave.url}/metrics`);
  const known = new Set([...text.matchAll(/^(lsys_\w+)/gm)].map((match) => match[1]));
  for (const file of ['prometheus-alerts.yml', 'grafana-cache.json']) {
    const content = readFileSync(new URL(`../../conf.d/${file}`, import.meta.url), 'utf8');
    const named = new Set(content.match(/lsys_cache_\w+/g));
    assert.ok(named.size > 4);
    assert.deepEqual([...named].filter((name) => !known.has(name)), [], file);
    if (file.endsWith('.json')) assert.equal(JSON.parse(content).panels.length, 9);
  }
});

describe('settings', () => {
  test('have the names that installations use, and show where they come from', async (t) => {
    const { stdout } = await run(binary, ['config', 'show', 'cache-slave'], { env: { LICENSE_CACHE_TTL: '1234', ENABLE_BACKGROUND_SYNC: 'false', SECRET_INTERNAL_API_KEY: KEY } });
    assert.match(stdout, /cache_ttl.*1s 234ms|cache_ttl.*1234/);
    assert.match(stdout, /LICENSE_CACHE_TTL/);
    assert.match(stdout, /ENABLE_BACKGROUND_SYNC/);
    assert.doesNotMatch(stdout, new RegExp(KEY));
  });

  test('profile development is short, and what is set wins', async (t) => {
    const master = await Master.start(t, vendor);
    const slave = await Slave.start(t, vendor, master.url, { times: { STALE_GRACE_PERIOD: '777' }, flags: ['--profile', 'development'] });
    const status = await slave.syncStatus();
    assert.equal(status.ttl_ms, 30000);
    assert.equal(status.grace_ms, 777);
    const production = await Slave.start(t, vendor, master.url, { times: {} });
    assert.equal((await production.syncStatus()).ttl_ms, 1800000);
    assert.equal((await production.syncStatus()).grace_ms, 7200000);
  });

  test('are taken over at SIGHUP, and a fallback license that is not good leaves the old one', async (t) => {
    const file = `${vendor.folder}/fallback.lic`;
    await vendor.issue(file, ['--edition', 'development', '--valid-for', '60d']);
    const { slave } = await pair(t, { flags: ['--fallback-license', file] });
    await vendor.issue(file, ['--edition', 'enterprise', '--valid-for', '60d']);
    process.kill(slave.process.pid, 'SIGHUP');
    await slave.process.untilOutput(/fallback license was refused/);
    assert.equal((await slave.current()).licensed, true);
    assert.equal(slave.process.exit, undefined);
  });

  test('without the cache the master is asked for every answer', async (t) => {
    const { master, slave } = await pair(t, { times: { ...quiet, ENABLE_CACHE: 'false' } });
    assert.equal((await slave.current()).rests_on, 'master');
    const pulls = await master.metric('lsys_cache_pulls_total');
    for (let i = 0; i < 3; i++) assert.equal((await slave.current()).licensed, true);
    assert.equal(await master.metric('lsys_cache_pulls_total'), pulls + 3);
    await master.stop();
    assert.equal((await slave.current()).licensed, false);
  });
});
