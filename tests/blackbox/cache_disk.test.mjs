// cache-master and cache-slave on disks that are full, read-only or failing: what a slave hears counts in memory and is
// saved when the disk takes it again; what a master cannot promise it refuses, and has not done. Both go on answering.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Master, Slave, fastTimes } from './lib/cache.mjs';
import { bareToken } from './lib/client.mjs';
import { CROWD_GRANT, CROWD_LICENSE, Crowd, Oracle } from './lib/crowd.mjs';
import { failingDisk, inject, smallDisk } from './lib/disk_faults.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { lsys, lsysOk } from './lib/lsys.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const NOWHERE = 'http://127.0.0.1:1';
const times = fastTimes({ LICENSE_CACHE_TTL: '60000', BACKGROUND_SYNC_INTERVAL: '600000', SYNC_TIMEOUT: '5000' });
const BIGGER = { edition: 'bigger', features: CROWD_GRANT.features };
const WRITES = 'pwrite64,fsync,fdatasync';

const folder = temporaryFolder({ after });
let vendor;

before(async () => {
  vendor = await Vendor.create(folder);
});

const issue = (id, flags = []) => vendor.issue(`${id}.lic`, ['--license-id', id, '--valid-for', '60d', ...CROWD_LICENSE, ...flags]);

/// A master with one license, a slave that has it, and a crowd at the slave. `at` is where the slave's data are.
async function scene(t, { masterAt, slaveAt }) {
  const inside = (disk) => {
    const data = disk && path.join(disk, 'data');
    if (data) mkdirSync(data);
    return data;
  };
  const master = await Master.start(t, vendor, { dataDir: inside(masterAt) });
  await master.licenses('add', await issue('first'));
  const slave = await Slave.start(t, vendor, master.url, { dataDir: inside(slaveAt), times });
  await slave.untilCurrent((current) => current.licensed);
  const grants = { first: CROWD_GRANT, second: BIGGER };
  return { master, slave, crowd: new Crowd(t, slave, await Oracle.of(slave, { grants })) };
}

/// Takes all room that is left on a disk; gives what gives it back.
function fill(disk) {
  const hog = path.join(disk, 'hog');
  for (let bytes = 2 ** 21; bytes >= 1; bytes /= 2) {
    try {
      writeFileSync(hog, Buffer.alloc(bytes), { flag: 'a' });
    } catch (error) {
      assert.equal(error.code, 'ENOSPC');
    }
  }
  assert.equal(statfsSync(disk).bavail, 0);
  return () => writeFileSync(hog, '');
}

/// While the slave's disk takes nothing: what comes counts, before a thousand at once and with the disk's trouble told.
async function assertLivesInMemory({ master, slave, crowd }) {
  await crowd.ask({ states: ['synced'], license_id: 'first' });
  await master.licenses('add', await issue('second', ['--edition', 'bigger']));
  assert.equal((await slave.manualSync()).status, 200);
  assert.equal((await slave.current()).license.id, 'second');
  await crowd.ask({ states: ['synced'], license_id: 'second' });
  assert.match(slave.process.output, /licenses cannot be saved; they count until the next restart/);
}

/// After the disk works again, kill -9, and without the master: what counted was saved.
async function assertSaved(t, slave) {
  assert.equal((await slave.manualSync()).status, 200);
  await slave.process.untilOutput(/the disk takes licenses again/);
  await slave.stop('SIGKILL');
  const again = await Slave.start(t, vendor, NOWHERE, { dataDir: slave.dataDir, times });
  assert.equal((await again.current()).edition, 'bigger');
}

/// While the master's disk takes nothing: a change is refused, with the reason, and has not happened; reads go on.
async function assertRefused({ master, slave, crowd }, words) {
  const sequence = await master.metric('lsys_cache_sequence');
  const refused = await lsys(['licenses', 'add', await issue('refused'), '--master', master.url], { env: { SECRET_INTERNAL_API_KEY: master.key } });
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, words);
  const revoked = await master.ask('/api/admin/licenses/first/revoke', { method: 'POST', body: '{"reason":"no"}' });
  assert.equal(revoked.status, 503);
  assert.match(await master.licenses('ls'), /^first +(?!revoked)/m);
  assert.equal(await master.metric('lsys_cache_sequence'), sequence);
  assert.equal((await slave.manualSync()).status, 200);
  await crowd.ask({ states: ['synced'], license_id: 'first' });
}

