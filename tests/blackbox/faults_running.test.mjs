// The machine fails a running role: the disk, inotify, descriptors, the network. It serves on, says so, and recovers by
// itself; what it acknowledged is there after kill -9.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { Master, Slave, fastTimes } from './lib/cache.mjs';
import { Client } from './lib/client.mjs';
import { breakCalls, noFaults, noFaultsLater, withFault } from './lib/faults.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { HEARTBEAT_MS, LicenseServer } from './lib/license_server.mjs';
import { binary, lsys, start } from './lib/lsys.mjs';
import { openDescriptors, residentKib } from './lib/processes.mjs';
import { suiteContext } from './lib/suite.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

/// Times a connection to NATS is broken, and a process killed. More for a long night.
const FLAPS = Number(process.env.LSYS_FLAPS ?? 80);
const KILLS = Number(process.env.LSYS_KILLS ?? 50);

/// A disk that works again is noticed within this time, when it has failed for a few seconds.
const RECOVERY_MS = 15_000;

const asRoot = process.getuid() !== 0 && 'mounting a small file system needs root';

async function newVendor(t, flags = []) {
  const vendor = await Vendor.create(path.join(temporaryFolder(t), 'vendor'));
  const license = await vendor.issue('acme.lic', ['--valid-for', '60d', ...flags]);
  return { vendor, license };
}

/// A folder on a disk of its own, which can be made read-only. Undefined where that is not possible.
function ownDisk(t) {
  const folder = temporaryFolder({ after: (end) => t.after(() => {
    execFileSync('umount', ['-l', folder]);
    end();
  }) });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
  return { folder, set: (mode) => execFileSync('mount', ['-o', `remount,${mode}`, folder]) };
}

const persistenceOf = (answer) => (answer.explain ?? answer).persistence;

/// Waits until the role at `url` says that its state is kept so.
function untilPersistence(url, where, wanted, deadline_ms = RECOVERY_MS) {
  return until(`${url}${where} to say ${wanted}`, async () => {
    const { state, saved } = persistenceOf((await get(`${url}${where}`)).json);
    assert.equal(saved, state === 'durable');
    return state === wanted;
  }, deadline_ms);
}

/// What every role tells of a state that is not on the disk.
async function assertTold(role, url, state) {
  const ready = await get(`${url}/readyz`);
  assert.equal(ready.status, 200, ready.text);
  const condition = ready.json.conditions.find(({ name }) => name === 'state');
  assert.match(condition.reason, new RegExp(`^not persisted \\(${state}\\): .{10}`));
  const metrics = (await get(`${url}/metrics`)).text;
  assert.match(metrics, new RegExp(`lsys_state_persistence\\{state="${state}"\\} 1`));
  assert.match(metrics, /lsys_state_persistence\{state="durable"\} 0/);
  assert.match(role.process.output, /code=state_not_saved .*the disk is tried again by itself/);
}

