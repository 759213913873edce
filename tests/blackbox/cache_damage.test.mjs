// State files of cache-master and cache-slave that are damaged at random while the role is stopped: nothing is granted
// that was not verified, what is damaged is counted and fetched anew, and what a master has lost it says.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Master, Slave, fastTimes } from './lib/cache.mjs';
import { bareToken } from './lib/client.mjs';
import { CROWD_GRANT, CROWD_LICENSE, Crowd, Oracle } from './lib/crowd.mjs';
import { damageState, randomRounds, setAside } from './lib/damage.mjs';
import { fillShelf, whyNoSqlite } from './lib/filled_shelf.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { lsysOk } from './lib/lsys.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const ROUNDS = 12;
const LIVE_ROUNDS = 6;

/// Nobody listens there.
const NOWHERE = 'http://127.0.0.1:1';

const times = fastTimes({ LICENSE_CACHE_TTL: '60000', BACKGROUND_SYNC_INTERVAL: '600000', SYNC_TIMEOUT: '5000' });
const folder = temporaryFolder({ after });
let vendor;

before(async () => {
  vendor = await Vendor.create(folder);
});

const issue = (id, flags = []) => vendor.issue(`${id}.lic`, ['--license-id', id, '--valid-for', '60d', ...CROWD_LICENSE, ...flags]);

/// A master with licenses that count and licenses that must never count again: revoked by the vendor's list, revoked at
/// the master, ended, removed.
async function startMasterWithAll(t) {
  const list = path.join(folder, 'revocations.jwt');
  const licenses = await Promise.all(['listed', 'revoked', 'removed'].map((id) => issue(id)));
  const ended = await vendor.issue('ended.lic', ['--license-id', 'ended', ...CROWD_LICENSE,
    '--not-before', '2020-01-01T00:00:00Z', '--expires', '2020-02-01T00:00:00Z']);
  for (let i = 0; i < 20; i += 1) licenses.push(await issue(`good-${i}`));
  const master = await Master.start(t, vendor);
  await master.licenses('add', ...licenses, ended, await issue('current'));
  await master.licenses('revoke', 'revoked', '--reason', 'unpaid');
  await master.licenses('rm', 'removed');
  await master.stop();
  await lsysOk(['revoke', 'add', 'listed', '--key', vendor.key, '--list', list, '--reason', 'resold']);
  return Master.start(t, vendor, { dataDir: master.dataDir, port: master.port, flags: ['--revocations', list] });
}

const NEVER = ['listed', 'revoked', 'removed', 'ended'];

async function assertNeverGranted(slave) {
  for (const id of NEVER) {
    const { status, json } = await get(`${slave.url}/api/licenses/${id}`);
    assert.ok(status === 404 || status === 503 || (status === 200 && !json.licensed), `${id}: ${JSON.stringify(json)}`);
  }
}

