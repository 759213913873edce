// lsys cache-slave while its master is away, ill or hostile, with a thousand applications asking: no wrong grant, no
// lost license, the right state and a reason that says what is the matter.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FakeMaster, Master, Slave, fastTimes, freeze, json, page, status } from './lib/cache.mjs';
import { CROWD_GRANT, CROWD_LICENSE, CROWD_QUESTIONS, Crowd, Oracle } from './lib/crowd.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { until } from './lib/wait.mjs';
import { Vendor } from './lib/vendor.mjs';

const folder = temporaryFolder({ after });
let vendor;
let other; // a vendor whose keys nobody here trusts
let license;
let development;

before(async () => {
  vendor = await Vendor.create(folder);
  other = await Vendor.create(path.join(folder, 'other'));
  license = await vendor.issue('acme.lic', [...CROWD_LICENSE, '--valid-for', '60d', '--license-id', 'L-1']);
  development = await vendor.issue('development.lic', ['--edition', 'development', '--feature', 'debug', '--valid-for', '60d']);
});

async function pair(t, { oracle, ...options } = {}) {
  const master = await Master.start(t, vendor);
  await master.licenses('add', license);
  const slave = await Slave.start(t, vendor, master.url, options);
  await slave.untilCurrent((current) => current.licensed);
  const crowd = new Crowd(t, slave, await Oracle.of(slave, { grants: { 'L-1': CROWD_GRANT }, ...oracle }));
  return { master, slave, crowd };
}

/// From synced through stale to failed, and what each says.
async function walkThroughOutage(slave, lastError) {
  const stale = await slave.untilCurrent((current) => current.sync_status === 'stale');
  assert.equal(stale.licensed, true);
  assert.equal(stale.rests_on, 'cache');
  assert.deepEqual(stale.features, CROWD_GRANT.features);
  const failed = await slave.untilCurrent((current) => current.sync_status === 'failed');
  assert.equal(failed.licensed, false);
  assert.equal(failed.edition, 'community');
  assert.deepEqual(failed.features, {});
  assert.deepEqual(failed.license.features, {});
  assert.match(failed.reason, lastError);
  assert.equal((await slave.check({ feature: 'sso' })).json.results[0].code, 'no_master');
  return failed;
}

test('the oracle of these tests notices each lie', async (t) => {
  const { slave, crowd } = await pair(t, { times: fastTimes({ LICENSE_CACHE_TTL: '60000' }) });
  const expected = { states: ['synced'], words: /never/ };
  const [now, past] = [Date.now(), Date.now() + 1000];
  const current = await slave.current();
  const check = (await slave.check({ checks: CROWD_QUESTIONS })).json;
  crowd.oracle.judgeCurrent(current, expected, now);
  crowd.oracle.judgeCheck(check, expected, now);
  const lies = [{ sync_status: 'stale' }, { sync_status: 'failed' }, { licensed: false }, { edition: 'community' }, { rests_on: 'cache' },
    { age_ms: 60001 }, { age_ms: null }, { reason: 'all is well' }, { reason: `${current.reason}; last try: refused` }];
  const license = (change) => ({ license: { ...current.license, ...change } });
  for (const lie of [...lies, { features: {} }, { features: { ...CROWD_GRANT.features, more: true } }, license({ id: 'L-2' }),
    license({ features: {} }), license({ sync_status: 'failed' })]) {
    assert.throws(() => crowd.oracle.judgeCurrent({ ...current, ...lie }, expected, now), JSON.stringify(lie));
  }
  const result = (index, change) => ({ results: check.results.map((one, i) => (i === index ? { ...one, ...change } : one)) });
  for (const lie of [...lies, { allowed: true }, { results: [] }, result(0, { allowed: false }), result(2, { allowed: true }),
    result(3, { allowed: true, code: 'licensed' }), result(1, { code: 'no_master' })]) {
    assert.throws(() => crowd.oracle.judgeCheck({ ...check, ...lie }, expected, now), JSON.stringify(lie));
  }
  crowd.oracle.grants = { 'L-1': { ...CROWD_GRANT, ends_ms: now + 500 } };
  assert.throws(() => crowd.oracle.judgeCurrent(current, expected, past));
  assert.throws(() => crowd.oracle.judgeCheck(check, expected, past));
});