describe('a disk that is read-only when a role starts', { skip: asRoot }, () => {
  test('license-server and license-client: serve, say so, and save all when it can be written', async (t) => {
    const { vendor, license } = await newVendor(t);
    const disk = ownDisk(t);
    const dataDir = path.join(disk.folder, 'server');
    const clientDir = path.join(disk.folder, 'client');
    disk.set('ro');
    const server = await LicenseServer.start(t, vendor, { license, dataDir });
    await server.untilStatus('valid');
    const client = await Client.start(t, vendor, server.nats, { dataDir: clientDir });
    await client.untilEdition('enterprise');
    for (const role of [server, client]) {
      await untilPersistence(role.url, '/v1/license', 'memory');
      await assertTold(role, role.url, 'memory');
    }
    assert.equal((await server.license()).server_key_saved, false);
    const explained = await lsys(['status', '--explain', '--server', server.url, '--client', client.url]);
    assert.match(explained.stdout, /persistence:\n\s+state: memory\n\s+saved: no\n.*\n\s+why: .*Read-only file system/);

    disk.set('rw');
    for (const role of [server, client]) await untilPersistence(role.url, '/v1/license', 'durable');
    await until("the server's key to be saved", async () => (await server.license()).server_key_saved, 45_000);
    const { server_key: key } = await server.license();
    await client.stop('SIGKILL');
    await server.stop('SIGKILL');
    const again = await LicenseServer.start(t, vendor, { license, dataDir });
    assert.equal((await again.license()).server_key, key);
    const clientAgain = await Client.start(t, vendor, again.nats, { dataDir: clientDir });
    await clientAgain.untilEdition('enterprise');
    assert.doesNotMatch(clientAgain.process.output, /server_key_pinned/);
  });

  test('what can be read counts: an older license is refused, and the server keeps its key', async (t) => {
    const { vendor, license: older } = await newVendor(t);
    const newer = await vendor.issue('newer.lic', ['--valid-for', '60d']);
    const disk = ownDisk(t);
    const dataDir = path.join(disk.folder, 'server');
    const first = await LicenseServer.start(t, vendor, { license: newer, dataDir });
    await first.untilStatus('valid');
    const { server_key: key, serial } = await first.license();
    await first.stop('SIGKILL'); // the newest records are in the log of the database only
    disk.set('ro');
    const server = await LicenseServer.start(t, vendor, { license: older, dataDir });
    const shown = await server.untilLicense((answer) => answer.problem?.code === 'old_serial');
    assert.deepEqual([shown.serial, shown.source, shown.server_key], [serial, 'saved', key]);
    await untilPersistence(server.url, '/v1/license', 'read_only');
    await assertTold(server, server.url, 'read_only');
  });

  test('cache-slave: serves its licenses; cache-master: serves, and acknowledges no change', async (t) => {
    const { vendor, license } = await newVendor(t);
    const disk = ownDisk(t);
    const dirs = { master: path.join(disk.folder, 'master'), slave: path.join(disk.folder, 'slave') };
    const first = await Master.start(t, vendor, { dataDir: dirs.master });
    await first.licenses('add', license);
    const slave = await Slave.start(t, vendor, first.url, { dataDir: dirs.slave, times: fastTimes({ LICENSE_CACHE_TTL: '60000' }) });
    await slave.untilCurrent((current) => current.licensed);
    await slave.stop('SIGKILL');
    await first.stop('SIGKILL');
    disk.set('ro');

    const master = await Master.start(t, vendor, { dataDir: dirs.master });
    const list = () => master.ask('/api/admin/licenses').then(({ json }) => json.licenses.length);
    assert.equal(await list(), 1);
    await assertTold(master, master.url, 'read_only');
    const another = readFileSync(await vendor.issue('another.lic', ['--valid-for', '60d']), 'utf8');
    const add = () => master.ask('/api/admin/licenses', { method: 'POST', body: another });
    const refused = await add();
    assert.equal(refused.status, 503, refused.text);
    assert.match(refused.json.detail, /Read-only file system/);
    assert.equal(await list(), 1);

    const again = await Slave.start(t, vendor, 'http://127.0.0.1:1', { dataDir: dirs.slave, times: fastTimes({ LICENSE_CACHE_TTL: '60000' }) });
    assert.equal((await again.current()).edition, 'enterprise');
    await untilPersistence(again.url, '/api/licenses/sync-status', 'read_only');
    await assertTold(again, again.url, 'read_only');

    disk.set('rw');
    await until('the master to take the license', async () => (await add()).status < 300, RECOVERY_MS);
    await master.stop('SIGKILL');
    const last = await Master.start(t, vendor, { dataDir: dirs.master });
    assert.equal((await last.ask('/api/admin/licenses')).json.licenses.length, 2);
  });

  test('cache-slave that begins there: serves what the master sends, and saves it when it can be written', async (t) => {
    const { vendor, license } = await newVendor(t);
    const disk = ownDisk(t);
    const dataDir = path.join(disk.folder, 'slave');
    const times = fastTimes({ LICENSE_CACHE_TTL: '60000' });
    const master = await Master.start(t, vendor);
    await master.licenses('add', license);
    disk.set('ro');
    const slave = await Slave.start(t, vendor, master.url, { dataDir, times });
    await slave.untilCurrent((current) => current.licensed);
    await untilPersistence(slave.url, '/api/licenses/sync-status', 'memory');
    await assertTold(slave, slave.url, 'memory');
    disk.set('rw');
    await untilPersistence(slave.url, '/api/licenses/sync-status', 'durable');
    await slave.process.untilOutput(/the disk takes licenses again, and all are saved/);
    assert.equal((await slave.manualSync()).status, 200); // the master's confirmation, too
    await slave.stop('SIGKILL');
    const again = await Slave.start(t, vendor, 'http://127.0.0.1:1', { dataDir, times });
    assert.equal((await again.current()).edition, 'enterprise');
  });

  test('cache-master without a state that it could read does not start, so that slaves keep theirs', async (t) => {
    const { vendor } = await newVendor(t);
    const disk = ownDisk(t);
    disk.set('ro');
    const { code, stderr } = await lsys(['cache-master', '--keys', vendor.keys, '--data-dir', path.join(disk.folder, 'data'),
      '--http', '127.0.0.1:0'], { env: { SECRET_INTERNAL_API_KEY: 'a-shared-key-for-tests-0123456789' } });
    assert.equal(code, 74);
    assert.match(stderr, /--data-dir .*Read-only file system/);
  });
});