describe('the state of a slave', () => {
  test('damaged at random: no wrong grant without the master, and everything is back with it', async (t) => {
    const master = await startMasterWithAll(t);
    const grants = Object.fromEntries(['current', ...Array.from({ length: 20 }, (_, i) => `good-${i}`)].map((id) => [id, CROWD_GRANT]));
    const { rounds, random, seed } = randomRounds(t, ROUNDS);
    let slave = await Slave.start(t, vendor, master.url, { times });
    const { dataDir } = slave;
    for (let round = 0; round < rounds; round += 1) {
      await slave.untilCurrent((current) => current.licensed && current.license.id === 'current');
      await slave.stop(random.pick(['SIGTERM', 'SIGKILL']));
      const what = `seed ${seed}, round ${round}: ${damageState(random, dataDir)}`;
      try {
        slave = await Slave.start(t, vendor, NOWHERE, { dataDir, times });
        await assertNeverGranted(slave);
        const crowd = new Crowd(t, slave, await Oracle.of(slave, { grants }));
        const seen = await slave.current();
        await crowd.ask({ states: ['synced', 'failed'], license_id: seen.license.id });
        await slave.stop(random.pick(['SIGTERM', 'SIGKILL']));
        slave = await Slave.start(t, vendor, master.url, { dataDir, times });
        await slave.untilCurrent((current) => current.licensed && current.license.id === 'current');
        await until('everything to be back', async () => (await slave.syncStatus()).damaged_licenses === 0);
        await assertNeverGranted(slave);
        const [mine, masters] = [await slave.feed(), await master.feed()];
        for (const [id, change] of Object.entries(masters)) {
          if (!change.deleted) assert.deepEqual({ ...mine[id], change: 0 }, { ...change, change: 0 }, id);
        }
      } catch (error) {
        throw new Error(`${what}: ${error.message}\n${slave.process.output}`, { cause: error });
      }
    }
  });

  test('with one damaged license: it is counted, not served, and fetched again', async (t) => {
    const master = await Master.start(t, vendor);
    await master.licenses('add', await issue('one'), await issue('two'));
    let slave = await Slave.start(t, vendor, master.url, { times });
    await slave.untilCurrent((current) => current.licensed);
    await slave.stop();
    flipInToken(slave.dataDir, tokenOf('two'));
    slave = await Slave.start(t, vendor, NOWHERE, { dataDir: slave.dataDir, times });
    assert.equal((await slave.syncStatus()).damaged_licenses, 1);
    assert.equal(await slave.metric('lsys_cache_damaged_licenses'), 1);
    const current = await slave.current();
    assert.equal(current.licensed, false);
    assert.equal(current.sync_status, 'failed');
    assert.match(current.reason, /lost with damage.*last try: .*refused/);
    assert.equal((await get(`${slave.url}/readyz`)).status, 503);
    assert.equal((await get(`${slave.url}/api/licenses/one`)).json.licensed, true);
    await slave.stop();
    slave = await Slave.start(t, vendor, master.url, { dataDir: slave.dataDir, times });
    assert.equal((await slave.untilCurrent((current) => current.licensed)).license.id, 'two');
    await until('nothing to be damaged', async () => (await slave.syncStatus()).damaged_licenses === 0);
  });

  test('without the vendor\'s revocation list: what it revoked does not come back', async (t) => {
    const master = await startMasterWithAll(t);
    let slave = await Slave.start(t, vendor, master.url, { times });
    await slave.untilCurrent((current) => current.licensed);
    await slave.stop();
    flipInToken(slave.dataDir, bareToken(path.join(folder, 'revocations.jwt')));
    slave = await Slave.start(t, vendor, NOWHERE, { dataDir: slave.dataDir, times });
    await assertNeverGranted(slave);
    await slave.stop();
    slave = await Slave.start(t, vendor, master.url, { dataDir: slave.dataDir, times });
    await slave.untilCurrent((current) => current.sync_status === 'synced' && current.licensed);
    const { json } = await get(`${slave.url}/api/licenses/listed`);
    assert.equal(json.status, 'revoked');
  });

  test('with a license that the master does not have either: asking for it again and again costs the master nothing', {
    skip: whyNoSqlite() }, async (t) => {
    const master = await Master.start(t, vendor);
    await master.licenses('add', await issue('whole'));
    let slave = await Slave.start(t, vendor, master.url, { times });
    await slave.untilCurrent((current) => current.licensed);
    await slave.stop();
    await fillShelf(slave.dataDir, [{ id: 'swapped', serial: 1, change: 9, token: tokenOf('whole') }]);
    slave = await Slave.start(t, vendor, master.url, { dataDir: slave.dataDir, times });
    const ask = () => get(`${slave.url}/api/licenses/swapped`);
    assert.match((await ask()).text, /holds another license/);
    await until('it to be fetched again, in vain', async () => (await slave.syncStatus()).damaged_licenses === 0);
    const pulls = await master.metric('lsys_cache_pulls_total');
    for (let i = 0; i < 100; i += 1) assert.equal((await ask()).status, 503);
    assert.ok(await master.metric('lsys_cache_pulls_total') <= pulls + 1);
  });

  test('rewritten by hand to grant more, with a good checksum: refused', { skip: whyNoSqlite() }, async (t) => {
    const master = await Master.start(t, vendor);
    await master.licenses('add', await issue('mine'));
    const slave = await Slave.start(t, vendor, master.url, { times });
    await slave.untilCurrent((current) => current.licensed);
    await slave.stop();
    const [header, payload, signature] = tokenOf('mine').split('.');
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url')), edition: 'ultimate' };
    const token = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
    await fillShelf(slave.dataDir, [{ id: 'mine', serial: claims.serial, change: 1, token }]);
    const again = await Slave.start(t, vendor, NOWHERE, { dataDir: slave.dataDir, times });
    const current = await again.current();
    assert.equal(current.licensed, false);
    assert.equal(current.edition, 'community');
    assert.deepEqual(current.features, {});
    assert.match((await get(`${again.url}/api/licenses/mine`)).text, /damaged.*was changed/s);
    assert.equal((await again.syncStatus()).damaged_licenses, 1);
    await again.stop();
    const healed = await Slave.start(t, vendor, master.url, { dataDir: slave.dataDir, times });
    assert.equal((await healed.untilCurrent((answer) => answer.licensed)).edition, 'enterprise');
  });
});

/// The token of a license that was issued before.
const tokenOf = (id) => bareToken(path.join(folder, `${id}.lic`));

/// Changes one character of the payload of a token where it stands in the state file. A long token lies over several
/// pages of the file: some of its first characters find it.
function flipInToken(dataDir, token) {
  const file = path.join(dataDir, 'state.db');
  const bytes = readFileSync(file);
  const payload = token.split('.')[1];
  const at = bytes.indexOf(payload.slice(0, 60));
  assert.ok(at > 0, 'the token is in the file');
  bytes[at + 50] = bytes[at + 50] === 0x41 ? 0x42 : 0x41;
  writeFileSync(file, bytes);
}

