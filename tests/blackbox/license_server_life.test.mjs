// The life of a license server: starting without anything, losing and finding NATS, kill -9, its key.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from './lib/folders.mjs';
import { get } from './lib/http.mjs';
import { LicenseServer, Listener } from './lib/license_server.mjs';
import { lsys, lsysOk, run } from './lib/lsys.mjs';
import { NatsServer } from './lib/nats_server.mjs';
import { freePort } from './lib/ports.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

/// SIGTERM leads to the end within this time in any state.
const STOP_MS = 2000;

async function newVendor(t) {
  const vendor = await Vendor.create(temporaryFolder(t));
  return { vendor, license: await vendor.issue('acme.lic', ['--valid-for', '60d']) };
}

async function stopsInTime(server) {
  const began = performance.now();
  const { code } = await server.stop();
  assert.equal(code, 0, server.process.output);
  assert.ok(performance.now() - began < STOP_MS, 'it stops within two seconds');
}

describe('starting and stopping', () => {
  test('without NATS: it serves HTTP, says what it waits for, and connects when NATS comes', async (t) => {
    const { vendor, license } = await newVendor(t);
    const port = await freePort();
    const server = await LicenseServer.start(t, vendor, { license, nats: `nats://127.0.0.1:${port}` });
    assert.equal((await server.untilStatus('valid')).edition, 'enterprise');
    const ready = await get(`${server.url}/readyz`);
    assert.equal(ready.status, 503);
    assert.match(ready.text, /waiting for NATS at 127\.0\.0\.1/);
    assert.equal((await get(`${server.url}/healthz`)).status, 200);
    const nats = await NatsServer.start(t, { port });
    const listener = await Listener.start(t, nats.url);
    await until('a status or a heartbeat', () => listener.messages.length > 0, 15_000);
    await until('ready', async () => (await get(`${server.url}/readyz`)).status === 200);
    await stopsInTime(server);
  });

  test('it stops in time while it waits for NATS', async (t) => {
    const { vendor, license } = await newVendor(t);
    const server = await LicenseServer.start(t, vendor, { license, nats: `nats://127.0.0.1:${await freePort()}` });
    await stopsInTime(server);
  });

  test('it stops in time while NATS hangs', async (t) => {
    const { vendor, license } = await newVendor(t);
    const nats = await NatsServer.start(t);
    const server = await LicenseServer.start(t, vendor, { license, nats: nats.url });
    await server.process.untilOutput(/connected to NATS/);
    nats.process.signal('SIGSTOP');
    t.after(() => nats.process.signal('SIGCONT'));
    await stopsInTime(server);
  });

  test('it stops in time with its own broker and clients on it', async (t) => {
    const { vendor, license } = await newVendor(t);
    const server = await LicenseServer.start(t, vendor, { license });
    await Listener.start(t, server.nats);
    await stopsInTime(server);
  });

  test('after NATS was away everything is told again', async (t) => {
    const { vendor, license } = await newVendor(t);
    const nats = await NatsServer.start(t);
    const server = await LicenseServer.start(t, vendor, { license, nats: nats.url });
    await server.process.untilOutput(/connected to NATS/);
    await nats.stop();
    await server.process.untilOutput(/no connection to NATS/);
    await vendor.issue('acme.lic', ['--valid-for', '60d', '--feature', 'nodes=2']);
    await server.untilLicense((shown) => shown.features.nodes === 2);
    await nats.again();
    const listener = await Listener.start(t, nats.url);
    const message = await listener.untilMessage('the new license', (heard) => heard.license.features.nodes === 2, { deadline_ms: 15_000 });
    assert.equal(message.license.status, 'valid');
  });

  test('a taken port is an error that names the flag', async (t) => {
    const { vendor, license } = await newVendor(t);
    const server = await LicenseServer.start(t, vendor, { license });
    const folder = temporaryFolder(t);
    const common = ['license-server', '--license', license, '--keys', vendor.keys, '--data-dir', path.join(folder, 'd')];
    const http = await lsys([...common, '--http', new URL(server.url).host, '--nats-listen', '127.0.0.1:0']);
    assert.notEqual(http.code, 0);
    assert.match(http.stderr, /--http/);
    const broker = await lsys([...common, '--http', '127.0.0.1:0', '--nats-listen', new URL(server.nats).host]);
    assert.notEqual(broker.code, 0);
    assert.match(broker.stderr, /--nats-listen/);
    const data = await lsys(['license-server', '--data-dir', server.dataDir, '--http', '127.0.0.1:0', '--nats-listen', '127.0.0.1:0']);
    assert.notEqual(data.code, 0);
    assert.match(data.stderr, /--data-dir/);
  });

  test('it does not listen on the network unless told aloud', async (t) => {
    const { vendor, license } = await newVendor(t);
    for (const flag of ['--http', '--nats-listen']) {
      const refused = await lsys(['license-server', '--license', license, '--keys', vendor.keys, '--data-dir',
        path.join(temporaryFolder(t), 'd'), '--http', '127.0.0.1:0', '--nats-listen', '127.0.0.1:0', flag, '0.0.0.0:0']
        .filter((_, i, all) => !(all[i] === flag && i < all.length - 2) && !(all[i - 1] === flag && i < all.length - 1)));
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /--insecure-listen/);
    }
  });
});