/// After the disk works again: changes are taken, as soon as it is tried again, and are there after kill -9.
async function assertTakesChanges(t, { master, slave }) {
  const file = await issue('second', ['--edition', 'bigger']);
  await until('the change to be taken', () => master.licenses('add', file));
  await master.stop('SIGKILL');
  const again = await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port });
  assert.match(await again.licenses('ls'), /^first .*\n.*second /m);
  assert.equal((await slave.manualSync()).status, 200);
  assert.equal((await slave.current()).license.id, 'second');
}

describe('a full disk', () => {
  test('of a slave: what comes counts in memory, and is saved when there is room', async (t) => {
    const disk = smallDisk(t);
    if (!disk) return;
    const there = await scene(t, { slaveAt: disk });
    const makeRoom = fill(disk);
    await assertLivesInMemory(there);
    makeRoom();
    await assertSaved(t, there.slave);
  });

  test('of a master: changes are refused and have not happened, reads go on', async (t) => {
    const disk = smallDisk(t);
    if (!disk) return;
    const there = await scene(t, { masterAt: disk });
    const makeRoom = fill(disk);
    await assertRefused(there, /full|No space/);
    makeRoom();
    await assertTakesChanges(t, there);
  });
});

describe('a file that comes to a master on a full disk', () => {
  test('is imported when there is room', async (t) => {
    const disk = smallDisk(t);
    if (!disk) return;
    mkdirSync(path.join(disk, 'data'));
    const imports = temporaryFolder(t);
    const master = await Master.start(t, vendor, { dataDir: path.join(disk, 'data'), flags: ['--import', imports] });
    const makeRoom = fill(disk);
    copyFileSync(await issue('first'), path.join(imports, 'first.lic'));
    await master.process.untilOutput(/first\.lic.* result=refused/);
    makeRoom();
    await until('it to be imported', async () => /^first /m.test(await master.licenses('ls')));
  });
});

describe('a list of the vendor that comes to a master on a full disk', () => {
  for (const restarts of [false, true]) {
    test(`counts at once, and is saved when there is room${restarts ? ', also by one that started without' : ''}`, async (t) => {
      const disk = smallDisk(t);
      if (!disk) return;
      const list = path.join(temporaryFolder(t), 'revocations.jwt');
      const revoke = (id) => lsysOk(['revoke', 'add', id, '--key', vendor.key, '--list', list, '--reason', 'resold']);
      await revoke('another');
      mkdirSync(path.join(disk, 'data'));
      let master = await Master.start(t, vendor, { dataDir: path.join(disk, 'data'), flags: ['--revocations', list] });
      await master.licenses('add', await issue('first'));
      if (restarts) await master.stop('SIGKILL');
      const makeRoom = fill(disk);
      if (restarts) master = await Master.start(t, vendor, { dataDir: master.dataDir, flags: ['--revocations', list] });
      await revoke('first');
      process.kill(master.process.pid, 'SIGHUP');
      const isRevoked = async (at) => /^first +revoked/m.test(await at.licenses('ls'));
      await until('it to count', () => isRevoked(master));
      makeRoom();
      const token = bareToken(list);
      await until('it to be on the disk', () => readdirSync(master.dataDir)
        .some((name) => readFileSync(path.join(master.dataDir, name)).includes(token)));
      await master.stop('SIGKILL');
      assert.ok(await isRevoked(await Master.start(t, vendor, { dataDir: master.dataDir })));
    });
  }
});

