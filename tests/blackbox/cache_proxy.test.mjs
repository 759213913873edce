// A slave that reaches its master through an HTTP proxy (npm proxy-chain): tunnels, plain http, who is asked for what, and
// what is said when it does not work.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Server } from 'proxy-chain';
import { KEY, Master, Slave, fastTimes } from './lib/cache.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { binary, lsys, run } from './lib/lsys.mjs';
import { makeCertificate } from './lib/openssl.mjs';
import { freePort } from './lib/ports.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

/// The master's name, which only the proxy can look up.
const NAME = 'master.site.example';
const PASSWORD = 'pass/word@1';
const folder = temporaryFolder({ after });
const pki = {};
let vendor;
let license;

before(async () => {
  vendor = await Vendor.create(folder);
  license = await vendor.issue('proxied.lic', ['--license-id', 'L-proxied', '--valid-for', '60d']);
  pki.ca = await makeCertificate(folder, 'ca', { extensions: ['basicConstraints = critical, CA:TRUE',
    'keyUsage = critical, keyCertSign', 'subjectKeyIdentifier = hash'] });
  for (const [name, names] of [['master', `DNS:${NAME}, IP:127.0.0.1`], ['other', 'DNS:other.example, IP:127.0.0.1']]) {
    pki[name] = await makeCertificate(folder, name, { issuer: pki.ca,
      extensions: ['basicConstraints = critical, CA:FALSE', 'extendedKeyUsage = serverAuth', `subjectAltName = ${names}`] });
    chmodSync(pki[name].key, 0o600);
  }
});

/// A proxy that looks every name up as 127.0.0.1; `asked` has what it was asked for.
async function startProxy(t, { password } = {}) {
  const asked = [];
  const server = new Server({
    port: 0,
    host: '127.0.0.1',
    prepareRequestFunction: ({ request, hostname, port, isHttp, username, password: shown }) => {
      asked.push({ hostname, port: Number(port), isHttp, username, headers: request.headers });
      return {
        requestAuthentication: password !== undefined && (username !== 'site-7' || shown !== password),
        dnsLookup: (_, options, callback) => (options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)),
      };
    },
  });
  await server.listen();
  t.after(() => server.close(true));
  return { asked, host: `127.0.0.1:${server.port}` };
}

const secured = (name) => ['--tls-cert', pki[name].pem, '--tls-key', pki[name].key, '--http-allowed-host', NAME];

async function startMaster(t, flags) {
  const master = await Master.start(t, vendor, { flags: ['--import', license, ...flags] });
  master.named = master.url.replace('127.0.0.1', NAME);
  return master;
}

const startSlave = (t, url, env, flags = []) => Slave.start(t, vendor, url, {
  times: fastTimes({ SYNC_TIMEOUT: '3000', ...env }), flags: ['--https-ca', pki.ca.pem, ...flags] });

async function untilError(slave, pattern) {
  return until(`the error ${pattern}`, async () => pattern.exec((await slave.syncStatus()).last_error ?? ''));
}

describe('a master with https', () => {
  test('is reached through a tunnel, for pulls and for push, and the proxy sees no key', async (t) => {
    const master = await startMaster(t, secured('master'));
    const proxy = await startProxy(t, { password: PASSWORD });
    const slave = await startSlave(t, master.named, { HTTPS_PROXY: `http://site-7:${encodeURIComponent(PASSWORD)}@${proxy.host}` });
    await slave.untilCurrent((current) => current.licensed);
    await until('the push', async () => (await slave.syncStatus()).push);
    assert.ok(proxy.asked.length >= 2);
    for (const { hostname, port, isHttp, username, headers } of proxy.asked) {
      assert.deepEqual({ hostname, port, isHttp, username }, { hostname: NAME, port: master.port, isHttp: false, username: 'site-7' });
      assert.ok(!JSON.stringify(headers).includes(KEY));
    }
    await slave.stop();
    assert.match(slave.process.output, new RegExp(`reached through a proxy" proxy=${proxy.host}`));
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 'site-7']) assert.ok(!slave.process.output.includes(secret));
  });

  test('is verified end to end: a proxy that leads elsewhere gets nothing', async (t) => {
    const master = await startMaster(t, secured('other'));
    const proxy = await startProxy(t);
    const slave = await startSlave(t, master.named, { https_proxy: proxy.host });
    await untilError(slave, /master\.site\.example.*(certificate|name)/);
    assert.equal((await slave.current()).licensed, false);
    assert.equal(await master.metric('lsys_cache_pulls_total').catch(() => 0), 0);
  });
});

