// license-client and what machines do: kill -9 at any moment, clocks that are set, disks that are full.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, bareToken } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { ForeignServer } from './lib/foreign_server.mjs';
import { binary, run } from './lib/lsys.mjs';
import { NatsServer } from './lib/nats_server.mjs';
import { openDescriptors, residentKib } from './lib/processes.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const ROUNDS = 25;
const HOUR_S = 3600;

const timewarpSource = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../shared/tools/timewarp.c');

/// Why the clock cannot be shifted here, or undefined.
function whyNoTimewarp() {
  if (!existsSync(timewarpSource)) return 'shared/tools/timewarp.c is not there';
  if (process.getuid() !== 0) return 'shifting the clock of a program that is not dumpable needs root';
  return process.arch === 'x64' ? undefined : 'timewarp.c is for x86-64';
}

async function makeScene(t, licenseFlags = []) {
  const nats = await NatsServer.start(t);
  const vendor = await Vendor.create(path.join(temporaryFolder(t), 'vendor'));
  const older = bareToken(await vendor.issue('older.lic', ['--valid-for', '90d']));
  const token = bareToken(await vendor.issue('acme.lic', licenseFlags.length ? licenseFlags : ['--valid-for', '90d']));
  const server = await ForeignServer.create(t, nats.url, token);
  return { nats, vendor, older, server };
}

describe('kill -9', () => {
  test(`${ROUNDS} times at any moment loses nothing that was learned`, async (t) => {
    const { nats, vendor, older, server } = await makeScene(t);
    await server.start();
    const dataDir = path.join(temporaryFolder(t), 'data');
    const first = await Client.start(t, vendor, nats.url, { dataDir });
    await first.untilEdition('enterprise');
    await first.stop('SIGKILL');
    for (let round = 0; round < ROUNDS; round += 1) {
      const client = await Client.start(t, vendor, nats.url, { dataDir });
      const wait_ms = Math.random() * 120;
      const end = performance.now() + wait_ms;
      await until('a moment to kill at', () => performance.now() >= end);
      await client.stop('SIGKILL');
      assert.doesNotMatch(client.process.output, /damaged|left out|server_key_pinned/);
    }
    /* The key is still pinned, and the older license is still older. */
    await server.stop();
    server.setLicense(older);
    await server.start();
    const last = await Client.start(t, vendor, nats.url, { dataDir });
    await until('the older license to be refused', async () => await last.heard('old_serial') > 0);
    assert.equal((await last.license()).edition, 'community');
    assert.equal(await last.metric('lsys_client_pinned_keys'), 1);
  });
});

describe('a NATS server that flaps', () => {
  test('again and again: no leak of descriptors or memory, and the license is back each time', async (t) => {
    const { nats, vendor, server } = await makeScene(t);
    await server.start();
    const client = await Client.start(t, vendor, nats.url, { timeout: '60s' });
    await client.untilEdition('enterprise');
    const usage = () => ({
      descriptors: openDescriptors(client.process.pid),
      memory_kib: residentKib(client.process.pid),
    });
    const flap = async () => {
      const good = await client.heard('good');
      await nats.stop();
      await nats.again();
      await until('a good message after the reconnect', async () => await client.heard('good') > good, 30_000);
    };
    for (let i = 0; i < 2; i += 1) await flap();
    const before = usage();
    for (let i = 0; i < 6; i += 1) await flap();
    const after = usage();
    assert.ok(after.descriptors <= before.descriptors + 2, `${before.descriptors} -> ${after.descriptors} descriptors`);
    assert.ok(after.memory_kib < before.memory_kib + 2048, `${before.memory_kib} -> ${after.memory_kib} KiB`);
    assert.doesNotMatch(client.process.output, /edition=community/);
  });
});