describe('a data folder that only a person can put right is an error at the start', () => {
  test('a file, another process, a folder in place of the state', async (t) => {
    const { vendor, license } = await newVendor(t);
    const folder = temporaryFolder(t);
    const attempt = (dataDir) => lsys(['license-server', '--license', license, '--keys', vendor.keys, '--data-dir', dataDir,
      '--http', '127.0.0.1:0', '--nats-listen', '127.0.0.1:0']);
    writeFileSync(path.join(folder, 'file'), '');
    const file = await attempt(path.join(folder, 'file'));
    assert.notEqual(file.code, 0);
    assert.match(file.stderr, /--data-dir/);
    mkdirSync(path.join(folder, 'odd', 'state.db'), { recursive: true });
    assert.notEqual((await attempt(path.join(folder, 'odd'))).code, 0);
    const server = await LicenseServer.start(t, vendor, { license });
    const second = await attempt(server.dataDir);
    assert.notEqual(second.code, 0);
    assert.match(second.stderr, new RegExp(`in use by another lsys \\(pid ${server.process.pid}\\)`));
  });
});

describe('permissions of the data folder', { skip: process.getuid() !== 0 && 'becoming another user needs root' }, () => {
  const NOBODY = 65534;

  test("another user's state and a folder that cannot be made are errors, a folder of one's own that is read-only is not", async (t) => {
    const folder = temporaryFolder(t);
    const vendor = await Vendor.create(path.join(folder, 'vendor'));
    const copy = path.join(folder, 'lsys');
    execFileSync('install', ['-m', '755', binary, copy]);
    for (const one of [folder, vendor.folder]) chmodSync(one, 0o755);
    const run = (dataDir) => start(t, 'setpriv', [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', copy, 'license-client',
      '--keys', vendor.keys, '--data-dir', path.join(folder, dataDir), '--http', '127.0.0.1:0']);
    const runOnce = async (dataDir) => {
      const process_ = run(dataDir);
      await process_.untilOutput(/listening/);
      await process_.stop();
    };
    const assertRefused = async (dataDir) => {
      const process_ = run(dataDir);
      assert.equal((await process_.ended()).code, 77);
      assert.match(process_.output, /--data-dir .*Permission denied/);
    };
    mkdirSync(path.join(folder, 'own'));
    chownSync(path.join(folder, 'own'), NOBODY, NOBODY);
    await runOnce('own');
    chmodSync(path.join(folder, 'own', 'state.db'), 0o400);
    chmodSync(path.join(folder, 'own'), 0o500);
    const reading = run('own');
    await reading.untilOutput(/listening/);
    assert.match(reading.output, /can be read and not written.*Permission denied/);

    await assertRefused('missing/folder');
    mkdirSync(path.join(folder, 'of-root'));
    await lsys(['client', 'keys', 'add', 'A'.repeat(43), '--data-dir', path.join(folder, 'of-root')]);
    await assertRefused('of-root');
    for (const name of readdirSync(path.join(folder, 'of-root'))) chmodSync(path.join(folder, 'of-root', name), 0o644);
    await assertRefused('of-root'); // what others may read is not taken for one's own
  });
});

