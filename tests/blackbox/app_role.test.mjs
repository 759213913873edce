// What every role does alike, shown with `lsys license-client`: standard endpoints, listening, configuration, signals, process 1.
import assert from 'node:assert/strict';
import { chownSync, copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryFolder } from './lib/folders.mjs';
import { get, untilAnswer } from './lib/http.mjs';
import { binary, lsys, run, start, startLsys } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const folder = temporaryFolder({ after });
let vendor;

before(async () => {
  vendor = await Vendor.create(folder);
});

/// The arguments of a client that finds no NATS server, with its state in `data`.
async function clientArgs(data, httpPort) {
  return ['license-client', '--keys', vendor.keys, '--data-dir', data, '--http', `127.0.0.1:${httpPort}`,
    '--nats', `nats://127.0.0.1:${await freePort()}`];
}

/// Starts a client in a folder without conf.d; gives it with its address.
async function startClient(t, flags = []) {
  const httpPort = await freePort();
  const cwd = temporaryFolder(t);
  const client = startLsys(t, [...(await clientArgs(path.join(cwd, 'data'), httpPort)), ...flags], { cwd });
  await client.untilOutput(new RegExp(`listening.*:${httpPort}\\b`));
  return { client, httpPort, url: `http://127.0.0.1:${httpPort}` };
}