describe('a master with http', () => {
  test('is asked in absolute form, and through a tunnel for push', async (t) => {
    const master = await startMaster(t, ['--http-allowed-host', NAME]);
    const proxy = await startProxy(t);
    const slave = await startSlave(t, master.named, { http_proxy: `http://${proxy.host}` });
    await slave.untilCurrent((current) => current.licensed);
    await until('the push', async () => (await slave.syncStatus()).push);
    assert.ok(proxy.asked.some(({ isHttp, hostname }) => isHttp && hostname === NAME));
    assert.ok(proxy.asked.some(({ isHttp, hostname }) => !isHttp && hostname === NAME));
  });

  test('heeds the variables as curl does, but for upper case outside of CGI', async (t) => {
    const proxy = await startProxy(t);
    const dead = `http://127.0.0.1:${await freePort()}`;
    const alive = `http://${proxy.host}`;
    const master = await startMaster(t, ['--http-allowed-host', NAME]);
    for (const [env, reached] of [
      [{ HTTP_PROXY: alive }, true],
      [{ http_proxy: alive, HTTP_PROXY: dead }, true],
      [{ http_proxy: dead, HTTP_PROXY: alive }, false],
      [{ HTTP_PROXY: alive, REQUEST_METHOD: 'GET' }, false],
      [{ HTTPS_PROXY: alive }, false],
      [{ HTTP_PROXY: alive, NO_PROXY: 'b.example,.site.example' }, false],
      [{ HTTP_PROXY: alive, NO_PROXY: '*', no_proxy: 'b.example' }, true],
    ]) {
      const asked = proxy.asked.length;
      const slave = await startSlave(t, master.named, env);
      if (reached) await slave.untilCurrent((current) => current.licensed);
      else await untilError(slave, /./);
      assert.equal(proxy.asked.length > asked, reached, JSON.stringify(env));
      await slave.stop();
    }
  });

  test('on this machine is reached without a proxy, unless a flag names one', async (t) => {
    const master = await startMaster(t, []);
    const proxy = await startProxy(t);
    const dead = `http://127.0.0.1:${await freePort()}`;
    const direct = await startSlave(t, master.url, { HTTP_PROXY: dead });
    await direct.untilCurrent((current) => current.licensed);
    const named = await startSlave(t, master.url, {}, ['--proxy', `http://${proxy.host}`]);
    await named.untilCurrent((current) => current.licensed);
    assert.ok(proxy.asked.length > 0);
    await named.stop();
    const asked = proxy.asked.length;
    const none = await startSlave(t, master.named, { HTTP_PROXY: `http://${proxy.host}` }, ['--proxy', 'none']);
    await untilError(none, /./);
    assert.equal(proxy.asked.length, asked);
  });
});

