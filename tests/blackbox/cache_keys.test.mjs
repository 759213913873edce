// Keys of single slaves on several machines, which are fingerprint files here: a key belongs to the first machine that
// uses it, from another one it is refused and written to the audit log; the shared key belongs to none.
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Master, Slave, fastTimes } from './lib/cache.mjs';
import { CROWD_GRANT, CROWD_LICENSE, Crowd, Oracle } from './lib/crowd.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { lsysOk } from './lib/lsys.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const folder = temporaryFolder({ after });
let vendor;
let license;

before(async () => {
  vendor = await Vendor.create(folder);
  license = await vendor.issue('keys.lic', ['--license-id', 'L-keys', '--valid-for', '60d', ...CROWD_LICENSE]);
});

const digest = (letter) => Buffer.alloc(32, letter).toString('base64url');

/// A machine with one component a letter, as `lsys fingerprint --json` writes it on the host of a container.
function machine(letters) {
  const file = path.join(folder, `machine-${letters}.json`);
  const components = [...letters].map((letter, index) => ({ name: `mac-eth${index}`, digest: digest(letter) }));
  writeFileSync(file, JSON.stringify({ components }));
  return ['--fingerprint-file', file];
}

async function startMaster(t) {
  const master = await Master.start(t, vendor);
  await master.licenses('add', license);
  return { master, key: (await master.licenses('key', 'add', 'site-7')).trim() };
}

const audit = (master) => lsysOk(['audit', '--data-dir', master.dataDir]);

/// How often the audit log has an action.
const entries = async (master, action) => (await audit(master)).split(action).length - 1;

const isLicensed = (current) => current.licensed && current.sync_status === 'synced';

describe('the key of one slave', () => {
  test('belongs to the first machine: from another one 409, an alert, an entry in the audit log, and no grant', async (t) => {
    const { master, key } = await startMaster(t);
    const first = await Slave.start(t, vendor, master.url, { key, flags: machine('abc') });
    await first.untilCurrent(isLicensed);
    assert.equal(await entries(master, 'slave_key_bound'), 1);
    assert.equal(await entries(master, 'slave_key_refused'), 0);

    const thief = await Slave.start(t, vendor, master.url, { key, flags: machine('xyz') });
    await until('the refusal', () => thief.outcome('conflict'));
    const words = /409.*another machine|bound to the machine/;
    const crowd = new Crowd(t, thief, await Oracle.of(thief, { grants: {} }));
    await crowd.ask({ states: ['failed'], words });
    await thief.process.untilOutput(/alert code=cache_key_refused/);
    assert.equal((await thief.manualSync()).status, 503);
    assert.equal((await thief.syncStatus()).licenses, 0);
    assert.match(await audit(master), /slave_key_refused +\{"key":"site-7"/);
    assert.match(await audit(master), /slave_key_bound/);

    assert.equal((await first.manualSync()).status, 200);
    assert.equal(isLicensed(await first.current()), true);
  });

  test('keeps its machine across restarts of both', async (t) => {
    const { master, key } = await startMaster(t);
    const slave = await Slave.start(t, vendor, master.url, { key, flags: machine('abc') });
    await slave.untilCurrent(isLicensed);
    await slave.stop('SIGKILL');
    await master.stop('SIGKILL');
    const again = await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port });
    const thief = await Slave.start(t, vendor, again.url, { key, flags: machine('xyz') });
    await until('the refusal', () => thief.outcome('conflict'));
    const back = await Slave.start(t, vendor, again.url, { key, dataDir: slave.dataDir, flags: machine('abc') });
    assert.equal((await back.manualSync()).status, 200);
  });

  test('is good on a machine of which half is still there, and on none of which less is', async (t) => {
    const { master, key } = await startMaster(t);
    const slave = await Slave.start(t, vendor, master.url, { key, flags: machine('abcd') });
    await slave.untilCurrent(isLicensed);
    for (const [letters, status] of [['abcX', 200], ['abXY', 200], ['aXYZ', 503]]) {
      const other = await Slave.start(t, vendor, master.url, { key, flags: machine(letters) });
      assert.equal((await other.manualSync()).status, status, letters);
    }
  });

  test('with the data folder copied to another machine: the cache counts within its grace, and no longer', async (t) => {
    const { master, key } = await startMaster(t);
    const slave = await Slave.start(t, vendor, master.url, { key, flags: machine('abc') });
    await slave.untilCurrent(isLicensed);
    await slave.stop();
    const copy = path.join(temporaryFolder(t), 'copy');
    cpSync(slave.dataDir, copy, { recursive: true });
    const thief = await Slave.start(t, vendor, master.url, { key, dataDir: copy, times: fastTimes(), flags: machine('xyz') });
    const failed = await thief.untilCurrent((current) => current.sync_status === 'failed');
    assert.equal(failed.licensed, false);
    assert.match(failed.reason, /409/);
  });

  test('used by a crowd on another machine: the audit log is not flooded', async (t) => {
    const { master, key } = await startMaster(t);
    const headers = (letters) => ({ 'X-Slave-Fingerprint': [...letters].map(digest).join(',') });
    assert.equal((await master.ask('/api/licenses', { key, headers: headers('abc') })).status, 200);
    for (let wave = 0; wave < 10; wave += 1) {
      const answers = await Promise.all(Array.from({ length: 15 }, () => master.ask('/api/licenses', { key, headers: headers('xyz') })));
      assert.ok(answers.every(({ status }) => status === 409));
    }
    assert.equal(await entries(master, 'slave_key_refused'), 1);
    assert.equal(await master.metric('lsys_cache_access_denied_total'), 150);
  });

  test('removed and made anew: the next machine owns the new one, and the old one is known no more', async (t) => {
    const { master, key } = await startMaster(t);
    const old = await Slave.start(t, vendor, master.url, { key, flags: machine('abc') });
    await old.untilCurrent(isLicensed);
    await master.licenses('key', 'rm', 'site-7');
    const fresh = (await master.licenses('key', 'add', 'site-7')).trim();
    const next = await Slave.start(t, vendor, master.url, { key: fresh, flags: machine('xyz') });
    await next.untilCurrent(isLicensed);
    assert.equal((await old.manualSync()).status, 503);
    assert.match((await old.syncStatus()).last_error, /401/);
  });
});

test('the shared key belongs to no machine', async (t) => {
  const { master } = await startMaster(t);
  for (const letters of ['abc', 'xyz', 'pqr']) {
    const slave = await Slave.start(t, vendor, master.url, { flags: machine(letters) });
    await slave.untilCurrent(isLicensed);
  }
  assert.equal(await entries(master, 'slave_key_bound'), 0);
  assert.equal(await entries(master, 'slave_key_refused'), 0);
});

test('a license of another machine is not granted, whatever key it came with', async (t) => {
  const { master } = await startMaster(t);
  await master.licenses('add', await vendor.issue('bound.lic', ['--license-id', 'L-bound', '--valid-for', '60d', ...CROWD_LICENSE,
    '--fingerprint', digest('a')]));
  const right = await Slave.start(t, vendor, master.url, { flags: machine('a') });
  await right.untilCurrent((current) => isLicensed(current) && current.license.id === 'L-bound');
  const crowd = new Crowd(t, right, await Oracle.of(right, { grants: { 'L-bound': CROWD_GRANT } }));
  await crowd.ask({ states: ['synced', 'stale'] });
  const wrong = await Slave.start(t, vendor, master.url, { flags: machine('x') });
  const current = await wrong.untilCurrent((answer) => answer.license.id === 'L-bound');
  assert.equal(current.licensed, false);
  assert.match(current.reason, /machine|fingerprint/);
});