describe('the state of a master', () => {
  /// Adds, replaces, revokes and removes at random. `known` is what was acknowledged: {id: {serial, state}}.
  async function change(master, random, known) {
    for (let i = 0; i < 3; i += 1) {
      const id = `m-${random.below(12)}`;
      const act = random.pick(['add', 'add', 'add', 'revoke', 'rm']);
      if (act === 'add') {
        await master.licenses('add', await issue(id));
        known[id] = { serial: vendor.serial, state: 'valid' };
      } else if (known[id]?.state === 'valid') {
        await master.licenses(act, id, ...(act === 'revoke' ? ['--reason', 'fuzz'] : []));
        known[id] = { ...known[id], state: act === 'rm' ? 'gone' : 'revoked' };
      }
    }
  }

  /// What the master has, in the same form.
  async function read(master) {
    const { json } = await master.ask('/api/admin/licenses');
    return Object.fromEntries(json.licenses.map(({ license_id: id, serial, status }) =>
      [id, { serial, state: status === 'revoked' ? 'revoked' : 'valid' }]));
  }

  /// The ids that are not as they were acknowledged.
  const differing = (known, present) => Object.keys(known).filter((id) => {
    const { serial, state } = known[id];
    const now = present[id] ?? { serial, state: 'gone' };
    return now.state !== state || now.serial !== serial;
  });

  async function assertSaysSo(master, lost) {
    const ready = await get(`${master.url}/readyz`);
    assert.equal(ready.status, 200, `a master that lost ${lost} serves the rest`);
    assert.match(ready.text, /add them again/);
    assert.match(await lsysOk(['audit', '--data-dir', master.dataDir]), /state_damaged|licenses_lost/);
  }

  test('damaged while it runs: it goes on, stops in order, and says afterwards what is lost', async (t) => {
    const { rounds, random, seed } = randomRounds(t, LIVE_ROUNDS);
    for (let round = 0; round < rounds; round += 1) {
      const master = await Master.start(t, vendor);
      const known = {};
      await change(master, random, known);
      const what = `seed ${seed}, round ${round}: ${damageState(random, master.dataDir)}`;
      try {
        await change(master, random, known);
        assert.deepEqual(differing(known, await read(master)), []);
        const signal = random.pick(['SIGTERM', 'SIGKILL']);
        const ended = await master.stop(signal);
        if (signal === 'SIGTERM') assert.deepEqual(ended, { code: 0, signal: null });
        const again = await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port });
        const lost = differing(known, await read(again));
        if (lost.length > 0) await assertSaysSo(again, lost);
      } catch (error) {
        throw new Error(`${what}: ${error.message}\n${master.process.output}`, { cause: error });
      }
    }
  });

  test('damaged at random: nothing acknowledged is lost without a word, and slaves lose nothing', async (t) => {
    const { rounds, random, seed } = randomRounds(t, ROUNDS);
    let master = await Master.start(t, vendor);
    const slave = await Slave.start(t, vendor, master.url, { times });
    const known = {};
    for (let round = 0; round < rounds; round += 1) {
      await change(master, random, known);
      assert.equal((await slave.manualSync()).status, 200);
      await master.stop(random.pick(['SIGTERM', 'SIGKILL']));
      const what = `seed ${seed}, round ${round}: ${damageState(random, master.dataDir)}`;
      try {
        master = await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port });
        const lost = differing(known, await read(master));
        if (lost.length > 0) await assertSaysSo(master, lost);
        /* What the slave has it keeps, and what is added now reaches it. */
        for (const id of Object.keys(known)) {
          const { status, json } = await get(`${slave.url}/api/licenses/${id}`);
          if (known[id].state === 'valid') assert.equal(status === 200 && json.licensed, true, `${id} at the slave: ${status}`);
          else assert.ok(status === 404 || !json.licensed, `${id} at the slave`);
        }
        for (const id of lost) {
          if (known[id].state === 'gone') await master.licenses('rm', id);
          else await master.licenses('add', await issue(id));
          known[id] = { serial: vendor.serial, state: known[id].state === 'gone' ? 'gone' : 'valid' };
        }
        known.fresh = { serial: vendor.serial + 1, state: 'valid' };
        await master.licenses('add', await issue('fresh'));
        assert.equal((await slave.manualSync()).status, 200);
        const [mine, masters] = [await slave.feed(), await master.feed()];
        for (const [id, { token, revoked }] of Object.entries(masters)) {
          if (token) assert.deepEqual([mine[id]?.token, mine[id]?.revoked], [token, revoked], `${id} at the slave`);
          else assert.equal(mine[id]?.token, undefined, `${id} at the slave`);
        }
      } catch (error) {
        throw new Error(`${what}: ${error.message}\n${master.process.output}`, { cause: error });
      }
    }
    t.diagnostic(`${setAside(master.dataDir).length} files were set aside`);
  });
});
