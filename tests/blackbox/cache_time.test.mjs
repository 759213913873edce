// Time at a cache-slave: licenses that end while a thousand applications ask, and clocks that are set from outside.
// Nothing counts past its end, nothing is extended by a clock turned back, and a clock put right is simply right.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as passes } from 'node:timers/promises';
import { Master, Slave, fastTimes } from './lib/cache.mjs';
import { CROWD_GRANT, CROWD_LICENSE, Crowd, Oracle } from './lib/crowd.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { warpedClock, whyNoTimewarp } from './lib/timewarp.mjs';
import { Vendor } from './lib/vendor.mjs';

const NOWHERE = 'http://127.0.0.1:1';
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;

/// The defaults' proportions, as an operator has them.
const TTL_MS = 30 * 60_000;
const GRACE_MS = 2 * HOUR_S * 1000;
const real = fastTimes({ LICENSE_CACHE_TTL: String(TTL_MS), STALE_GRACE_PERIOD: String(GRACE_MS), BACKGROUND_SYNC_INTERVAL: '900000',
  SYNC_RETRY_DELAY: '50' });

const folder = temporaryFolder({ after });
let vendor;

before(async () => {
  vendor = await Vendor.create(folder);
});

const issue = (id, flags) => vendor.issue(`${id}.lic`, ['--license-id', id, ...CROWD_LICENSE, ...flags]);

describe('the end of a license', () => {
  test('with a thousand asking on both sides of the second: granted before, and not once after', async (t) => {
    const master = await Master.start(t, vendor);
    const ends_ms = (Math.floor(Date.now() / 1000) + 4) * 1000;
    await master.licenses('add', await issue('brief', ['--expires', new Date(ends_ms).toISOString()]));
    const slave = await Slave.start(t, vendor, master.url, { times: fastTimes({ LICENSE_CACHE_TTL: '60000' }) });
    await slave.untilCurrent((current) => current.licensed);
    const grants = { brief: { ...CROWD_GRANT, ends_ms } };
    const crowd = new Crowd(t, slave, await Oracle.of(slave, { grants }));
    const seen = { synced: 0, expired: 0 };
    /* Small waves without a pause: some lie before the second, one lies over it, some after it. */
    while (Date.now() < ends_ms + 300 || seen.expired < 1000) {
      const began_ms = Date.now();
      const states = await crowd.ask({ states: began_ms < ends_ms ? ['synced', 'expired'] : ['expired'] }, 200);
      if (Date.now() < ends_ms) assert.equal(states.expired, undefined, 'ended too early');
      for (const state of Object.keys(states)) seen[state] += states[state];
      if (Date.now() < ends_ms - 700) await passes(ends_ms - 700 - Date.now()); // the crowd rests while nothing happens
    }
    assert.ok(seen.synced >= 200, `${seen.synced} before`);
    const { json } = await get(`${slave.url}/api/licenses/brief`);
    assert.equal(json.status, 'expired');
    assert.match(json.reason, /expired|ended/);
    assert.equal((await slave.check({ feature: 'sso' })).json.results[0].code, 'expired');
  });

  test('and of its grace: everything counts until then', async (t) => {
    const master = await Master.start(t, vendor);
    await master.licenses('add', await issue('graced', ['--valid-for', '1s', '--grace-days', '3']));
    const slave = await Slave.start(t, vendor, master.url, { times: fastTimes({ LICENSE_CACHE_TTL: '60000' }) });
    const current = await slave.untilCurrent((answer) => answer.status === 'grace');
    assert.equal(current.licensed, true);
    assert.match(current.reason, /grace/);
    const crowd = new Crowd(t, slave, await Oracle.of(slave, { grants: { graced: CROWD_GRANT } }));
    await crowd.ask({ states: ['synced'] });
  });
});