describe('the master', () => {
  test('killed: stale, failed, and back at once when it returns', async (t) => {
    const { master, slave, crowd } = await pair(t);
    await crowd.ask({ states: ['synced', 'stale'] });
    const words = /refused|cut short|reset|in time/;
    const killed = master.stop('SIGKILL');
    await crowd.ask({ states: ['synced', 'stale', 'failed'], words });
    await killed;
    await walkThroughOutage(slave, /refused/);
    await crowd.ask({ states: ['failed'], words: /refused/ });
    await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port });
    await crowd.ask({ states: ['synced', 'stale', 'failed'], words });
    const back = await slave.untilCurrent((current) => current.licensed, 3000);
    assert.equal(back.sync_status, 'synced');
    assert.equal(back.rests_on, 'master');
    await crowd.ask({ states: ['synced', 'stale'] });
  });

  test('hung: requests end at the deadline, and are answered by fallback', async (t) => {
    const { master, slave, crowd } = await pair(t);
    const words = /time|deadline|did not/i;
    const thaw = freeze(t, master.process);
    await crowd.ask({ states: ['synced', 'stale', 'failed'], words });
    await until('the grace to be over', async () => (await slave.syncStatus()).sync_status === 'failed');
    await crowd.ask({ states: ['failed'], words });
    const asked = performance.now();
    const current = await slave.current();
    assert.ok(performance.now() - asked < 2500, `${performance.now() - asked} ms`);
    assert.equal(current.licensed, false);
    assert.match(current.reason, words);
    thaw();
    await crowd.ask({ states: ['synced', 'stale', 'failed'], words });
    await slave.untilCurrent((answer) => answer.licensed, 5000);
  });

  test('answering 401: no retry, an alert', async (t) => {
    const master = await FakeMaster.start(t, status(401));
    const slave = await Slave.start(t, vendor, master.url, { times: fastTimes({ BACKGROUND_SYNC_INTERVAL: '600000' }) });
    await slave.process.untilOutput(/cache_key_refused|answered 401/);
    assert.equal((await slave.current()).licensed, false);
    await slave.current();
    assert.equal(master.requests.length, 1);
  });

  test('answering 500: tries double, and end', async (t) => {
    const master = await FakeMaster.start(t, status(500));
    await Slave.start(t, vendor, master.url, { times: fastTimes({ MAX_SYNC_RETRIES: '3', SYNC_RETRY_DELAY: '100', BACKGROUND_SYNC_INTERVAL: '600000' }) });
    await until('four tries', () => master.requests.length >= 4);
    const gaps = master.requests.slice(1, 4).map((request, i) => request.time - master.requests[i].time);
    [100, 200, 400].forEach((delay, i) => {
      assert.ok(gaps[i] >= delay - 20 && gaps[i] < delay * 1.25 + 150, `gap ${i}: ${gaps[i]} ms`);
    });
  });

  test('answering 429 with Retry-After: waits that long', async (t) => {
    const master = await FakeMaster.start(t, status(429, { 'Retry-After': '1' }));
    await Slave.start(t, vendor, master.url, { times: fastTimes({ SYNC_RETRY_DELAY: '10' }) });
    await until('a second try', () => master.requests.length >= 2);
    assert.ok(master.requests[1].time - master.requests[0].time >= 980);
  });

  test('telling of licenses that the vendor did not sign: none is taken', async (t) => {
    const forged = await other.issue('forged.lic', ['--serial', '99', '--valid-for', '60d', '--license-id', 'L-forged']);
    const renamed = page([license]);
    renamed.changes.push({ ...renamed.changes[0], change: 2, license_id: 'L-9' });
    renamed.changes.push({ change: 3, license_id: 'L-8', token: 'eyJ.eyJ.x' });
    Object.assign(renamed, { sequence: 3, through: 3 });
    const master = await FakeMaster.start(t, json(page([forged])));
    const slave = await Slave.start(t, vendor, master.url);
    await until('the forged one to be refused', () => slave.metric('lsys_cache_refused_licenses_total'));
    assert.equal((await slave.current()).licensed, false);
    assert.equal((await get(`${slave.url}/api/licenses/L-forged`)).status, 404);
    master.answer = json({ ...renamed, stream: 'BBBBBBBBBBBBBBBBBBBBBB' });
    await slave.manualSync();
    assert.equal((await slave.current()).license.id, 'L-1');
    for (const id of ['L-8', 'L-9']) assert.equal((await get(`${slave.url}/api/licenses/${id}`)).status, 404);
  });

  test('telling of pages that never end: refused', async (t) => {
    const master = await FakeMaster.start(t, json({ ...page([license]), more: true }));
    const slave = await Slave.start(t, vendor, master.url);
    await until('garbage', () => slave.outcome('garbage'));
    assert.ok(master.requests.length < 50);
  });

  test('replaced by an empty one: no license is lost', async (t) => {
    const { master, slave } = await pair(t);
    await master.stop();
    await Master.start(t, vendor, { port: master.port });
    await until('a sync with the new one', async () => (await slave.manualSync()).status === 200);
    assert.equal((await slave.current()).licensed, true);
  });
});

