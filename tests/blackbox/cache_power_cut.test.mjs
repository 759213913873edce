// cache-master and cache-slave killed with SIGKILL again and again, while licenses are added and while they sync: what
// was acknowledged is there, numbers and serials only grow, and the slave comes to have what the master has.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as passes } from 'node:timers/promises';
import { Pool } from 'undici';
import { Master, Slave, fastTimes } from './lib/cache.mjs';
import { bareToken } from './lib/client.mjs';
import { CROWD_GRANT, CROWD_LICENSE, Crowd, Oracle } from './lib/crowd.mjs';
import { randomRounds } from './lib/damage.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { run, binary } from './lib/lsys.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const ROUNDS = 25;

/// A round changes some of these, so that licenses are replaced as well as added.
const IDS = 9;
const ADDED_AT_ONCE = 3;

const times = fastTimes({ LICENSE_CACHE_TTL: '60000', BACKGROUND_SYNC_INTERVAL: '600000', SYNC_TIMEOUT: '5000' });
const folder = temporaryFolder({ after });
let vendor;

before(async () => {
  vendor = await Vendor.create(folder);
});

const issue = (file, id, flags = []) => vendor.issue(file, ['--license-id', id, '--valid-for', '60d', ...CROWD_LICENSE, ...flags]);

/// Adds with the tool. Gives what it reported before it or its master ended: {id: serial}.
async function addWithTool(master, files) {
  const { stdout } = await run(binary, ['licenses', 'add', ...files, '--master', master.url],
    { env: { SECRET_INTERNAL_API_KEY: master.key } });
  return Object.fromEntries([...stdout.matchAll(/^(?:added|replaced|unchanged) +(\S+) .*?(\d+)$/gm)].map(([, id, serial]) => [id, Number(serial)]));
}

/// Adds with several requests at once. Gives what was answered.
async function addAtOnce(master, files) {
  const pool = new Pool(master.url, { connections: ADDED_AT_ONCE });
  const acknowledged = {};
  await Promise.all(files.map(async (file) => {
    try {
      const { statusCode, body } = await pool.request({ path: '/api/admin/licenses', method: 'POST',
        headers: { 'X-API-Key': master.key }, body: bareToken(file) });
      const { license } = await body.json();
      if (statusCode < 300) acknowledged[license.license_id] = license.serial;
    } catch { /* the master died before it answered: no promise was made */ }
  }));
  await pool.destroy();
  return acknowledged;
}

/// The serial of every license the master lists.
async function serials(master) {
  const { json } = await master.ask('/api/admin/licenses');
  return Object.fromEntries(json.licenses.map((license) => [license.license_id, license.serial]));
}

test('in the middle of adding: all that was acknowledged is there, and numbers only grow', async (t) => {
  const { rounds, random, seed } = randomRounds(t, ROUNDS);
  let master = await Master.start(t, vendor);
  let slave = await Slave.start(t, vendor, master.url, { times });
  const known = {};
  let sequence = 0;
  let acknowledgements = 0;
  for (let round = 0; round < rounds; round += 1) {
    const files = [];
    for (let i = 0; i < ADDED_AT_ONCE; i += 1) files.push(await issue(`p${i}.lic`, `p-${(round * ADDED_AT_ONCE + i) % IDS}`));
    const adding = random.pick([addWithTool, addAtOnce])(master, files);
    await passes(random.below(45)); // any moment will do: a power cut does not wait for one either
    await master.stop('SIGKILL');
    const acknowledged = await adding;
    acknowledgements += Object.keys(acknowledged).length;
    Object.assign(known, acknowledged);
    if (random.below(2)) {
      await slave.stop('SIGKILL');
      slave = await Slave.start(t, vendor, master.url, { dataDir: slave.dataDir, times });
    }
    master = await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port });
    assert.doesNotMatch(master.process.output, /damage|lost/, `seed ${seed}, round ${round}`);
    const now = await serials(master);
    for (const [id, serial] of Object.entries(known)) {
      assert.ok(now[id] >= serial, `seed ${seed}, round ${round}: ${id} has serial ${now[id]}, and ${serial} was acknowledged`);
    }
    Object.assign(known, now);
    const reached = await master.metric('lsys_cache_sequence');
    assert.ok(reached >= sequence, `seed ${seed}, round ${round}: change ${reached} after ${sequence}`);
    sequence = reached;
    assert.equal((await slave.manualSync()).status, 200);
    assert.deepEqual(tokens(await slave.feed()), tokens(await master.feed()), `seed ${seed}, round ${round}`);
  }
  t.diagnostic(`${acknowledgements} changes of ${rounds * ADDED_AT_ONCE} were acknowledged`);
  assert.ok(acknowledgements > 0);
});

const tokens = (feed) => Object.fromEntries(Object.keys(feed).sort().map((id) => [id, feed[id].token]));

describe('a slave in the middle of a sync', () => {
  /// Enough for several pages of the feed.
  const LICENSES = 90;

  test('has what it had, and takes up the rest', async (t) => {
    const { rounds, random, seed } = randomRounds(t, ROUNDS);
    const master = await Master.start(t, vendor);
    const box = temporaryFolder(t);
    for (let i = 0; i < LICENSES; i += 1) await issue(path.join(box, `${i}.lic`), `s-${i}`);
    await master.licenses('add', box);
    const dataDir = path.join(temporaryFolder(t), 'slave');
    let had = 0;
    for (let round = 0; round < rounds; round += 1) {
      const killed = await Slave.start(t, vendor, master.url, { dataDir, times });
      await passes(random.below(60));
      const { json } = await get(`${killed.url}/api/licenses/sync-status`);
      await killed.stop('SIGKILL');
      assert.doesNotMatch(killed.process.output, /damage|lost|refused/, `seed ${seed}, round ${round}`);
      assert.ok(json.licenses >= had, `seed ${seed}, round ${round}: ${json.licenses} licenses after ${had}`);
      had = json.licenses;
      if (had === LICENSES) await master.licenses('add', await issue('more.lic', `more-${round}`));
    }
    const slave = await Slave.start(t, vendor, master.url, { dataDir, times });
    await until('everything', async () => (await slave.manualSync()).status === 200);
    assert.deepEqual(tokens(await slave.feed()), tokens(await master.feed()));
  });

  test('with a thousand checks under way: the license that was confirmed is granted after each start', async (t) => {
    const { random, seed } = randomRounds(t, 1);
    const master = await Master.start(t, vendor);
    await master.licenses('add', await issue('kept.lic', 'kept'));
    let slave = await Slave.start(t, vendor, master.url, { times });
    await slave.untilCurrent((current) => current.licensed);
    const grants = { kept: CROWD_GRANT };
    for (let round = 0; round < 3; round += 1) {
      const dying = new Crowd(t, slave, await Oracle.of(slave, { grants }));
      const id = `more-${round}`;
      grants[id] = CROWD_GRANT;
      await master.licenses('add', await issue('more.lic', id));
      const asked = dying.ask({ states: ['synced'] }).catch((error) => error);
      const sync = slave.manualSync().catch(() => {});
      await passes(random.below(100));
      await slave.stop('SIGKILL');
      await sync;
      const complaint = await asked;
      assert.ok(!complaint || complaint.code !== 'ERR_ASSERTION', `seed ${seed}: ${complaint?.message}`);
      slave = await Slave.start(t, vendor, master.url, { dataDir: slave.dataDir, times });
      const crowd = new Crowd(t, slave, await Oracle.of(slave, { grants }));
      await crowd.ask({ states: ['synced'] });
      await slave.untilCurrent((current) => current.license.id === id);
    }
  });
});
