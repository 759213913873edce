// lsys cache-slave while its master is away, ill or hostile, and while its own disk and clock fail: no wrong grant, no lost
// license, the right state and a reason that says what is the matter.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, readdirSync, statSync, writeFileSync, writeSync, closeSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FakeMaster, Master, Slave, fastTimes, json, page, status } from './lib/cache.mjs';
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
  license = await vendor.issue('acme.lic', ['--feature', 'sso', '--valid-for', '60d', '--license-id', 'L-1']);
  development = await vendor.issue('development.lic', ['--edition', 'development', '--feature', 'debug', '--valid-for', '60d']);
});

/// Stops a process in its tracks until the test ends.
function freeze(t, { pid }) {
  process.kill(pid, 'SIGSTOP');
  const thaw = () => { try { process.kill(pid, 'SIGCONT'); } catch { /* it has ended */ } };
  t.after(thaw);
  return thaw;
}

async function pair(t, options = {}) {
  const master = await Master.start(t, vendor);
  await master.licenses('add', license);
  const slave = await Slave.start(t, vendor, master.url, options);
  await slave.untilCurrent((current) => current.licensed);
  return { master, slave };
}

/// From synced through stale to failed, and what each says.
async function walkThroughOutage(slave, lastError) {
  const stale = await slave.untilCurrent((current) => current.sync_status === 'stale');
  assert.equal(stale.licensed, true);
  assert.equal(stale.rests_on, 'cache');
  assert.deepEqual(stale.features, { sso: true });
  const failed = await slave.untilCurrent((current) => current.sync_status === 'failed');
  assert.equal(failed.licensed, false);
  assert.equal(failed.edition, 'community');
  assert.deepEqual(failed.features, {});
  assert.deepEqual(failed.license.features, {});
  assert.match(failed.reason, lastError);
  assert.equal((await slave.check({ feature: 'sso' })).json.results[0].code, 'no_master');
  return failed;
}

describe('the master', () => {
  test('killed: stale, failed, and back at once when it returns', async (t) => {
    const { master, slave } = await pair(t);
    await master.stop('SIGKILL');
    await walkThroughOutage(slave, /refused/);
    await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port });
    const back = await slave.untilCurrent((current) => current.licensed, 3000);
    assert.equal(back.sync_status, 'synced');
    assert.equal(back.rests_on, 'master');
  });

  test('hung: requests end at the deadline, and are answered by fallback', async (t) => {
    const { master, slave } = await pair(t);
    const thaw = freeze(t, master.process);
    await until('the grace to be over', async () => (await slave.syncStatus()).sync_status === 'failed');
    const asked = performance.now();
    const current = await slave.current();
    assert.ok(performance.now() - asked < 2500, `${performance.now() - asked} ms`);
    assert.equal(current.licensed, false);
    assert.match(current.reason, /time|deadline|did not/i);
    thaw();
    await slave.untilCurrent((answer) => answer.licensed, 5000);
  });

  for (const [what, answer, outcome, words] of [
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
      response.write('{"v":1,');
      response.destroy();
    }, 'unreachable', /\w/],
    ['nothing, and hangs up', (request) => request.socket.destroy(), 'unreachable', /\w/],
    ['too much', (request, response) => response.end('x'.repeat(3_000_000)), 'garbage', /\w/],
  ]) {
    test(`answering ${what}: the cache counts within its grace, then the fallback`, async (t) => {
      const good = json(page([license]));
      const master = await FakeMaster.start(t, good);
      const slave = await Slave.start(t, vendor, master.url, { times: fastTimes({ BACKGROUND_SYNC_INTERVAL: '150' }) });
      await slave.untilCurrent((current) => current.licensed);
      master.answer = answer;
      if (what.startsWith('304')) await slave.manualSync();
      await walkThroughOutage(slave, words);
      assert.ok(await slave.outcome(outcome) >= 1);
      master.answer = good;
      await slave.manualSync();
      assert.equal((await slave.current()).licensed, true);
    });
  }

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