describe('a disk that is full', { skip: process.getuid() !== 0 && 'mounting a small file system needs root' }, () => {
  test('does not take the license away, and what was owed is written when there is room', async (t) => {
    const { nats, vendor, older, server } = await makeScene(t);
    const disk = {};
    t.after(() => disk.mounted && run('umount', ['-l', disk.folder]));
    disk.folder = path.join(temporaryFolder(t), 'disk');
    mkdirSync(disk.folder);
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk.folder]);
    if (mounted.code !== 0) return t.skip(`no tmpfs here: ${mounted.stderr.trim()}`);
    disk.mounted = true;
    const dataDir = disk.folder;
    const client = await Client.start(t, vendor, nats.url, { dataDir });
    assert.equal((await run('sh', ['-c', `cat /dev/zero >'${dataDir}/ballast' || true`])).code, 0);
    await server.start();
    await client.untilEdition('enterprise');
    await client.process.untilOutput(/the state cannot be saved/);
    rmSync(path.join(dataDir, 'ballast'));
    await until('the pinned key to be on the disk', async () =>
      (await run(binary, ['client', 'keys', 'ls', '--data-dir', dataDir])).stdout.includes(server.kid), 20_000);
    await client.stop('SIGKILL');
    await server.stop();
    server.setLicense(older);
    await server.start();
    const again = await Client.start(t, vendor, nats.url, { dataDir });
    await until('the older license to be refused', async () => await again.heard('old_serial') > 0);
    await again.stop();
  });
});

describe('a clock that is set', { skip: whyNoTimewarp() }, () => {
  async function startShifted(t, scene, dataDir) {
    const folder = temporaryFolder(t);
    const program = path.join(folder, 'timewarp');
    const offset = path.join(folder, 'offset');
    const built = await run('cc', ['-O2', '-o', program, timewarpSource]);
    assert.equal(built.code, 0, built.stderr);
    writeFileSync(offset, '0');
    const client = await Client.start(t, scene.vendor, scene.nats.url, { dataDir, wrapper: [program, offset] });
    return { client, shift: (seconds) => writeFileSync(offset, String(seconds)) };
  }

  test('a jump forward counts at once and heals, a jump back extends nothing', async (t) => {
    const expires = new Date(Date.now() + HOUR_S * 1000).toISOString();
    const scene = await makeScene(t, ['--expires', expires]);
    const dataDir = path.join(temporaryFolder(t), 'data');
    const { client, shift } = await startShifted(t, scene, dataDir);
    await scene.server.start();
    await client.untilEdition('enterprise');
    shift(HOUR_S + 60);
    await client.untilState((state) => state.status === 'expired');
    assert.equal((await client.license()).explain.inputs.clock.jumped_forward, true);
    shift(0);
    await client.untilEdition('enterprise');
    await client.stop();
  });

  test('a license ends in time although the clock was turned back, live and across a restart', async (t) => {
    const expires_ms = Date.now() + 9000;
    const scene = await makeScene(t, ['--expires', new Date(expires_ms).toISOString()]);
    const dataDir = path.join(temporaryFolder(t), 'data');
    const { client, shift } = await startShifted(t, scene, dataDir);
    await scene.server.start();
    await client.untilEdition('enterprise');
    shift(-10 * 24 * HOUR_S);
    await client.process.untilOutput(/clock_turned_back/);
    assert.equal((await client.license()).edition, 'enterprise');
    await client.untilState((state) => state.status === 'expired', 20_000);
    const late_ms = Date.now() - expires_ms;
    assert.ok(late_ms >= -1000 && late_ms < 1500, `${late_ms} ms after the license's end`);
    await client.stop();
    await scene.server.stop();

    // The connection comes before the shift, since nats.c waits by the kernel's clock, which timewarp cannot set: started
    // in the past, it would take every server for dead. The server's message comes after it.
    const again = await startShifted(t, scene, dataDir);
    await again.client.process.untilOutput(/connected to NATS/);
    again.shift(-10 * 24 * HOUR_S);
    await scene.server.start();
    await again.client.untilState((state) => state.explain.inputs.server !== null);
    assert.equal((await again.client.license()).status, 'expired');
    await again.client.stop();
  });
});