/* Each of these mostly waits for times to pass. */
describe('the master, answering', { concurrency: 3 }, () => {
  /* The master lives in this process, beside three crowds: it is slow, and only where that is meant may it be too slow. */
  const patient = { BACKGROUND_SYNC_INTERVAL: '150', STALE_GRACE_PERIOD: '2500', SYNC_TIMEOUT: '5000' };

  for (const [what, answer, outcome, words, times = patient] of [
    ['500', status(500), 'server_error', /answered 500/],
    ['503', status(503), 'server_error', /answered 503/],
    ['429', status(429), 'throttled', /answered 429/],
    ['401', status(401), 'refused_key', /answered 401/],
    ['403', status(403), 'refused_key', /answered 403/],
    ['409', status(409), 'conflict', /answered 409/],
    ['a redirect', status(302, { Location: 'http://169.254.169.254/' }), 'garbage', /answered 302/],
    ['garbage', (request, response) => response.end('<html>It works!</html>'), 'garbage', /JSON|line/],
    ['JSON that is no page', json({ hello: 'world' }), 'garbage', /page/],
    ['304 without being asked', (request, response) => { response.writeHead(304); response.end(); }, 'garbage', /not asked/],
    ['half a body', (request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('{"v":1,', () => response.destroy());
    }, 'unreachable', /cut short/],
    ['half a body, and no more', (request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('{"v":1,');
    }, 'timed_out', /did not answer in time/, { ...patient, SYNC_TIMEOUT: '700' }],
    ['a byte now and then', (request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      const drip = setInterval(() => response.write(' '), 100);
      response.on('close', () => clearInterval(drip));
    }, 'timed_out', /did not answer in time/, { ...patient, SYNC_TIMEOUT: '700' }],
    ['nothing, and hangs up', (request) => request.socket.destroy(), 'unreachable', /cut short/],
    ['too much', (request, response) => response.end('x'.repeat(3_000_000)), 'garbage', /bytes/],
  ]) {
    test(`${what}: a thousand at once get the cache within its grace, then the fallback`, async (t) => {
      const good = json(page([license]));
      const master = await FakeMaster.start(t, good);
      const slave = await Slave.start(t, vendor, master.url, { times: fastTimes(times) });
      await slave.untilCurrent((current) => current.licensed);
      const crowd = new Crowd(t, slave, await Oracle.of(slave, { grants: { 'L-1': CROWD_GRANT } }));
      master.answer = answer;
      if (what.startsWith('304')) await slave.manualSync();
      await crowd.ask({ states: ['synced', 'stale', 'failed'], words });
      await walkThroughOutage(slave, words);
      await crowd.ask({ states: ['failed'], words });
      assert.ok(await slave.outcome(outcome) >= 1);
      master.answer = good;
      await slave.manualSync();
      await crowd.ask({ states: ['synced', 'stale'] });
    });
  }
});

