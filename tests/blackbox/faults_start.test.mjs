// One system call fails while a role starts: it starts nevertheless, or says why not and can be started again. Nothing
// is granted that the vendor did not sign, nothing hangs, nothing crashes. LSYS_FAULTS=n tries n faults a role,
// LSYS_FAULT_SEED=n chooses others.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { Master, Slave, fastTimes } from './lib/cache.mjs';
import { chooseFaults, noFaults, withFault } from './lib/faults.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { HEARTBEAT_MS, LicenseServer } from './lib/license_server.mjs';
import { binary, start } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { suiteContext } from './lib/suite.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const COUNT = Number(process.env.LSYS_FAULTS ?? 10);
const SEED = Number(process.env.LSYS_FAULT_SEED ?? 14);

/// A role that could not start ends with one of these (sysexits.h).
const EXIT_CODES = [69, 70, 71, 73, 74, 75, 77, 78];

/// A start, and what recovers from it, end within these.
const START_MS = 5000;
const LICENSED_MS = 8000;

describe('a system call fails while a role starts', { skip: noFaults }, () => {
  const context = suiteContext();
  const folder = temporaryFolder(context);
  const roles = {};
  let vendor;

  before(async () => {
    vendor = await Vendor.create(folder);
    const license = await vendor.issue('a.lic', ['--valid-for', '60d', '--feature', 'sso']);
    const server = await LicenseServer.start(context, vendor, { license });
    const master = await Master.start(context, vendor);
    await master.licenses('add', license);
    const key = { SECRET_INTERNAL_API_KEY: master.key };
    roles['license-server'] = { path: '/v1/license', flags: () => ['--license', license, '--nats-listen', '127.0.0.1:0',
      '--heartbeat-interval', `${HEARTBEAT_MS}ms`] };
    roles['license-client'] = { path: '/v1/license', flags: () => ['--nats', server.nats, '--heartbeat-timeout', '2s'] };
    roles['cache-slave'] = { path: '/api/licenses/current', flags: () => ['--master', master.url],
      env: { ...key, ...fastTimes() } };
    roles['cache-master'] = { path: '/api/admin/licenses', headers: { 'X-API-Key': master.key },
      flags: () => ['--import', license], env: key };
  });

  function run(t, role, dataDir, port, wrapper = []) {
    const { flags, env } = roles[role];
    const [program, ...args] = [...wrapper, binary, role, '--keys', vendor.keys, '--data-dir', dataDir,
      '--http', `127.0.0.1:${port}`, ...flags()];
    return start(t, program, args, { env });
  }

  /// Gives what the role answers once it answers.
  const ask = async (role, port) => {
    const { path: where, headers } = roles[role];
    return (await get(`http://127.0.0.1:${port}${where}`, { headers })).json;
  };

  const isLicensed = (role, answer) => (role === 'cache-master'
    ? answer.licenses.length === 1 && answer.licenses[0].status === 'valid' && answer.licenses[0].edition === 'enterprise'
    : answer.edition === 'enterprise' && answer.status === 'valid');

  /// It is either the vendor's license, or nothing.
  function assertHonest(role, answer) {
    if (isLicensed(role, answer)) return;
    if (role === 'cache-master') assert.equal(answer.licenses.filter((one) => one.edition).length, 0);
    else assert.deepEqual([answer.edition, answer.features], ['community', {}], JSON.stringify(answer));
  }

  async function untilLicensed(role, port, process) {
    await until(`${role} to have the license; it printed:\n${process.output}`, async () => {
      if (process.exit) throw new Error(`it ended: ${JSON.stringify(process.exit)}`);
      const answer = await ask(role, port);
      assertHonest(role, answer);
      return isLicensed(role, answer);
    }, LICENSED_MS);
  }

  async function survive(t, role, fault, hasState) {
    const dataDir = path.join(temporaryFolder(t), 'data');
    const port = await freePort();
    if (hasState) {
      const earlier = run(t, role, dataDir, port);
      await untilLicensed(role, port, earlier);
      await earlier.stop('SIGKILL');
    }
    const first = run(t, role, dataDir, port, withFault(fault));
    await until(`${role} to start or to end; it printed:\n${first.output}`,
      async () => first.exit || (await ask(role, port)) !== undefined, START_MS);
    if (first.exit) {
      assert.ok(EXIT_CODES.includes(first.exit.code), `it ended with ${JSON.stringify(first.exit)}:\n${first.output}`);
      assert.match(first.output, new RegExp(`lsys ${role}: .{20}`), 'it does not say why');
    } else {
      // What could not be written is not acknowledged: the file of --import is said to be refused, and read again at the
      // next start.
      const refused = role === 'cache-master' && /a license file.* result=refused/.test(first.output);
      if (!refused) await untilLicensed(role, port, first);
      const { code } = await first.stop('SIGTERM', 2500);
      assert.equal(code, 0, first.output);
    }
    const second = run(t, role, dataDir, port);
    await untilLicensed(role, port, second);
    await second.stop();
    // A call that failed is no damage.
    assert.deepEqual(readdirSync(dataDir).filter((name) => name.includes('damaged')), []);
  }

  for (const [index, role] of ['license-server', 'license-client', 'cache-slave', 'cache-master'].entries()) {
    for (const [number, fault] of chooseFaults(COUNT, SEED + index).entries()) {
      const hasState = number % 2 === 1;
      test(`${role} ${hasState ? 'with a state' : 'in an empty folder'}: ${fault.call} number ${fault.when} gives ${fault.error}`,
        (t) => survive(t, role, fault, hasState));
    }
  }
});

describe('an older license is put back, and a system call fails while the server starts', { skip: noFaults }, () => {
  const context = suiteContext();
  const folder = temporaryFolder(context);
  let [older, newer] = [];
  let vendor;

  before(async () => {
    vendor = await Vendor.create(folder);
    older = await vendor.issue('older.lic', ['--valid-for', '60d']);
    newer = await vendor.issue('newer.lic', ['--valid-for', '60d']);
  });

  /// It counts at most while the state cannot be read, as if there were none; then the newer one does again.
  async function refuse(t, fault) {
    const first = await LicenseServer.start(t, vendor, { license: newer });
    await first.untilStatus('valid');
    await first.stop('SIGKILL');
    const [program, ...args] = [...withFault(fault), binary, 'license-server', '--license', older, '--keys', vendor.keys,
      '--data-dir', first.dataDir, '--http', '127.0.0.1:0', '--nats-listen', '127.0.0.1:0'];
    const server = start(t, program, args);
    await until('the server to start or to end', () => server.exit || /url=http:\S+/.test(server.output), START_MS);
    const url = server.output.match(/url=(http:\S+)/)?.[1];
    await until(`the newer license to count; it printed:\n${server.output}`, async () => {
      if (server.exit) return true;
      const { serial, source, explain } = (await get(`${url}/v1/license`)).json;
      if (source === 'file') assert.equal(explain.persistence.state, 'memory');
      return explain.persistence.state === 'durable' && serial === 2 && source === 'saved';
    }, LICENSED_MS);
    if (server.exit) assert.ok(EXIT_CODES.includes(server.exit.code), server.output);
  }

  for (const fault of chooseFaults(COUNT, SEED, ['pread64', 'openat', 'read', 'newfstatat', 'mmap', 'fdatasync', 'pwrite64'])) {
    test(`${fault.call} number ${fault.when} gives ${fault.error}`, (t) => refuse(t, fault));
  }
});