/// Writes fail from now on.
const DISK_FAULTS = [
  { call: 'pwrite64', error: 'ENOSPC', when: '1+' },
  { call: 'fdatasync', error: 'EIO', when: '1+' },
];

describe('a disk that fails while a role runs', { skip: noFaultsLater }, () => {
  for (const fault of DISK_FAULTS) {
    test(`${fault.call} gives ${fault.error}: nothing is taken away, and nothing learned is lost`, async (t) => {
      const { vendor, license } = await newVendor(t);
      const older = path.join(vendor.folder, 'older.lic');
      writeFileSync(older, readFileSync(license));
      const server = await LicenseServer.start(t, vendor, { license });
      const client = await Client.start(t, vendor, server.nats);
      await client.untilEdition('enterprise');
      const mend = [];
      for (const role of [server, client]) mend.push(await breakCalls(start, t, role.process.pid, fault));
      await vendor.issue('acme.lic', ['--valid-for', '60d', '--edition', 'bigger']);
      await server.untilLicense((answer) => answer.edition === 'bigger');
      await client.untilEdition('bigger');
      for (const role of [server, client]) {
        await untilPersistence(role.url, '/v1/license', 'refused');
        await assertTold(role, role.url, 'refused');
      }
      for (const end of mend) await end();
      for (const role of [server, client]) await untilPersistence(role.url, '/v1/license', 'durable');
      await until('the server to write what it owes', async () => {
        const { code, stdout } = await lsys(['audit', '--data-dir', server.dataDir]);
        return code === 0 && stdout.length > 0;
      });
      for (const role of [client, server]) await role.stop('SIGKILL');
      const again = await LicenseServer.start(t, vendor, { license: older, dataDir: server.dataDir });
      const shown = await again.untilLicense((answer) => answer.problem?.code === 'old_serial');
      assert.equal(shown.edition, 'bigger');
    });
  }

  test('a call now and then: every request is answered', async (t) => {
    const { vendor, license } = await newVendor(t);
    const server = await LicenseServer.start(t, vendor, { license });
    const faults = [['epoll_pwait', 'EINTR', '3+3'], ['accept4', 'ECONNABORTED', '2+5'], ['read', 'EINTR', '2+3'],
      ['pwrite64', 'EIO', '2+4'], ['openat', 'EIO', '1+2']];
    for (const [call, error, when] of faults) {
      const mend = await breakCalls(start, t, server.process.pid, { call, error, when });
      for (let i = 0; i < 15; i += 1) {
        await vendor.issue('acme.lic', ['--valid-for', '60d', '--feature', `round=${i}`]);
        const answer = await until('an answer', () => get(`${server.url}/v1/license`));
        assert.deepEqual([answer.status, answer.json.edition], [200, 'enterprise']);
      }
      await mend();
    }
    await server.untilLicense((answer) => answer.features.round === 14);
    await untilPersistence(server.url, '/v1/license', 'durable');
  });
});

describe('inotify has nothing left', { skip: noFaults }, () => {
  for (const fault of [{ call: 'inotify_add_watch', error: 'ENOSPC', when: '1+' },
    { call: 'inotify_init1', error: 'EMFILE', when: '1+' }]) {
    test(`${fault.call} gives ${fault.error}: files are polled, which is told once`, async (t) => {
      const { vendor, license } = await newVendor(t);
      const dataDir = path.join(temporaryFolder(t), 'data');
      const [program, ...args] = [...withFault(fault), binary, 'license-server', '--license', license, '--keys', vendor.keys,
        '--data-dir', dataDir, '--http', '127.0.0.1:0', '--nats-listen', '127.0.0.1:0'];
      const server = start(t, program, args);
      const [, url] = await server.untilOutput(/url=(http:\S+)/);
      for (const edition of ['one', 'two']) {
        await vendor.issue('acme.lic', ['--valid-for', '60d', '--edition', edition]);
        await until(`edition ${edition}`, async () => (await get(`${url}/v1/license`)).json.edition === edition, 3000);
      }
      assert.equal(server.output.match(/no inotify watches left/g).length, 1);
    });
  }
});