describe('the fallback', () => {
  test('is the vendor\'s development license', async (t) => {
    const { master, slave } = await pair(t, { flags: ['--fallback-license', development] });
    await master.stop();
    const current = await slave.untilCurrent((answer) => answer.sync_status === 'failed');
    assert.equal(current.rests_on, 'development');
    assert.equal(current.edition, 'development');
    assert.deepEqual(current.features, { debug: true });
    assert.equal(current.licensed, true);
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

describe('a thousand checks at once', () => {
  for (const fault of ['killed', 'hung']) {
    test(`while the master is ${fault}: all answered, none granted past the grace`, async (t) => {
      const { master, slave } = await pair(t);
      if (fault === 'killed') await master.stop('SIGKILL');
      else freeze(t, master.process);
      await until('the grace to be over', async () => (await slave.syncStatus()).sync_status === 'failed');
      const answers = await Promise.all(Array.from({ length: 1000 }, () => slave.check({ feature: 'sso' })));
      assert.ok(answers.every((answer) => answer.status === 200 && answer.json.allowed === false),
        JSON.stringify(answers.find((answer) => answer.status !== 200 || answer.json.allowed)));
    });
  }
});

describe('the disk', () => {
  const times = fastTimes({ LICENSE_CACHE_TTL: '60000' });

  test('killed at any moment of a sync: what was there is there', async (t) => {
    const master = await Master.start(t, vendor);
    await master.licenses('add', license);
    const dataDir = path.join(temporaryFolder(t), 'slave');
    let slave = await Slave.start(t, vendor, master.url, { dataDir, times });
    await slave.untilCurrent((current) => current.licensed);
    for (let i = 0; i < 8; i += 1) {
      await master.licenses('add', await vendor.issue(`kill${i}.lic`, ['--valid-for', '60d', '--license-id', `K-${i}`]));
      const sync = slave.manualSync().catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
      await slave.stop('SIGKILL');
      await sync;
      slave = await Slave.start(t, vendor, master.url, { dataDir, times });
      await slave.untilCurrent((current) => current.licensed && current.license.id === `K-${i}`);
    }
  });

  test('damaged at random bytes: never a wrong grant, and healed by the master', async (t) => {
    const master = await Master.start(t, vendor);
    await master.licenses('add', license);
    const dataDir = path.join(temporaryFolder(t), 'slave');
    for (let round = 0; round < 12; round += 1) {
      const slave = await Slave.start(t, vendor, master.url, { dataDir, times });
      const current = await slave.untilCurrent((answer) => answer.licensed);
      assert.deepEqual(current.features, { sso: true });
      await slave.stop();
      const file = path.join(dataDir, 'state.db');
      const handle = openSync(file, 'r+');
      const size = statSync(file).size;
      for (let i = 0; i <= round; i += 1) writeSync(handle, Buffer.from([(i * 37 + round) & 255]), 0, 1, (round * 7919 + i * 104729) % size);
      closeSync(handle);
    }
  });

  test('rewritten by hand to grant more: refused', async (t) => {
    const { master, slave } = await pair(t, { times });
    await slave.stop();
    await master.stop();
    const file = path.join(slave.dataDir, 'state.db');
    const bytes = readFileSync(file);
    const at = bytes.indexOf('eyJ');
    assert.ok(at > 0);
    bytes[at + 200] = bytes[at + 200] === 0x41 ? 0x42 : 0x41;
    writeFileSync(file, bytes);
    const again = await Slave.start(t, vendor, master.url, { dataDir: slave.dataDir, times });
    const current = await again.current();
    assert.equal(current.licensed, false);
    assert.deepEqual(current.features, {});
  });

  test('full: what comes counts in memory, and is saved when there is room', { skip: process.getuid() !== 0 && 'needs root' }, async (t) => {
    const master = await Master.start(t, vendor);
    await master.licenses('add', license);
    let mount; // hooks run in their order: it is unmounted before the folder is removed
    t.after(() => mount && execFileSync('umount', ['-l', mount]));
    mount = temporaryFolder(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]);
    mkdirSync(path.join(mount, 'data'));
    const dataDir = path.join(mount, 'data');
    const slave = await Slave.start(t, vendor, master.url, { dataDir, times });
    await slave.untilCurrent((current) => current.licensed);
    const hog = path.join(mount, 'hog');
    try { writeFileSync(hog, Buffer.alloc(2_000_000)); } catch (error) { assert.equal(error.code, 'ENOSPC'); }
    await master.licenses('add', await vendor.issue('full.lic', ['--valid-for', '60d', '--license-id', 'L-full', '--edition', 'bigger']));
    assert.equal((await slave.manualSync()).status, 200);
    assert.equal((await slave.current()).edition, 'bigger');
    writeFileSync(hog, '');
    await slave.manualSync();
    await slave.stop('SIGKILL');
    const again = await Slave.start(t, vendor, 'http://127.0.0.1:1', { dataDir, times });
    assert.equal((await again.current()).edition, 'bigger');
    assert.ok(readdirSync(dataDir).length > 0);
  });
});
