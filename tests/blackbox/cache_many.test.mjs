// A cache-slave that restarts with 100,000 ES256 licenses on its disk, of which it can verify a thousand or so a
// second: what is asked for first is verified first, and nothing unverified is ever served. LSYS_MANY_LICENSES sets
// another number.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Pool } from 'undici';
import { Master, Slave, fastTimes } from './lib/cache.mjs';
import { bareToken } from './lib/client.mjs';
import { CROWD_GRANT, CROWD_LICENSE, Crowd, Oracle } from './lib/crowd.mjs';
import { Random } from './lib/damage.mjs';
import { Signer, fillShelf, whyNoSqlite } from './lib/filled_shelf.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { Vendor } from './lib/vendor.mjs';

const MANY = Number(process.env.LSYS_MANY_LICENSES ?? 100_000);
const FORGED_EVERY = 500;
const NOWHERE = 'http://127.0.0.1:1';

/// Far above what there is room for in 30 MB and a thousand connections, far below what the licenses themselves need.
const MEMORY_KIB_MAX = 100 * 1024;

const times = fastTimes({ LICENSE_CACHE_TTL: '600000', BACKGROUND_SYNC_INTERVAL: '600000', SYNC_TIMEOUT: '5000' });
const TOP_SERIAL = 10 * MANY;

const isForged = (index) => index % FORGED_EVERY === FORGED_EVERY / 2;

/// Rows of which some are forged: signed by another vendor, or in this vendor's name by another key. All have good
/// checksums, as somebody who may write the file would make them.
function* makeRows(vendor, other, model, modelOfOther) {
  const own = new Signer(vendor.key, model);
  const forger = new Signer(other.key, modelOfOther);
  for (let index = 0; index < MANY; index += 1) {
    const id = `m-${index}`;
    const serial = index + 10;
    const claims = { jti: id, serial };
    const inOwnName = index % (2 * FORGED_EVERY) < FORGED_EVERY;
    const forge = () => forger.sign(claims, inOwnName ? forger.header : own.header);
    yield { id, serial, change: index + 10, token: isForged(index) ? forge() : own.sign(claims) };
  }
  const claims = { jti: 'usurper', serial: 2 * TOP_SERIAL };
  yield { id: claims.jti, serial: claims.serial, change: MANY + 10, token: forger.sign(claims, own.header) };
}

const memoryKib = ({ pid }, name) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`${name}:\\s+(\\d+)`))[1]);

test(`${MANY} licenses: asked first, verified first, and nothing unverified is served`, { skip: whyNoSqlite() }, async (t) => {
  const folder = temporaryFolder(t);
  const vendor = await Vendor.create(folder);
  const other = await Vendor.create(path.join(folder, 'other'));
  const flags = ['--valid-for', '60d', ...CROWD_LICENSE];
  const model = bareToken(await vendor.issue('top.lic', [...flags, '--license-id', 'top', '--serial', String(TOP_SERIAL)]));
  const modelOfOther = bareToken(await other.issue('other.lic', flags));
  const master = await Master.start(t, vendor);
  await master.licenses('add', path.join(folder, 'top.lic'));
  const first = await Slave.start(t, vendor, master.url, { times });
  await first.untilCurrent((current) => current.licensed);
  await first.stop();
  await fillShelf(first.dataDir, makeRows(vendor, other, model, modelOfOther));

  const slave = await Slave.start(t, vendor, NOWHERE, { dataDir: first.dataDir, times });
  const current = await slave.current();
  assert.equal(current.license.id, 'top', 'the forged one with the highest serial is passed over');
  assert.equal(current.licensed, true);
  assert.equal((await get(`${slave.url}/readyz`)).status, 200);
  assert.equal((await slave.syncStatus()).licenses, MANY + 2);
  assert.doesNotMatch(slave.process.output, /all licenses of the shelf were verified/, 'nobody waited for them');

  await t.test('a thousand of them at once', async () => {
    const random = new Random(1);
    const pool = new Pool(slave.url, { connections: 200 });
    const indexes = Array.from({ length: 1000 }, (_, i) => (i % 5 === 0
      ? FORGED_EVERY / 2 + FORGED_EVERY * random.below(MANY / FORGED_EVERY) : random.below(MANY)));
    await Promise.all(indexes.map(async (index) => {
      const { statusCode, body } = await pool.request({ path: `/api/licenses/m-${index}`, method: 'GET' });
      const answer = await body.json();
      if (isForged(index)) {
        assert.equal(statusCode, 503, `m-${index}`);
        assert.match(answer.code, /unknown_key|damaged/);
        return;
      }
      assert.equal(statusCode, 200, `m-${index}: ${JSON.stringify(answer)}`);
      assert.deepEqual([answer.license.id, answer.licensed, answer.features], [`m-${index}`, true, CROWD_GRANT.features]);
    }));
    await pool.destroy();
  });

  await t.test('a thousand checks of the current one meanwhile', async (step) => {
    const crowd = new Crowd(step, slave, await Oracle.of(slave, { grants: { top: CROWD_GRANT } }));
    await crowd.ask({ states: ['synced'] });
  });

  await t.test('nothing that was forged is passed on to other slaves', async () => {
    for (let since = 0, pages = 0; pages < 12; pages += 1) {
      const { json } = await get(`${slave.url}/api/licenses?since=${since}`, { headers: { 'X-API-Key': slave.key } });
      for (const { license_id: id } of json.changes) assert.ok(!isForged(Number(id.slice(2))), id);
      assert.ok(json.through > since);
      since = json.through;
    }
  });

  assert.equal((await get(`${slave.url}/api/licenses/usurper`)).status, 503);
  assert.ok(memoryKib(slave.process, 'VmHWM') < MEMORY_KIB_MAX, `${memoryKib(slave.process, 'VmHWM')} KiB`);
  t.diagnostic(`${memoryKib(slave.process, 'VmRSS')} KiB, at most ${memoryKib(slave.process, 'VmHWM')} KiB`);
  assert.deepEqual(await slave.stop(), { code: 0, signal: null });
});