describe('clients that are gone before they are answered', () => {
  test('requests that end with a reset, of every role: it serves on', async (t) => {
    const { vendor, license } = await newVendor(t);
    const server = await LicenseServer.start(t, vendor, { license });
    const client = await Client.start(t, vendor, server.nats);
    const master = await Master.start(t, vendor);
    const slave = await Slave.start(t, vendor, master.url);
    for (const role of [server, client, master, slave]) {
      const { hostname, port } = new URL(role.url);
      const vanish = () => new Promise((resolve) => {
        const socket = net.connect(Number(port), hostname, () => {
          socket.write(`GET /api/licenses?since=0 HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`, () => socket.resetAndDestroy());
        });
        socket.on('error', () => {});
        socket.on('close', resolve);
      });
      // Stopped for a moment, it accepts connections that have ended by then.
      for (let round = 0; round < 3; round += 1) {
        role.process.signal('SIGSTOP');
        await Promise.all(Array.from({ length: 20 }, vanish));
        role.process.signal('SIGCONT');
        await until('an answer', async () => (await get(`${role.url}/healthz`)).status === 200);
      }
      assert.equal(role.process.exit, undefined);
    }
  });
});

describe('64 descriptors', () => {
  test('more connections than that: others wait, the license is followed on, and accept resumes', async (t) => {
    const { vendor, license } = await newVendor(t);
    const dataDir = path.join(temporaryFolder(t), 'data');
    const process_ = start(t, 'sh', ['-c', 'ulimit -n 64 && exec "$@"', 'sh', binary, 'license-server', '--license', license,
      '--keys', vendor.keys, '--data-dir', dataDir, '--http', '127.0.0.1:0', '--nats-listen', '127.0.0.1:0',
      '--heartbeat-interval', `${HEARTBEAT_MS}ms`]);
    const [, url] = await process_.untilOutput(/url=(http:\S+)/);
    const [, nats] = await process_.untilOutput(/url=(nats:\S+)/);
    const client = await Client.start(t, vendor, nats, { timeout: '2s' });
    await client.untilEdition('enterprise');
    const sockets = [];
    for (const address of [url, nats]) {
      const { hostname, port } = new URL(address);
      for (let i = 0; i < 100; i += 1) {
        const socket = net.connect(Number(port), hostname);
        socket.on('error', () => {});
        sockets.push(socket);
      }
    }
    await until('all of them to be tried', () => sockets.every((socket) => !socket.connecting));
    const heard = await client.heard('good');
    await until('heartbeats meanwhile', async () => await client.heard('good') > heard + 2);
    const cpu = () => Number(readFileSync(`/proc/${process_.pid}/stat`, 'utf8').split(' ')[13]);
    const before_ticks = cpu();
    const more = await client.heard('good');
    await until('more heartbeats', async () => await client.heard('good') > more + 2);
    assert.ok(cpu() - before_ticks < 30, `${cpu() - before_ticks} ticks of 10 ms: it spins`);
    await vendor.issue('acme.lic', ['--valid-for', '60d', '--edition', 'bigger']);
    for (const socket of sockets) socket.destroy();
    await until('an answer', async () => (await get(`${url}/v1/license`)).json.edition === 'bigger');
    await client.untilEdition('bigger');
    assert.equal((await client.license()).licensed, true);
  });
});