describe('kill -9', () => {
  test('in a loop: numbers grow, serials and the license stay, the key is the same', async (t) => {
    const { vendor, license } = await newVendor(t);
    const dataDir = path.join(temporaryFolder(t), 'data');
    let lastSeq = 0;
    let key;
    let serial = 0;
    for (let round = 0; round < 12; round += 1) {
      const server = await LicenseServer.start(t, vendor, { license, dataDir });
      const listener = await Listener.start(t, server.nats);
      const answer = await listener.ask('n');
      assert.ok(answer.seq > lastSeq, `round ${round}: ${answer.seq} after ${lastSeq}`);
      assert.ok(answer.license.serial >= serial);
      const shown = await server.license();
      key ??= shown.server_key;
      assert.equal(shown.server_key, key);
      assert.equal(shown.status, 'valid');
      serial = shown.serial;
      lastSeq = answer.seq;
      // At a moment of its own each time: sometimes in the middle of taking over another license.
      if (round % 2 === 0) vendor.issue('acme.lic', ['--valid-for', '60d']);
      await until('some messages', () => listener.messages.length >= round % 3);
      for (const message of listener.messages) lastSeq = Math.max(lastSeq, message.seq);
      await listener.connection.close();
      await server.stop('SIGKILL');
      await until('the license file is whole', () => existsSync(license));
    }
  });

  test('while it starts: it starts again', async (t) => {
    const { vendor, license } = await newVendor(t);
    const dataDir = path.join(temporaryFolder(t), 'data');
    for (let delay = 0; delay < 60; delay += 6) {
      const server = await LicenseServer.start(t, vendor, { license, dataDir, wait: false });
      await new Promise((resolve) => setTimeout(resolve, delay)); // the moment of the kill is the test
      await server.stop('SIGKILL');
    }
    const server = await LicenseServer.start(t, vendor, { license, dataDir });
    await server.untilStatus('valid');
  });
});