describe('a disk that is full when they start', () => {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    test(`after ${signal}: both answer from what they have, and save again when there is room`, async (t) => {
      const disks = [smallDisk(t), smallDisk(t)];
      if (!disks[0] || !disks[1]) return;
      const { master, slave } = await scene(t, { masterAt: disks[0], slaveAt: disks[1] });
      await slave.stop(signal);
      await master.stop(signal);
      const makeRoom = disks.map(fill);
      const alone = await Slave.start(t, vendor, NOWHERE, { dataDir: slave.dataDir, times });
      const crowd = new Crowd(t, alone, await Oracle.of(alone, { grants: { first: CROWD_GRANT } }));
      await crowd.ask({ states: ['synced'] });
      await alone.stop();
      const there = { slave: await Slave.start(t, vendor, master.url, { dataDir: slave.dataDir, times }),
        master: await Master.start(t, vendor, { dataDir: master.dataDir, port: master.port }) };
      there.crowd = new Crowd(t, there.slave, await Oracle.of(there.slave, { grants: { first: CROWD_GRANT } }));
      await assertRefused(there, /full|No space/);
      for (const make of makeRoom) make();
      await assertTakesChanges(t, there);
    });
  }
});

describe('a disk that fails', () => {
  for (const error of ['EIO', 'EROFS', 'ENOSPC']) {
    test(`every write of a slave with ${error}, for a while`, async (t) => {
      const there = await scene(t, {});
      const heal = await inject(t, there.slave.process.pid, `${WRITES}:error=${error}`);
      if (!heal) return;
      await assertLivesInMemory(there);
      await heal();
      await assertSaved(t, there.slave);
    });
  }

  test('every read of a slave with EIO, for a while: what is in memory counts, and nothing is taken for damage', async (t) => {
    const there = await scene(t, {});
    const { master, slave, crowd } = there;
    await master.licenses('add', await issue('second', ['--edition', 'bigger']));
    assert.equal((await slave.manualSync()).status, 200);
    const heal = await inject(t, slave.process.pid, 'pread64:error=EIO');
    if (!heal) return;
    await crowd.ask({ states: ['synced'], license_id: 'second' });
    const unread = await get(`${slave.url}/api/licenses/first`);
    assert.ok(unread.status === 503 || unread.json.licensed, unread.text);
    await heal();
    assert.equal((await get(`${slave.url}/api/licenses/first`)).json.licensed, true);
    assert.equal((await slave.syncStatus()).damaged_licenses, 0);
    await crowd.ask({ states: ['synced'], license_id: 'second' });
  });

  test('every write of a master with EIO, for a while', async (t) => {
    const there = await scene(t, {});
    const heal = await inject(t, there.master.process.pid, `${WRITES}:error=EIO`);
    if (!heal) return;
    await assertRefused(there, /I\/O error|Input\/output|disk/i);
    await heal();
    await assertTakesChanges(t, there);
  });

  test('every third sync of a master with EIO: what is acknowledged is there', async (t) => {
    const there = await scene(t, {});
    const heal = await inject(t, there.master.process.pid, 'fsync,fdatasync:error=EIO:when=3+3');
    if (!heal) return;
    const acknowledged = [];
    for (let i = 0; i < 12; i += 1) {
      const file = await issue(`third-${i}`);
      const { code } = await lsys(['licenses', 'add', file, '--master', there.master.url], { env: { SECRET_INTERNAL_API_KEY: there.master.key } });
      if (code === 0) acknowledged.push(`third-${i}`);
    }
    assert.ok(acknowledged.length > 0 && acknowledged.length < 12, `${acknowledged.length} of 12`);
    await there.master.stop('SIGKILL');
    const again = await Master.start(t, vendor, { dataDir: there.master.dataDir, port: there.master.port });
    const listed = await again.licenses('ls');
    for (const id of acknowledged) assert.match(listed, new RegExp(`^${id} `, 'm'));
    assert.equal((await there.slave.manualSync()).status, 200);
    assert.deepEqual(Object.keys(await there.slave.feed()).sort(), Object.keys(await again.feed()).sort());
  });

  test('and that the kernel made read-only under a slave', async (t) => {
    const disk = failingDisk(t);
    if (!disk) return;
    const there = await scene(t, { slaveAt: disk.point });
    disk.fail();
    await assertLivesInMemory(there);
  });

  test('and that the kernel made read-only under a master', async (t) => {
    const disk = failingDisk(t);
    if (!disk) return;
    const there = await scene(t, { masterAt: disk.point });
    disk.fail();
    await assertRefused(there, /read-?only|disk I\/O/i);
  });
});
