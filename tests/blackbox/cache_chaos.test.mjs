// All faults of the caches at random, one after the other and several at a time, with applications asking after each:
// what is granted is always a license that the vendor signed and nobody revoked, and in the end everything is well
// again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Master, Slave, fastTimes, freeze } from './lib/cache.mjs';
import { CROWD_GRANT, CROWD_LICENSE, Crowd, Oracle } from './lib/crowd.mjs';
import { damageState, randomRounds } from './lib/damage.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const STEPS = 20;
const ASKING = 200;
const STATES = ['synced', 'stale', 'failed'];

const folder = temporaryFolder({ after });
const times = fastTimes({ LICENSE_CACHE_TTL: '300', STALE_GRACE_PERIOD: '1500', SYNC_TIMEOUT: '1500' });
let vendor;

before(async () => {
  vendor = await Vendor.create(folder);
});

class Site {
  constructor(t, random) {
    this.t = t;
    this.random = random;
    this.grants = {}; // what a slave may know
    this.latest = undefined; // the id that everybody must come to
  }

  async begin() {
    this.master = await Master.start(this.t, vendor);
    await this.add();
    await this.startSlave();
  }

  get isReachable() {
    return !this.master.process.exit && !this.thaw;
  }

  async startSlave() {
    this.slave = await Slave.start(this.t, vendor, this.master.url, { dataDir: this.slave?.dataDir, times });
    this.crowd = new Crowd(this.t, this.slave, await Oracle.of(this.slave, { grants: this.grants }));
  }

  async add() {
    if (!this.isReachable) return;
    const id = `c-${vendor.serial + 1}`;
    this.grants[id] = { ...CROWD_GRANT };
    await this.master.licenses('add', await vendor.issue('chaos.lic', ['--license-id', id, '--valid-for', '60d', ...CROWD_LICENSE]));
    this.latest = id;
  }

  /// From the sync after it on, the license is granted to nobody, whatever happens to the slave.
  async revoke() {
    if (!this.isReachable) return;
    const id = this.latest;
    await this.master.licenses('revoke', id, '--reason', 'chaos');
    await until('the slave to know', async () => (await this.slave.manualSync()).status === 200);
    this.grants[id].revoked = /revoked/;
    await this.ask();
    await this.add();
  }

  async killMaster() {
    await this.master.stop('SIGKILL');
    this.thaw = undefined;
  }

  freezeMaster() {
    if (this.isReachable) this.thaw = freeze(this.t, this.master.process);
  }

  async healMaster() {
    this.thaw?.();
    this.thaw = undefined;
    if (this.master.process.exit) this.master = await Master.start(this.t, vendor, { dataDir: this.master.dataDir, port: this.master.port });
  }

  async restartSlave() {
    await this.slave.stop(this.random.pick(['SIGKILL', 'SIGTERM']));
    await this.startSlave();
  }

  async damageSlave() {
    await this.slave.stop(this.random.pick(['SIGKILL', 'SIGTERM']));
    damageState(this.random, this.slave.dataDir);
    await this.startSlave();
  }

  async passGrace() {
    if (!this.isReachable) await this.slave.untilCurrent((current) => current.sync_status === 'failed');
  }

  ask() {
    return this.crowd.ask({ states: STATES, license_id: 'any' }, ASKING);
  }
}

const ACTS = ['add', 'add', 'revoke', 'killMaster', 'freezeMaster', 'healMaster', 'healMaster', 'restartSlave', 'damageSlave',
  'passGrace'];

test('every fault at random: no wrong grant, and all is well in the end', async (t) => {
  const { rounds, random, seed } = randomRounds(t, STEPS);
  const site = new Site(t, random);
  const done = [];
  try {
    await site.begin();
    for (let step = 0; step < rounds; step += 1) {
      done.push(random.pick(ACTS));
      await site[done.at(-1)]();
      await site.ask();
    }
    await site.healMaster();
    await site.add();
    const current = await site.slave.untilCurrent((answer) => answer.license.id === site.latest && answer.licensed);
    assert.equal(current.rests_on, 'master');
    for (const [id, { revoked }] of Object.entries(site.grants)) {
      const { json } = await get(`${site.slave.url}/api/licenses/${id}`);
      assert.equal(json.licensed, !revoked, id);
    }
  } catch (error) {
    throw new Error(`seed ${seed}, after ${done}: ${error.message}\n${site.slave?.process.output}`, { cause: error });
  }
});