test('the master, killed behind a slave that is the master of another: both know how old its word is', async (t) => {
  const { master, slave, crowd } = await pair(t);
  const last = await Slave.start(t, vendor, slave.url, { times: fastTimes({ SYNC_TIMEOUT: '5000' }) });
  await last.untilCurrent((current) => current.licensed);
  const lastCrowd = new Crowd(t, last, await Oracle.of(last, { grants: { 'L-1': CROWD_GRANT } }));
  await master.stop('SIGKILL');
  const states = ['synced', 'stale', 'failed'];
  await Promise.all([crowd.ask({ states }, 500), lastCrowd.ask({ states }, 500)]);
  await slave.untilCurrent((current) => current.sync_status === 'failed');
  await last.untilCurrent((current) => current.sync_status === 'failed', 1000);
  await last.manualSync(); // the slave between them answers, and its word is as old as the master's
  await lastCrowd.ask({ states: ['failed'] });
  await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port });
  await last.untilCurrent((current) => current.licensed);
});

test('a license revoked while a thousand ask: granted to nobody who asks after the sync', async (t) => {
  const { master, slave } = await pair(t, { times: fastTimes({ LICENSE_CACHE_TTL: '60000', BACKGROUND_SYNC_INTERVAL: '600000' }) });
  const before = new Crowd(t, slave, await Oracle.of(slave, { grants: { 'L-1': CROWD_GRANT } }));
  const revoked = { ...CROWD_GRANT, revoked: /revoked: unpaid/ };
  const after = new Crowd(t, slave, await Oracle.of(slave, { grants: { 'L-1': revoked } }));
  await before.ask({ states: ['synced'] });
  await master.licenses('revoke', 'L-1', '--reason', 'unpaid');
  assert.equal((await slave.manualSync()).status, 200);
  await after.ask({ states: ['synced'] });
  await master.stop('SIGKILL');
  await slave.stop('SIGKILL');
  const again = await Slave.start(t, vendor, 'http://127.0.0.1:1', { dataDir: slave.dataDir });
  const still = new Crowd(t, again, await Oracle.of(again, { grants: { 'L-1': revoked } }));
  await still.ask({ states: ['synced', 'stale', 'failed'] });
});

test('a slave that slept past the grace asks its master before it answers a thousand at once', async (t) => {
  const { master, slave, crowd } = await pair(t, { times: fastTimes({ BACKGROUND_SYNC_INTERVAL: '600000', SYNC_TIMEOUT: '5000' }) });
  const sleep = async () => {
    const slept = performance.now();
    const wake = freeze(t, slave.process);
    await until('the grace to be over', () => performance.now() > slept + 2000);
    wake();
  };
  await sleep();
  await crowd.ask({ states: ['synced', 'stale'] }); // no state of before: it would be failed
  await master.stop('SIGKILL');
  await sleep();
  await crowd.ask({ states: ['failed'], words: /refused|cut short|reset/ });
});

describe('the fallback', () => {
  test('is the vendor\'s development license', async (t) => {
    const grant = { edition: 'development', features: { debug: true } };
    const { master, slave, crowd } = await pair(t, { flags: ['--fallback-license', development], oracle: { development: grant } });
    await master.stop();
    await crowd.ask({ states: ['synced', 'stale', 'failed'], words: /refused|cut short|reset|in time/ });
    const current = await slave.untilCurrent((answer) => answer.sync_status === 'failed');
    assert.equal(current.rests_on, 'development');
    assert.equal(current.edition, 'development');
    assert.deepEqual(current.features, { debug: true });
    assert.equal(current.licensed, true);
    await crowd.ask({ states: ['failed'], words: /refused/ });
  });

  test('is refused at the start when another signed it, or its edition is another', async (t) => {
    for (const [file, words] of [[license, /development/], [await other.issue('dev.lic', ['--edition', 'development']), /key/]]) {
      await assert.rejects(Slave.start(t, vendor, 'http://127.0.0.1:1', { flags: ['--fallback-license', file] }), words);
    }
  });

  test('never stands in for a license that has ended', async (t) => {
    const master = await Master.start(t, vendor);
    await master.licenses('add', await vendor.issue('brief.lic', ['--valid-for', '2s', '--license-id', 'brief']));
    const slave = await Slave.start(t, vendor, master.url, { flags: ['--fallback-license', development] });
    await slave.untilCurrent((current) => current.license.id === 'brief');
    await master.stop();
    const current = await slave.untilCurrent((answer) => answer.sync_status === 'expired');
    assert.equal(current.licensed, false);
    assert.equal(current.edition, 'community');
  });
});
