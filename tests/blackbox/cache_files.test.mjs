// Files that the caches watch: licenses to import, keys, key rings, revocation lists, the fallback license. What changes is
// taken over within a second; what is not good changes nothing and is told.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Master, Slave, fastTimes } from './lib/cache.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { lsysOk } from './lib/lsys.mjs';
import { until } from './lib/wait.mjs';
import { Vendor } from './lib/vendor.mjs';

/// The issue says a second; a busy machine gets some more before a test fails.
const SOON_MS = 3000;

const folder = temporaryFolder({ after });
let vendor;
let other;

before(async () => {
  vendor = await Vendor.create(folder);
  other = await Vendor.create(path.join(folder, 'other'));
});

const issue = (id, flags = [], by = vendor) => by.issue(`${id}.lic`, ['--license-id', id, '--valid-for', '60d', ...flags]);

const licenses = async (master) => (await master.ask('/api/admin/licenses')).json.licenses.map(({ license_id: id, status }) => `${id} ${status}`);

const untilLicenses = (master, expected) => until(`the licenses ${expected}`, async () => (await licenses(master)).join(', ') === expected, SOON_MS);

/// Puts a file in place at once, as tools do.
function replace(from, to) {
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

describe('a master', () => {
  test('imports what is put into a folder, and a slave has it', async (t) => {
    const box = path.join(temporaryFolder(t), 'box');
    mkdirSync(box);
    const master = await Master.start(t, vendor, { flags: ['--import', box] });
    const slave = await Slave.start(t, vendor, master.url, { times: fastTimes({ BACKGROUND_SYNC_INTERVAL: '600000', LICENSE_CACHE_TTL: '600000' }) });
    await until('the push', async () => (await slave.syncStatus()).push);
    const put = performance.now();
    copyFileSync(await issue('one'), path.join(box, 'one.lic'));
    await slave.untilCurrent((current) => current.license.id === 'one', SOON_MS);
    t.diagnostic(`from the file to the slave's answer: ${Math.round(performance.now() - put)} ms`);
    replace(await issue('two'), path.join(box, 'two.lic'));
    await untilLicenses(master, 'one valid, two valid');
    // In place, and in pieces: what is half written is refused, and read again when it is whole.
    const whole = readFileSync(await issue('three'));
    writeFileSync(path.join(box, 'three.lic'), whole.subarray(0, 100));
    await master.process.untilOutput(/three\.lic.*result=refused/);
    writeFileSync(path.join(box, 'three.lic'), whole.subarray(100), { flag: 'a' });
    await untilLicenses(master, 'one valid, three valid, two valid');
    replace(await issue('one', ['--edition', 'bigger', '--serial', '1000']), path.join(box, 'one.lic'));
    await slave.untilCurrent((current) => current.edition === 'bigger', SOON_MS);
  });

  test('refuses a bad file, says so, and keeps what it has', async (t) => {
    const file = path.join(temporaryFolder(t), 'site.lic');
    copyFileSync(await issue('good'), file);
    const master = await Master.start(t, vendor, { flags: ['--import', file] });
    await untilLicenses(master, 'good valid');
    replace(await issue('foreign', [], other), file);
    await master.process.untilOutput(/site\.lic.*result=refused.*/);
    writeFileSync(file, Buffer.from([0, 1, 2, 255]));
    rmSync(file);
    replace(await issue('better'), file);
    await untilLicenses(master, 'better valid, good valid');
    assert.equal(master.process.exit, undefined);
  });

  test('imports a file or folder that comes later, and reads unchanged files once', async (t) => {
    const box = path.join(temporaryFolder(t), 'later');
    const master = await Master.start(t, vendor, { flags: ['--import', box] });
    mkdirSync(box);
    replace(await issue('late'), path.join(box, 'late.lic'));
    await untilLicenses(master, 'late valid');
    for (const id of ['later', 'latest']) replace(await issue(id), path.join(box, `${id}.lic`));
    await untilLicenses(master, 'late valid, later valid, latest valid');
    assert.equal(master.process.output.match(/late\.lic result=/g).length, 1);
    await master.licenses('rm', 'late');
    replace(await issue('last'), path.join(box, 'last.lic'));
    await untilLicenses(master, 'last valid, later valid, latest valid'); // what was removed does not come back with it
  });

  test('takes over revocation lists and key rings, and not bad ones', async (t) => {
    const place = temporaryFolder(t);
    const list = path.join(place, 'revocations.jwt');
    const made = path.join(place, 'made.jwt');
    const master = await Master.start(t, vendor, { flags: ['--revocations', list] });
    await master.licenses('add', await issue('resold'), await issue('kept'));
    await lsysOk(['revoke', 'add', 'resold', '--key', vendor.key, '--list', made, '--reason', 'resold']);
    replace(made, list);
    await untilLicenses(master, 'kept valid, resold revoked');
    await until('readiness', async () => (await get(`${master.url}/readyz`)).status === 200, SOON_MS);
    writeFileSync(list, 'no list at all');
    await until('the refusal to be told', async () => (await get(`${master.url}/readyz`)).status === 503, SOON_MS);
    assert.match(master.process.output, /a list of the vendor was refused/);
    assert.deepEqual(await licenses(master), ['kept valid', 'resold revoked']);
    await lsysOk(['revoke', 'add', 'kept', '--key', vendor.key, '--list', made, '--reason', 'too']);
    replace(made, list);
    await untilLicenses(master, 'kept revoked, resold revoked');
  });

  test('takes over other keys, and then what they verify; bad keys change nothing', async (t) => {
    const place = temporaryFolder(t);
    const keys = path.join(place, 'keys.jwks');
    const box = path.join(place, 'box');
    mkdirSync(box);
    copyFileSync(vendor.keys, keys);
    copyFileSync(await issue('foreign-2', [], other), path.join(box, 'foreign.lic'));
    const master = await Master.start(t, { keys }, { flags: ['--import', box] });
    await master.process.untilOutput(/foreign\.lic.*result=refused/);
    writeFileSync(keys, '{"keys":');
    await master.process.untilOutput(/keys were refused; those in force stay/);
    await master.licenses('add', await issue('still'));
    const both = { keys: [vendor, other].flatMap((one) => JSON.parse(readFileSync(one.keys)).keys) };
    writeFileSync(`${keys}.new`, JSON.stringify(both));
    renameSync(`${keys}.new`, keys);
    await untilLicenses(master, 'foreign-2 valid, still valid');
  });
});

test('a slave takes over other keys and another fallback license, and keeps the old ones when they are bad', async (t) => {
  const place = temporaryFolder(t);
  const keys = path.join(place, 'keys.jwks');
  const fallback = path.join(place, 'fallback.lic');
  copyFileSync(vendor.keys, keys);
  copyFileSync(await issue('dev-1', ['--edition', 'development', '--feature', 'first']), fallback);
  const slave = await Slave.start(t, { keys }, 'http://127.0.0.1:1', { flags: ['--fallback-license', fallback] });
  await slave.untilCurrent((current) => current.features.first);
  replace(await issue('no-dev', ['--edition', 'enterprise']), fallback);
  await slave.process.untilOutput(/fallback license was refused; the old one stays/);
  assert.equal((await slave.current()).features.first, true);
  replace(await issue('dev-2', ['--edition', 'development', '--feature', 'second']), fallback);
  await slave.untilCurrent((current) => current.features.second, SOON_MS);
  writeFileSync(keys, 'nonsense');
  await slave.process.untilOutput(/keys were refused; those in force stay/);
  assert.equal((await slave.current()).features.second, true);
  replace(other.keys, keys);
  replace(await issue('dev-3', ['--edition', 'development', '--feature', 'third'], other), fallback);
  await slave.untilCurrent((current) => current.features.third, SOON_MS);
});
