// Where secrets must not be: arguments, logs (at debug level), metrics, answers, the configuration that is shown, core
// files, files that others can read. Every role runs with keys, passwords and seeds, which are then looked for.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from './lib/folders.mjs';
import { binary, lsys, lsysOk, start, startLsys } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // this test does not judge certificates: it reads everything

/// The user for processes that need not be root.
const NOBODY = 65534;

/// All files under a folder.
function filesOf(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? filesOf(file) : [file];
  });
}

/// The secrets in a file by its form: a JWK's private part, NKey seeds, lines of a PEM key.
function secretsIn(file) {
  const text = readFileSync(file, 'latin1');
  const secrets = [...text.matchAll(/"d"\s*:\s*"([A-Za-z0-9_-]{40,})"/g)].map((match) => match[1]);
  secrets.push(...[...text.matchAll(/\bS[UAO][A-Z2-7]{56}\b/g)].map((match) => match[0]));
  for (const [, body] of text.matchAll(/-----BEGIN (?:EC |RSA )?PRIVATE KEY-----\n([^-]+)-----END/g)) {
    secrets.push(...body.split('\n').filter((line) => line.length > 30));
  }
  return secrets;
}

/// A secret as somebody could find it: as it is, as hex, as base64.
function assertAbsent(secrets, text, where) {
  for (const secret of secrets) {
    const forms = [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), Buffer.from(secret).toString('hex')];
    for (const form of forms) assert.ok(!text.includes(form), `${secret.slice(0, 6)}... is in ${where}`);
  }
}

/// Everything that a process shows of itself.
async function shownBy(process_, urls) {
  const shown = { 'its output': process_.output, 'its arguments': readFileSync(`/proc/${process_.pid}/cmdline`, 'latin1') };
  for (const { url, headers } of urls) {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(5000) });
    shown[url] = `${JSON.stringify([...answer.headers])}${await answer.text()}`;
  }
  return shown;
}

const common = ['/metrics', '/healthz', '/readyz', '/nothing-here', '/%00', '/v1/license', '/v1/license/token', '/v1/stack',
  '/api/licenses/current', '/api/licenses/sync-status', '/api/admin/licenses', '/api/admin/keys', '/varz', '/connz'];

function assertPrivate(pid) {
  assert.match(readFileSync(`/proc/${pid}/limits`, 'latin1'), /Max core file size\s+0\s+0/);
}

/// Only the owner reads what holds a secret, and nobody else writes anything.
function assertModes(folder) {
  for (const file of filesOf(folder)) {
    const mode = statSync(file).mode & 0o777;
    assert.equal(mode & 0o022, 0, `${file} has mode ${mode.toString(8)}`);
    if (secretsIn(file).length > 0 || /state\.db|\.key|seed|creds$/.test(file)) {
      assert.equal(mode & 0o077, 0, `${file} has mode ${mode.toString(8)}`);
    }
  }
}