describe('a clock that is set', { skip: whyNoTimewarp(), concurrency: 2 }, () => {
  /// A slave with a moved clock, and a master with the right one that has a license.
  async function scene(t, flags, times = real) {
    const master = await Master.start(t, vendor);
    await master.licenses('add', await issue('warped', flags));
    const clock = warpedClock(t);
    const start = (url, dataDir) => Slave.start(t, vendor, url, { times, dataDir, wrapper: clock.wrapper });
    const slave = await start(master.url);
    await slave.untilCurrent((current) => current.licensed);
    const crowd = new Crowd(t, slave, await Oracle.of(slave, { grants: { warped: CROWD_GRANT } }));
    return { master, slave, crowd, clock, start };
  }

  const untilState = (slave, state) => slave.untilCurrent((current) => current.sync_status === state, 5000);

  test('forward past the TTL and the grace, without a master: stale, failed; right again: synced', async (t) => {
    const { master, slave, crowd, clock } = await scene(t, ['--valid-for', '60d']);
    await master.stop();
    clock.set(TTL_MS / 1000 + 60);
    await untilState(slave, 'stale');
    await crowd.ask({ states: ['stale'], words: /refused|cut short/ });
    clock.set((TTL_MS + GRACE_MS) / 1000 + 60);
    await untilState(slave, 'failed');
    await crowd.ask({ states: ['failed'], words: /refused|cut short/ });
    clock.set(0);
    await untilState(slave, 'synced');
    await crowd.ask({ states: ['synced'] });
  });

  test('forward past the grace, with the master: one sync, and all is well', async (t) => {
    const { slave, crowd, clock } = await scene(t, ['--valid-for', '60d']);
    clock.set((TTL_MS + GRACE_MS) / 1000 + 60);
    const current = await slave.current();
    assert.equal(current.sync_status, 'synced');
    await crowd.ask({ states: ['synced'] });
  });

  test('forward past the end of the license: expired, whatever the master says; right again: valid', async (t) => {
    const { slave, clock } = await scene(t, ['--valid-for', '60d']);
    clock.set(60 * DAY_S + 5);
    const ended = await untilState(slave, 'expired');
    assert.equal(ended.licensed, false);
    assert.deepEqual(ended.features, {});
    assert.equal((await slave.manualSync()).status, 200);
    assert.equal((await slave.current()).sync_status, 'expired');
    clock.set(0);
    assert.equal((await untilState(slave, 'synced')).licensed, true);
  });

  test('back, live and across kill -9: the license has ended for good', async (t) => {
    const { master, slave, clock, start } = await scene(t, ['--valid-for', '3s']);
    await untilState(slave, 'expired');
    for (const seconds of [-HOUR_S, -400 * DAY_S]) {
      clock.set(seconds);
      assert.equal((await slave.manualSync()).status, 200);
      const current = await slave.current();
      assert.equal(current.sync_status, 'expired', `${seconds} s`);
      assert.equal(current.licensed, false);
    }
    await slave.stop('SIGKILL');
    const again = await start(master.url, slave.dataDir);
    assert.equal((await again.current()).licensed, false);
    clock.set(0);
    assert.equal((await again.current()).sync_status, 'expired');
  });

  test('back, live and across kill -9: the cache gets no younger', async (t) => {
    const short = fastTimes({ LICENSE_CACHE_TTL: '500', STALE_GRACE_PERIOD: '1500' });
    const { master, slave, clock, start } = await scene(t, ['--valid-for', '60d'], short);
    await master.stop();
    clock.set(-HOUR_S);
    await untilState(slave, 'failed');
    await slave.stop('SIGKILL');
    for (const seconds of [-HOUR_S, -90 * DAY_S]) {
      clock.set(seconds);
      const again = await start(NOWHERE, slave.dataDir);
      const current = await again.current();
      assert.equal(current.sync_status, 'failed', `${seconds} s`);
      assert.equal(current.licensed, false);
      await again.stop('SIGKILL');
    }
  });

  test('forward while the master confirms, and back: that confirmation is not good for years', async (t) => {
    const short = fastTimes({ LICENSE_CACHE_TTL: '500', STALE_GRACE_PERIOD: '1500' });
    const { master, slave, clock, start } = await scene(t, ['--valid-for', '9000d'], short);
    clock.set(3650 * DAY_S);
    assert.equal((await slave.manualSync()).status, 200);
    await master.stop();
    await slave.stop();
    clock.set(0);
    const again = await start(NOWHERE, slave.dataDir);
    const current = await untilState(again, 'failed');
    assert.equal(current.licensed, false);
  });
});