describe('what went wrong', () => {
  test('with user and password is said, and not what they are', async (t) => {
    const master = await startMaster(t, secured('master'));
    const plain = await startMaster(t, ['--http-allowed-host', NAME]);
    const proxy = await startProxy(t, { password: PASSWORD });
    for (const url of [master.named, plain.named]) {
      const anonymous = await startSlave(t, url, {}, ['--proxy', `http://${proxy.host}`]);
      await untilError(anonymous, /the proxy 127\.0\.0\.1:\d+ wants a user and a password \(407\).*--proxy-file/);
      const file = path.join(temporaryFolder(t), 'proxy');
      writeFileSync(file, `http://site-7:wrong-secret@${proxy.host}\n`, { mode: 0o600 });
      const slave = await startSlave(t, url, {}, ['--proxy-file', file]);
      await untilError(slave, /the proxy .* refuses the user and password/);
      assert.equal(await slave.outcome('unreachable') > 0, true);
      writeFileSync(file, `http://site-7:${encodeURIComponent(PASSWORD)}@${proxy.host}\n`, { mode: 0o600 });
      await slave.untilCurrent((current) => current.licensed);
      await slave.stop();
      assert.doesNotMatch(slave.process.output, /wrong-secret|site-7/);
    }
  });

  test('with the proxy itself names it', async (t) => {
    const port = await freePort();
    const refused = await startSlave(t, 'https://master.site.example:8003', { HTTPS_PROXY: `127.0.0.1:${port}` });
    await untilError(refused, new RegExp(`the proxy 127\\.0\\.0\\.1:${port}: cannot connect`));
    const unnamed = await startSlave(t, 'https://master.site.example:8003', { HTTPS_PROXY: 'http://no-such-proxy.invalid:3128' });
    await untilError(unnamed, /the proxy no-such-proxy\.invalid:3128: /);
  });

  for (const [what, answer, pattern] of [
    ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', /the proxy .* answered 403 when asked for a tunnel to master\.site\.example:8003/],
    ['garbage', 'I am no proxy\r\n\r\n', /the proxy 127\.0\.0\.1:\d+: /],
    ['too much', 'HTTP/1.1 200 OK\r\n\r\nand this', /more than its answer|TLS/],
    ['an end', null, /the proxy .* ended the connection without an answer/],
    ['nothing', '', /did not answer in time/],
  ]) {
    test(`with ${what} in place of a tunnel is said`, async (t) => {
      const sockets = [];
      const server = net.createServer((socket) => {
        sockets.push(socket);
        socket.on('error', () => {}).once('data', () => (answer === null ? socket.end() : socket.write(answer)));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => {
        sockets.forEach((socket) => socket.destroy());
        server.close();
      });
      const slave = await startSlave(t, 'https://master.site.example:8003', { HTTPS_PROXY: `127.0.0.1:${server.address().port}`, SYNC_TIMEOUT: '500' });
      await untilError(slave, pattern);
      assert.equal((await slave.current()).licensed, false);
      assert.deepEqual(await slave.stop(), { code: 0, signal: null });
    });
  }

  test('in the configuration is refused before anything starts, without a word of the password', async (t) => {
    const start = (env, flags = []) => lsys(['cache-slave', '--master', 'http://master.site.example', '--keys', vendor.keys,
      '--data-dir', path.join(temporaryFolder(t), 's'), '--http', '127.0.0.1:0', ...flags], { env });
    for (const [env, flags, pattern] of [
      [{}, ['--proxy', 'http://me:secret-word@proxy:1'], /--proxy-file/],
      [{ HTTP_PROXY: 'socks5://me:secret-word@proxy:1' }, [], /HTTP_PROXY: .*a proxy is http:/],
      [{ HTTP_PROXY: 'http://me:secret-word@' }, [], /HTTP_PROXY: /],
      [{ HTTP_PROXY: 'http://me:secret%word@proxy' }, [], /HTTP_PROXY: /],
    ]) {
      const result = await start(env, flags);
      assert.equal(result.code, 78, result.stderr);
      assert.match(result.stderr, pattern);
      assert.doesNotMatch(result.stderr, /secret.word/);
    }
    const file = path.join(temporaryFolder(t), 'proxy');
    writeFileSync(file, 'http://me:secret-word@proxy:1', { mode: 0o644 });
    assert.notEqual((await start({}, ['--proxy-file', file])).code, 0, 'everybody may read it');
    const shown = await run(binary, ['config', 'show', 'cache-slave', '--proxy-file', file]);
    assert.doesNotMatch(shown.stdout, /secret-word/);
  });
});