describe("the server's key", () => {
  const keyFile = (server) => path.join(server.dataDir, 'server.key.jwk');

  test('is private, shown by its public part, backed up and restored', async (t) => {
    const { vendor, license } = await newVendor(t);
    const server = await LicenseServer.start(t, vendor, { license });
    const { server_key: key } = await server.license();
    assert.equal(statSync(keyFile(server)).mode & 0o777, 0o600);
    const data = ['--data-dir', server.dataDir];
    const shown = JSON.parse(await lsysOk(['server-key', 'show', ...data]));
    assert.equal(shown.kid, key);
    assert.equal(shown.d, undefined);

    const backup = path.join(temporaryFolder(t), 'backup.jwk');
    await lsysOk(['server-key', 'backup', backup, ...data]);
    assert.equal(statSync(backup).mode & 0o777, 0o600);
    const twice = await lsys(['server-key', 'backup', backup, ...data]);
    assert.notEqual(twice.code, 0, 'a backup is never overwritten');

    const other = path.join(temporaryFolder(t), 'other');
    await lsysOk(['server-key', 'restore', backup, '--data-dir', other]);
    const restored = await LicenseServer.start(t, vendor, { license, dataDir: other });
    assert.equal((await restored.license()).server_key, key);

    const running = await lsys(['server-key', 'restore', backup, '--data-dir', other]);
    assert.notEqual(running.code, 0, 'not under a running server');
    assert.match(running.stderr, /stop the server/);
  });

  test('is sealed by a passphrase, and only opens with it', async (t) => {
    const { vendor, license } = await newVendor(t);
    const server = await LicenseServer.start(t, vendor, { license });
    const { server_key: key } = await server.license();
    await server.stop();
    const folder = temporaryFolder(t);
    const backup = path.join(folder, 'sealed.jwk');
    const secret = (name, text) => {
      writeFileSync(path.join(folder, name), text, { mode: 0o600 });
      return ['--passphrase-file', path.join(folder, name)];
    };
    await lsysOk(['server-key', 'backup', backup, '--data-dir', server.dataDir, ...secret('right', 'correct horse battery\n')]);
    assert.ok(!readFileSync(backup, 'utf8').includes('"d"'));
    const dataDir = path.join(folder, 'other');
    const wrong = await lsys(['server-key', 'restore', backup, '--data-dir', dataDir, ...secret('wrong', 'incorrect horse\n')]);
    assert.notEqual(wrong.code, 0);
    await lsysOk(['server-key', 'restore', backup, '--data-dir', dataDir, ...secret('right', 'correct horse battery\n')]);
    assert.equal(JSON.parse(await lsysOk(['server-key', 'show', '--data-dir', dataDir])).kid, key);
  });

  test('restoring over another key moves that aside', async (t) => {
    const { vendor, license } = await newVendor(t);
    const first = await LicenseServer.start(t, vendor, { license });
    const second = await LicenseServer.start(t, vendor, { license });
    const { server_key: wanted } = await first.license();
    const backup = path.join(temporaryFolder(t), 'backup.jwk');
    await lsysOk(['server-key', 'backup', backup, '--data-dir', first.dataDir]);
    await second.stop();
    await lsysOk(['server-key', 'restore', backup, '--data-dir', second.dataDir]);
    assert.ok(existsSync(`${keyFile(second)}.replaced`));
    assert.equal(JSON.parse(await lsysOk(['server-key', 'show', '--data-dir', second.dataDir])).kid, wanted);
  });

  test('a key that others can read, or that is damaged, stops the start with what to do', async (t) => {
    const { vendor, license } = await newVendor(t);
    const server = await LicenseServer.start(t, vendor, { license });
    await server.stop();
    const again = () => lsys(['license-server', '--license', license, '--keys', vendor.keys, '--data-dir', server.dataDir,
      '--http', '127.0.0.1:0', '--nats-listen', '127.0.0.1:0']);
    chmodSync(keyFile(server), 0o644);
    const open = await again();
    assert.notEqual(open.code, 0);
    assert.match(open.stderr, /chmod 600/);
    writeFileSync(keyFile(server), '{"kty":"OKP"', { mode: 0o600 });
    chmodSync(keyFile(server), 0o600);
    const damaged = await again();
    assert.notEqual(damaged.code, 0);
    assert.match(damaged.stderr, /server-key restore/);
  });
});

describe('a full disk', () => {
  /// A file system of 600 KB of its own; only root can make one. Undefined where that is not possible.
  async function smallDisk(t) {
    if (process.getuid() !== 0) return undefined;
    const folder = mkdtempSync(path.join(tmpdir(), 'lsys-disk-'));
    const { code } = await run('mount', ['-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', folder]);
    t.after(async () => {
      if (code === 0) await run('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    });
    return code === 0 ? folder : undefined;
  }

  test('takes nothing away, is told, also at a start, and is over when there is room again', async (t) => {
    const disk = await smallDisk(t);
    if (!disk) return t.skip('needs a file system of its own');
    const { vendor, license } = await newVendor(t);
    const dataDir = path.join(disk, 'data');
    const server = await LicenseServer.start(t, vendor, { license, dataDir });
    const { seq } = await (await Listener.start(t, server.nats)).ask();
    await run('dd', ['if=/dev/zero', `of=${path.join(disk, 'filler')}`, 'bs=1k']);
    await vendor.issue('acme.lic', ['--valid-for', '60d', '--feature', 'nodes=2']);
    await server.untilLicense((shown) => shown.features.nodes === 2);
    await server.process.untilOutput(/code=state_not_saved/);
    await server.stop('SIGKILL');

    const again = await LicenseServer.start(t, vendor, { license, dataDir });
    await again.untilLicense((shown) => shown.features.nodes === 2);
    const answer = await (await Listener.start(t, again.nats)).ask();
    assert.ok(answer.seq > seq, 'numbers grow although no start could be saved');
    await again.stop('SIGKILL');

    rmSync(path.join(disk, 'filler'));
    const last = await LicenseServer.start(t, vendor, { license, dataDir });
    await last.untilLicense((shown) => shown.features.nodes === 2);
    assert.ok(!last.process.output.includes('cannot be saved'));
    assert.ok((await (await Listener.start(t, last.nats)).ask()).seq > seq);
  });
});