describe('a NATS server that flaps', () => {
  /// Ends connections in a way of its own each time, and lets one in 40 live for a moment: the client waits up to 5 s
  /// after each that had been good, and once for each 16 others.
  async function flapper(t, target, count) {
    const { port } = new URL(target);
    const state = { flaps: 0, ports: [], calm: false };
    const relay = (socket, life_ms) => {
      const upstream = net.connect(Number(port), '127.0.0.1');
      for (const end of [socket, upstream]) end.on('error', () => {});
      socket.pipe(upstream).pipe(socket);
      socket.on('close', () => upstream.destroy());
      upstream.on('close', () => socket.destroy());
      if (life_ms) setTimeout(() => socket.resetAndDestroy(), life_ms).unref();
    };
    const ways = [(socket) => socket.end(), (socket) => socket.resetAndDestroy(), (socket) => socket.end('INFO {'),
      (socket) => socket.end('-ERR \'no\'\r\n'), (socket) => socket.end('INFO {"max_payload":1}\r\n')];
    for (let i = 0; i < count; i += 1) {
      const server = net.createServer((socket) => {
        socket.on('error', () => {});
        if (state.calm) return relay(socket);
        state.flaps += 1;
        if (state.flaps % 40 === 0) return relay(socket, 20);
        return ways[state.flaps % ways.length](socket);
      });
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.after(() => server.close());
      state.ports.push(server.address().port);
    }
    state.urls = state.ports.map((one) => `nats://127.0.0.1:${one}`).join(',');
    return state;
  }

  const usage = (pid) => ({
    descriptors: openDescriptors(pid),
    threads: readdirSync(`/proc/${pid}/task`).length,
    memory_kib: residentKib(pid),
  });

  test(`${FLAPS} times: no leak of descriptors, threads or memory, and it is followed when it is calm`, async (t) => {
    const { vendor, license } = await newVendor(t);
    const server = await LicenseServer.start(t, vendor, { license });
    const flaps = await flapper(t, server.nats, 16);
    const client = await Client.start(t, vendor, flaps.urls);
    await until('the first flaps', () => flaps.flaps >= FLAPS / 3, 60_000);
    const before_it = usage(client.process.pid);
    await until('all flaps', () => flaps.flaps >= FLAPS, 600_000);
    flaps.calm = true;
    await client.untilEdition('enterprise', 20_000);
    const after_it = usage(client.process.pid);
    assert.ok(after_it.descriptors <= before_it.descriptors + 3, JSON.stringify({ before_it, after_it }));
    assert.ok(after_it.threads <= before_it.threads + 4, JSON.stringify({ before_it, after_it }));
    assert.ok(after_it.memory_kib < before_it.memory_kib + 2048, JSON.stringify({ before_it, after_it }));
    assert.equal((await client.stop()).code, 0);
  });
});

describe('kill -9', () => {
  const context = suiteContext();
  let vendor;
  let license;
  before(async () => ({ vendor, license } = await newVendor(context)));

  test(`${KILLS} times while newer licenses come: none that was acknowledged is ever forgotten`, async (t) => {
    const dataDir = path.join(temporaryFolder(t), 'server');
    const clientDir = path.join(temporaryFolder(t), 'client');
    let [told, followed] = [0, 0];
    for (let round = 0; round < KILLS; round += 1) {
      const server = await LicenseServer.start(t, vendor, { license, dataDir });
      const client = await Client.start(t, vendor, server.nats, { dataDir: clientDir });
      const issued = vendor.issue('acme.lic', ['--valid-for', '60d']);
      const first = await server.untilLicense((answer) => answer.status === 'valid');
      assert.ok(first.serial >= told, `round ${round}: serial ${first.serial} after ${told}`);
      await client.untilEdition('enterprise');
      const moment = Math.random() * 40; // of the kill: at times in the middle of taking over the next license
      const until_ms = performance.now() + moment;
      do {
        told = (await server.license()).serial;
        const state = await client.license();
        assert.ok((state.serial ?? followed) >= followed, `round ${round}: ${state.serial} after ${followed}`);
        followed = state.serial ?? followed;
      } while (performance.now() < until_ms);
      await Promise.all([client.stop('SIGKILL'), server.stop('SIGKILL'), issued]);
      assert.doesNotMatch(server.process.output + client.process.output, /damaged|left out/);
    }
    assert.ok(told > KILLS / 2 && followed > KILLS / 2);
  });
});