describe('secrets', () => {
  test('of up --secure (CA, certificates, accounts, users, vendor, servers): nowhere but in private files', async (t) => {
    const folder = temporaryFolder(t);
    const ports = {};
    for (const name of ['http', 'listen', 'server-http', 'client-http', 'master-http', 'slave-http']) ports[name] = await freePort();
    const process_ = startLsys(t, ['up', '--secure', '--data-dir', folder, '--log-level', 'debug', '--view', 'plain',
      ...Object.entries(ports).flatMap(([name, port]) => [`--${name}`, `127.0.0.1:${port}`])]);
    const get = (port, where) => fetch(`https://127.0.0.1:${port}${where}`);
    await until('the client to be licensed', async () =>
      (await (await get(ports['client-http'], '/v1/license')).json()).edition === 'enterprise');
    const secrets = [...new Set(filesOf(folder).flatMap(secretsIn))];
    assert.ok(secrets.length >= 10, `only ${secrets.length} secrets were found to look for`);
    for (const secret of secrets) assert.ok(secret.length > 30);
    const apiKeys = filesOf(folder).filter((file) => /api.*key/i.test(path.basename(file)));
    secrets.push(...apiKeys.map((file) => readFileSync(file, 'utf8').trim()));
    const urls = Object.entries(ports).filter(([name]) => name !== 'listen')
      .flatMap(([, port]) => common.map((where) => ({ url: `https://127.0.0.1:${port}${where}` })));
    for (const [where, text] of Object.entries(await shownBy(process_, urls))) assertAbsent(secrets, text, where);
    const log = path.join(folder, 'up.log');
    if (existsSync(log)) assertAbsent(secrets, readFileSync(log, 'latin1'), log);
    assertPrivate(process_.pid);
    assertModes(folder);
    await process_.stop();
    assertAbsent(secrets, process_.output, 'its last output');
    assertAbsent(secrets, await lsysOk(['audit', '--data-dir', folder]), 'the audit log');
  });

  test('given in files and the environment, to every role: nowhere', async (t) => {
    const folder = temporaryFolder(t);
    const vendor = await Vendor.create(path.join(folder, 'vendor'));
    const license = await vendor.issue('acme.lic', ['--valid-for', '60d']);
    const secret = (name, value) => {
      const file = path.join(folder, name);
      writeFileSync(file, `${value}\n`, { mode: 0o600 });
      return file;
    };
    const [password, token, apiKey] = ['the-password-of-the-broker-7c1', 'the-token-of-the-broker-91af', 'the-key-of-all-the-slaves-55e'];
    const natsPort = await freePort();
    const debug = ['--log-level', 'debug'];
    const roles = {};
    const add = async (name, args, { env, headers } = {}) => {
      const port = await freePort();
      roles[name] = { process: startLsys(t, [...args, ...debug, '--http', `127.0.0.1:${port}`], { env }), port, headers };
    };
    await add('broker', ['broker', '--listen', `127.0.0.1:${natsPort}`, '--user', 'joe', '--password-file', secret('password', password)]);
    const nats = ['--nats', `nats://127.0.0.1:${natsPort}`, '--nats-user', 'joe'];
    await add('license-server', ['license-server', '--license', license, '--keys', vendor.keys, '--data-dir',
      path.join(folder, 'server'), ...nats, '--nats-password-file', path.join(folder, 'password'), '--heartbeat-interval', '300ms']);
    await add('license-client', ['license-client', '--keys', vendor.keys, '--data-dir', path.join(folder, 'client'), ...nats],
      { env: { LSYS_NATS_PASSWORD: password } });
    await add('cache-master', ['cache-master', '--keys', vendor.keys, '--data-dir', path.join(folder, 'master'), '--import', license],
      { env: { SECRET_INTERNAL_API_KEY: apiKey }, headers: { 'X-API-Key': apiKey } });
    await add('cache-slave', ['cache-slave', '--keys', vendor.keys, '--data-dir', path.join(folder, 'slave'),
      '--master', `http://127.0.0.1:${roles['cache-master'].port}`], { env: { SECRET_INTERNAL_API_KEY: apiKey } });
    // Refused logins are logged, too: without what was tried.
    await add('a client with a wrong token', ['license-client', '--keys', vendor.keys, '--data-dir', path.join(folder, 'other'),
      '--nats', `nats://127.0.0.1:${natsPort}`, '--nats-token-file', secret('token', token)]);
    const isLicensed = async (name, where) =>
      (await (await fetch(`http://127.0.0.1:${roles[name].port}${where}`)).json()).edition === 'enterprise';
    await until('the client to be licensed', () => isLicensed('license-client', '/v1/license'));
    await until('the slave to be licensed', () => isLicensed('cache-slave', '/api/licenses/current'));
    await roles['a client with a wrong token'].process.untilOutput(/waiting for NATS/);

    const secrets = [password, token, apiKey, ...filesOf(folder).flatMap(secretsIn)];
    for (const [name, { process: process_, port, headers }] of Object.entries(roles)) {
      for (const key of [headers, { 'X-API-Key': 'wrong-key-that-is-long-enough-123' }]) {
        const urls = common.map((where) => ({ url: `http://127.0.0.1:${port}${where}`, headers: key }));
        for (const [where, text] of Object.entries(await shownBy(process_, urls))) assertAbsent(secrets, text, `${name}: ${where}`);
      }
      assert.ok(!process_.output.includes('wrong-key-that-is-long'), `${name} logs keys that were tried`);
      assertPrivate(process_.pid);
    }
    for (const { process: process_ } of Object.values(roles)) await process_.stop();
    for (const [name, { process: process_ }] of Object.entries(roles)) assertAbsent(secrets, process_.output, `${name}: its output`);
    assertModes(folder);

    const env = { SECRET_INTERNAL_API_KEY: apiKey, LSYS_NATS_PASSWORD: password, LSYS_NATS_TOKEN: token };
    const shown = await lsysOk(['config', 'show'], { env });
    assert.match(shown, /\*\*\*/);
    assertAbsent(secrets, shown, 'config show');
    assertAbsent(secrets, await lsysOk(['config', 'show', 'license-client'], { env }), 'config show license-client');
  });

  test('as an argument: refused without being repeated', async () => {
    for (const args of [['license-client', '--nats-password', 'hunter2-hunter2'], ['broker', '--token', 'hunter2-hunter2'],
      ['cache-slave', '--nats', 'nats://joe:hunter2-hunter2@127.0.0.1:4222']]) {
      const { code, stdout, stderr } = await lsys(args);
      assert.notEqual(code, 0);
      assertAbsent(['hunter2-hunter2'], stdout + stderr, `the answer to ${args.join(' ')}`);
    }
  });

  test('a process of another user is not dumpable: its memory and environment are not for that user', {
    skip: process.getuid() !== 0 && 'becoming another user needs root',
  }, async (t) => {
    const folder = temporaryFolder(t);
    const vendor = await Vendor.create(path.join(folder, 'vendor'));
    chmodSync(folder, 0o755);
    for (const one of [path.dirname(vendor.keys), vendor.keys]) chmodSync(one, one === vendor.keys ? 0o644 : 0o755);
    const data = path.join(folder, 'data');
    mkdirSync(data, { mode: 0o700 });
    chownSync(data, NOBODY, NOBODY);
    const copy = path.join(folder, 'lsys');
    execFileSync('install', ['-m', '755', binary, copy]);
    const port = await freePort();
    const process_ = start(t, 'setpriv', [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', copy, 'license-client',
      '--keys', vendor.keys, '--data-dir', data, '--http', `127.0.0.1:${port}`]);
    await process_.untilOutput(/listening/);
    assert.equal(statSync(`/proc/${process_.pid}/environ`).uid, 0, 'its files in /proc belong to its user: it is dumpable');
    assertPrivate(process_.pid);
    assertModes(data);
  });
});