describe('the standard endpoints', () => {
  test('say alive, ready, and the numbers', async (t) => {
    const { url } = await startClient(t);
    const health = await get(`${url}/healthz`);
    assert.equal(health.json.status, 'ok');
    assert.equal(health.json.role, 'license-client');
    const ready = await get(`${url}/readyz`);
    assert.equal(ready.json.ready, ready.status === 200);
    assert.ok(ready.json.conditions.some(({ name, reason }) => name && reason));
    const metrics = await get(`${url}/metrics`);
    assert.match(metrics.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    assert.match(metrics.text, /^lsys_build_info\{version="[\d.]+"\} 1$/m);
    assert.match(metrics.text, /^lsys_http_requests_total\{role="license-client"\} [1-9]\d*$/m);
    const names = [...metrics.text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    assert.deepEqual(names, [...new Set(names)]);
    for (const line of metrics.text.trimEnd().split('\n')) {
      assert.match(line, /^(# (HELP|TYPE) \S+ .+|[a-z_:][a-z0-9_:]*(\{.*\})? [-+0-9.eInfNa]+)$/);
    }
  });

  test('are what lsys health asks', async (t) => {
    const { url, client } = await startClient(t);
    const { status } = await get(`${url}/readyz`);
    assert.equal((await lsys(['health', url])).code, status === 200 ? 0 : 69);
    assert.equal((await lsys(['health', '--alive', url])).code, 0);
    await client.stop();
    assert.equal((await lsys(['health', '--alive', url])).code, 69);
  });

  test('refuse a foreign Host, unless it is allowed', async (t) => {
    const { httpPort } = await startClient(t, ['--http-allowed-host', 'lsys.example.org']);
    const ask = (host) => run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-H', `Host: ${host}`,
      `http://127.0.0.1:${httpPort}/healthz`]);
    assert.equal((await ask('evil.example.org')).stdout, '421');
    assert.equal((await ask('lsys.example.org')).stdout, '200');
  });
});

describe('listening', () => {
  test('off loopback is refused without --insecure-listen, naming the flag', async (t) => {
    const cwd = temporaryFolder(t);
    const args = await clientArgs('data', await freePort());
    args[args.indexOf('--http') + 1] = `0.0.0.0:${await freePort()}`;
    const result = await lsys(args, { cwd });
    assert.equal(result.code, 78, result.stderr);
    assert.match(result.stderr, /--http 0\.0\.0\.0:\d+ would be open to the network/);
    const aloud = startLsys(t, [...args, '--insecure-listen'], { cwd });
    await aloud.untilOutput(/without protection, as told/);
    await aloud.untilOutput(/listening.*0\.0\.0\.0/);
    assert.equal((await aloud.stop()).code, 0);
  });

  test('on a taken port is an error that names the flag', async (t) => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await until('the port to be taken', () => server.listening);
    t.after(() => server.close());
    const { port } = server.address();
    const result = await lsys(await clientArgs('data', port), { cwd: temporaryFolder(t) });
    assert.equal(result.code, 75, result.stderr);
    assert.ok(result.stderr.includes('--http') && result.stderr.includes(String(port)), result.stderr);
  });

  test('on a state folder that another process uses is an error that names it', async (t) => {
    const cwd = temporaryFolder(t);
    const first = startLsys(t, await clientArgs('data', await freePort()), { cwd });
    await first.untilOutput(/listening/);
    const second = await lsys(await clientArgs('data', await freePort()), { cwd });
    assert.equal(second.code, 75);
    assert.match(second.stderr, /--data-dir data/);
    assert.ok(second.stderr.includes(String(first.pid)), second.stderr);
  });
});

test('a file or flag that keeps a role from starting is never taken for a verdict about a license', async (t) => {
  const cwd = temporaryFolder(t);
  writeFileSync(path.join(cwd, 'bad'), 'garbage', { mode: 0o600 });
  for (const [args, code] of [
    [['license-client', '--keys', 'bad'], 65],
    [['license-server', '--fingerprint-file', 'bad'], 65],
    [['cache-slave', '--keys', 'bad'], 65],
    [['broker', '--users-file', 'bad'], 65],
    [['broker', '--listen', '127.0.0.1:99999'], 78],
    [['broker', '--http', '127.0.0.1:99999'], 64],
  ]) {
    const result = await lsys(args, { cwd });
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    assert.ok(result.stderr.includes(args.at(-1)), result.stderr);
  }
});

describe('the configuration', () => {
  /// A folder with conf.d/a.conf of this text.
  function configured(t, text) {
    const folder = temporaryFolder(t);
    mkdirSync(path.join(folder, 'conf.d'));
    const file = path.join(folder, 'conf.d', 'a.conf');
    writeFileSync(file, text);
    return { folder, file };
  }

  test('of any role is judged before anything starts', async (t) => {
    const { folder: cwd } = configured(t, '[license-client]\nhtpt = 127.0.0.1:1\n');
    const result = await lsys(['license-client'], { cwd });
    assert.equal(result.code, 78);
    assert.match(result.stderr, /conf\.d\/a\.conf:2: there is no key "htpt" in section \[license-client\]; did you mean http/);
  });

  test('comes from ./conf.d, and lsys config shows where from', async (t) => {
    const { folder: cwd } = configured(t, '[license-client]\nhttp = 127.0.0.1:8999\n');
    const shown = await lsys(['config', 'show', 'license-client'], { cwd, env: { LSYS_LOG_FORMAT: 'json' } });
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /license-client\.http +127\.0\.0\.1:8999 +# conf\.d\/a\.conf:2/);
    assert.match(shown.stdout, /log\.format +json +# LSYS_LOG_FORMAT/);
    assert.match(shown.stdout, /log\.level +info +# default/);
  });

  test('is read again at SIGHUP; a bad one leaves the old one running', async (t) => {
    const { folder, file } = configured(t, '[log]\nlevel = info\n');
    const { client, url } = await startClient(t, ['--config-dir', path.join(folder, 'conf.d')]);
    writeFileSync(file, '[log]\nlevel = loud\n');
    client.signal('SIGHUP');
    const refused = await client.untilOutput(/the new configuration is refused, the old one stays.*/);
    assert.match(refused[0], /a\.conf:2/);
    assert.equal((await get(`${url}/healthz`)).status, 200);
    writeFileSync(file, '[log]\nformat = json\n');
    client.signal('SIGHUP');
    await client.untilOutput(/"configuration reloaded"/);
    assert.equal((await client.stop()).code, 0);
  });

  test('that names a secret file shows its path only', async (t) => {
    const cwd = temporaryFolder(t);
    const password = path.join(cwd, 'password');
    writeFileSync(password, 'the-secret-word\n', { mode: 0o600 });
    const shown = await lsys(['config', 'show', 'license-client'], { cwd, env: { LSYS_LICENSE_CLIENT_NATS_PASSWORD_FILE: password } });
    assert.equal(shown.code, 0, shown.stderr);
    assert.ok(shown.stdout.includes(password));
    assert.ok(!shown.stdout.includes('the-secret-word'));
  });
});

test('a password inside a NATS URL is not shown', async (t) => {
  const cwd = temporaryFolder(t);
  const env = { LSYS_LICENSE_CLIENT_NATS_URLS: 'nats://app:the-p@ss-word@10.0.0.5:4222,nats://10.0.0.6:4222' };
  const shown = await lsys(['config', 'show', 'license-client'], { cwd, env });
  assert.equal(shown.code, 0, shown.stderr);
  assert.ok(shown.stdout.includes('nats://***@10.0.0.5:4222, nats://10.0.0.6:4222'), shown.stdout);
  assert.ok(!shown.stdout.includes('ss-word'));
});

describe('the process', () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`stops at ${signal} within two seconds, with exit code 0`, async (t) => {
      const { client } = await startClient(t);
      const began = performance.now();
      assert.deepEqual(await client.stop(signal), { code: 0, signal: null });
      assert.ok(performance.now() - began < 2000);
    });
  }

  test('leaves no core', async (t) => {
    const { client } = await startClient(t);
    assert.match(readFileSync(`/proc/${client.pid}/limits`, 'utf8'), /Max core file size\s+0\s+0/);
  });

  test('is closed to other processes of its user', async (t) => {
    if (process.getuid() !== 0) return t.skip('only root can start a process of another user');
    const NOBODY = 65534;
    const cwd = temporaryFolder(t);
    const keys = path.join(cwd, 'vendor.jwks');
    copyFileSync(vendor.keys, keys);
    chownSync(cwd, NOBODY, NOBODY);
    const args = await clientArgs('data', await freePort());
    args[args.indexOf('--keys') + 1] = keys;
    const client = start(t, 'setpriv', [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', binary, ...args], { cwd });
    await until('the role to listen, or setpriv to fail', () => client.exit || /listening/.test(client.output));
    if (/setpriv: failed to execute/.test(client.output)) return t.skip('another user cannot run the program here');
    assert.match(client.output, /listening/);
    // What belongs to a non-dumpable process in /proc belongs to root: its user can neither read nor trace it.
    assert.match(readFileSync(`/proc/${client.pid}/status`, 'utf8'), new RegExp(`^Uid:\\s+${NOBODY}`, 'm'));
    assert.equal(statSync(`/proc/${client.pid}/environ`).uid, 0);
    assert.equal((await client.stop()).code, 0);
  });

  test('survives closed standard descriptors', async (t) => {
    const httpPort = await freePort();
    const cwd = temporaryFolder(t);
    const args = await clientArgs('data', httpPort);
    const client = start(t, 'sh', ['-c', 'exec "$@" <&- >&- 2>&-', 'sh', binary, ...args], { cwd });
    await untilAnswer(`http://127.0.0.1:${httpPort}/healthz`);
    assert.equal((await client.stop()).code, 0);
  });

  test('as process 1 of a container reaps orphans and stops at SIGTERM', async (t) => {
    // Processes of a new PID namespace; a process that is entered into it and leaves a child behind makes an orphan.
    const outer = start(t, 'unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', binary,
      ...(await clientArgs('data', await freePort()))], { cwd: temporaryFolder(t) });
    await until('the role to listen, or unshare to fail', () => outer.exit || /listening/.test(outer.output));
    if (outer.exit) return t.skip('a PID namespace cannot be made here');
    const child = (parent) => readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').filter(Boolean);
    const [init] = child(outer.pid);
    const [role] = child(init);
    assert.ok(role, 'process 1 has the role as its child');
    await run('nsenter', ['--target', init, '--pid', 'sh', '-c', '(sleep 0.2 &) ; exit 0']);
    await until('the orphan to be reaped', () => child(init).length === 1);
    process.kill(Number(init), 'SIGTERM');
    assert.equal((await outer.ended()).code, 0, outer.output);
  });
});
